"""The all-in-one server: the tools of every other server, or of those that are chosen, in one process."""


def main() -> None:
    """The entry point of `perfsuite-mcp`."""
    from perfsuite.mcp.launch import Switch, serve

    serve(
        "perfsuite_suite.server",
        switches=(
            Switch("--only", "PERFSUITE_SERVERS", "carry the tools of these alone, as blazemeter,datadog", "NAMES"),
            Switch("--preset", "PERFSUITE_PRESET", "core leaves out what few need, and keeps to 40 tools", "NAME"),
        ),
    )
