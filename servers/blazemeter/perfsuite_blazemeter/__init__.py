"""The blazemeter server: test runs of BlazeMeter, brought into run folders."""


def main() -> None:
    """The entry point of `blazemeter-mcp`."""
    from perfsuite.mcp.launch import serve

    serve("perfsuite_blazemeter.server")
