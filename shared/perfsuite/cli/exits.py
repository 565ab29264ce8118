"""What the exit codes of `perfsuite` mean. The README's table is checked against this one."""

from typing import Final

from perfsuite import errors

DONE: Final = 0
INTERNAL: Final = 1
USAGE: Final = 2
NOT_FINISHED: Final = 8
INTERRUPTED: Final = 130

_BY_ERROR: Final[tuple[tuple[type[errors.PerfsuiteError], int], ...]] = (
    (errors.BadFile, 3),
    (errors.BadInput, USAGE),
    (errors.BadSettings, USAGE),
    (errors.Refused, USAGE),
    (errors.NotFound, 4),
    (errors.NotReady, 4),
    (errors.Conflict, 5),
    (errors.StorageFailed, 6),
    (errors.LimitExceeded, 6),
    (errors.RemoteError, 7),
)

MEANINGS: Final[dict[int, str]] = {
    DONE: "done",
    INTERNAL: "an error in perfsuite itself, or `doctor` found something that does not work",
    USAGE: "wrong usage, wrong settings, or not allowed",
    3: "a file cannot be read for what it should be",
    4: "what was named does not exist, or an earlier step is missing",
    5: "another process holds it, or it exists already",
    6: "the disk is full, or a limit was passed",
    7: "a service on the network did not do what was asked",
    NOT_FINISHED: "a load test did not run to its end",
    INTERRUPTED: "interrupted by Ctrl-C",
}


def exit_code(error: errors.PerfsuiteError) -> int:
    return next((code for kind, code in _BY_ERROR if isinstance(error, kind)), INTERNAL)
