"""The confluence server: reports of load tests as pages of Confluence, Cloud or on premises."""


def main() -> None:
    """The entry point of `confluence-mcp`."""
    from perfsuite.mcp.launch import serve

    serve("perfsuite_confluence.server")
