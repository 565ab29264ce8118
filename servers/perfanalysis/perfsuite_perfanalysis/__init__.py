"""The perfanalysis server: questions about the samples of a run, and their analysis."""


def main() -> None:
    """The entry point of `perfanalysis-mcp`."""
    from perfsuite.mcp.launch import serve

    serve("perfsuite_perfanalysis.server")
