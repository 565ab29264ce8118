"""What k6's two output formats have in common."""

from typing import Final

from perfsuite.samples.rows import Kind

GRPC: Final = "grpc_req_duration"
KINDS: Final[dict[str, Kind]] = {"http_req_duration": "sample", GRPC: "sample", "group_duration": "transaction"}
"""The metrics whose points are samples, and of which kind."""


def succeeded(metric: str, *, expected: str, error: str, status: str) -> bool:
    """Whether a request did what was expected of it, by k6's own word where it gives one."""
    if expected in {"true", "false"}:
        return expected == "true"
    if error:
        return False
    if metric == GRPC:
        return status in {"", "0"}
    # k6 gives no status to a group, and status 0 to a request that got no answer.
    return not status or (status.isdecimal() and 0 < int(status[:9]) < 400)
