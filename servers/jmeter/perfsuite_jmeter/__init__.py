"""The jmeter server: load tests that outlive the client which started them."""


def main() -> None:
    """The entry point of `jmeter-mcp`."""
    from perfsuite.mcp.launch import serve

    serve("perfsuite_jmeter.server")
