"""What the exit codes of `perfsuite` mean. The README's table is checked against this one."""

from typing import Final

from perfsuite import errors

DONE: Final = 0
INTERNAL: Final = 1
USAGE: Final = 2
NOT_FINISHED: Final = 8
LIMIT_BROKEN: Final = 9
INCONCLUSIVE: Final = 10
STAGE_FAILED: Final = 11
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
    LIMIT_BROKEN: "`run`: a limit of slas.yaml was broken",
    INCONCLUSIVE: "`run`: everything was done, and nothing says whether the run passed",
    STAGE_FAILED: "`run`: a stage failed, and no limit is known to be broken",
    INTERRUPTED: "interrupted by Ctrl-C",
}

GRAVEST_FIRST: Final = (INTERRUPTED, LIMIT_BROKEN, STAGE_FAILED, INCONCLUSIVE, DONE)
"""What several runs come to. A broken limit is what a gate waits for, so nothing that went wrong elsewhere hides it."""


def exit_code(error: errors.PerfsuiteError) -> int:
    return next((code for kind, code in _BY_ERROR if isinstance(error, kind)), INTERNAL)
