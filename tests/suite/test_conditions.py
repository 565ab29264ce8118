"""The conditions under which all tests run."""

import os
import socket

import pytest


@pytest.mark.parametrize("address", [("192.0.2.1", 9), ("2001:db8::1", 9)])
def test_no_test_reaches_beyond_this_machine(address: tuple[str, int]) -> None:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family) as client, pytest.raises(AssertionError, match="tried to connect"):
        client.connect(address)


def test_a_test_may_talk_to_this_machine() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as client:
        assert client.getpeername() == listener.getsockname()


def test_nothing_is_set_that_the_suite_reads() -> None:
    ours = {name for name in os.environ if name.startswith(("PERFSUITE_", "MCP_"))}
    assert ours <= {"PERFSUITE_CONFORMANCE", "PERFSUITE_FIXTURES", "PERFSUITE_INSPECTOR"}
