"""The perfreport server: reports, charts and comparisons of runs."""


def main() -> None:
    """The entry point of `perfreport-mcp`."""
    from perfsuite.mcp.launch import serve

    serve("perfsuite_perfreport.server")
