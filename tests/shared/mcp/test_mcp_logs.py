"""What goes to standard error, and what would only drown the rest."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from perfsuite.mcp import logs


@contextmanager
def just_started() -> Iterator[None]:
    """The loggers of a process that has just started, put back as they were."""
    root, locks = logging.getLogger(), logging.getLogger("filelock")
    handlers, level, of_locks = root.handlers[:], root.level, locks.level
    root.handlers[:] = []
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        locks.setLevel(of_locks)


def test_debug_tells_about_us_and_not_about_every_lock(capsys: pytest.CaptureFixture[str]) -> None:
    with just_started():
        logs.configure("DEBUG")
        logging.getLogger("filelock").debug("Lock acquired")
        logging.getLogger("perfsuite.http").debug("Trying again")
    written = capsys.readouterr().err
    assert "DEBUG perfsuite.http: Trying again" in written
    assert "Lock acquired" not in written


def test_what_is_set_higher_stays_so_for_locks_too() -> None:
    with just_started():
        logs.configure("ERROR")
        assert logging.getLogger("filelock").getEffectiveLevel() == logging.ERROR
