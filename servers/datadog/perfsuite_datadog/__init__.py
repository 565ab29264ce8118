"""The datadog server: infrastructure metrics, logs and traces of a run, from Datadog."""


def main() -> None:
    """The entry point of `datadog-mcp`."""
    from perfsuite.mcp.launch import serve

    serve("perfsuite_datadog.server")
