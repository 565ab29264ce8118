"""What all tests share: an environment without surprises, and no network beyond this machine."""

import ipaddress
import os
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

from perfsuite.settings import _secrets

_ABOUT_THE_TESTS = {"PERFSUITE_BROWSER", "PERFSUITE_CONFORMANCE", "PERFSUITE_FIXTURES", "PERFSUITE_INSPECTOR"}


class NetworkReached(AssertionError):
    """A test reached beyond this machine."""


def pytest_configure(config: pytest.Config) -> None:
    """Begin every test as on a machine where nothing was set."""
    for name in [name for name in os.environ if _changes_behaviour(name)]:
        del os.environ[name]
    # How long an example takes says something about the machine, and nothing about the code.
    settings.register_profile("perfsuite", deadline=None, print_blob=True)
    settings.load_profile("perfsuite")
    sys.addaudithook(_stay_here)


@pytest.fixture(autouse=True)
def _secrets_of_one_test() -> Iterator[None]:
    """What one test remembers as a secret is an ordinary word in the next."""
    before = set(_secrets)
    yield
    _secrets.intersection_update(before)


def _changes_behaviour(name: str) -> bool:
    ours = name.startswith(("PERFSUITE_", "MCP_")) and name not in _ABOUT_THE_TESTS
    return ours or name.lower().endswith("_proxy") or name in {"COLUMNS", "FORCE_COLOR", "NO_COLOR"}


def _stay_here(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" and _leaves_the_machine(arguments[1]):
        raise NetworkReached(f"A test tried to connect to {arguments[1]!r}.")


def _leaves_the_machine(address: object) -> bool:
    """Addresses of local sockets are paths; those of the network begin with a host."""
    if not isinstance(address, tuple) or not isinstance(address[0], str):
        return False
    try:
        host = ipaddress.ip_address(address[0].partition("%")[0])
    except ValueError:
        return address[0] != "localhost"
    return not (host.is_loopback or host.is_unspecified)
