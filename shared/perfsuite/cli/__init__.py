"""The `perfsuite` command. It works on files and run folders, and calls the servers as any MCP client does."""


def main() -> None:
    """The entry point of the `perfsuite` command."""
    from perfsuite.cli import exits

    try:
        from perfsuite.cli.app import run

        run()
    except KeyboardInterrupt:
        raise SystemExit(exits.INTERRUPTED) from None
