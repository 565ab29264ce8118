"""Every error that perfsuite raises on purpose.

    PerfsuiteError
    ├── BadInput          an argument or a file is not what was asked for
    │   ├── BadRunId      a run id that could not be a folder name
    │   └── BadFile       the content of a file is not what it should be
    ├── BadSettings       an environment variable is missing or unusable
    ├── NotFound          what was named does not exist
    ├── NotReady          an earlier step must run first
    ├── Conflict          somebody else holds or has already made it
    │   └── Cancelled     somebody asked for it to end
    ├── Refused           not allowed: read-only mode, a guard rail, a missing confirmation
    ├── LimitExceeded     larger or longer than a limit permits
    ├── StorageFailed     the disk did not take it
    └── RemoteError       a service on the network did not do what was asked
        ├── Unreachable   no answer arrived
        ├── AccessDenied  the service refused the credentials
        ├── RateLimited   the service asked to come back later
        └── BadAnswer     an answer arrived and makes no sense

Each says what happened, and then what to do.
"""

from typing import ClassVar


class PerfsuiteError(Exception):
    """The root: `message` says what happened, `next_step` what to do about it."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, next_step: str) -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.message} {self.next_step}"


class BadInput(PerfsuiteError):
    code = "bad_input"


class BadRunId(BadInput):
    code = "bad_run_id"


class BadFile(BadInput):
    code = "bad_file"


class BadSettings(PerfsuiteError):
    code = "bad_settings"


class NotFound(PerfsuiteError):
    code = "not_found"


class UnknownRun(NotFound):
    """No run has this id."""


class NotReady(PerfsuiteError):
    code = "not_ready"


class Conflict(PerfsuiteError):
    code = "conflict"


class Cancelled(Conflict):
    code = "cancelled"


class Refused(PerfsuiteError):
    code = "refused"


class LimitExceeded(PerfsuiteError):
    code = "limit_exceeded"


class StorageFailed(PerfsuiteError):
    code = "storage_failed"


class RemoteError(PerfsuiteError):
    code = "remote_error"


class Unreachable(RemoteError):
    code = "unreachable"


class AccessDenied(RemoteError):
    code = "access_denied"


class RateLimited(RemoteError):
    code = "rate_limited"


class BadAnswer(RemoteError):
    code = "bad_answer"
