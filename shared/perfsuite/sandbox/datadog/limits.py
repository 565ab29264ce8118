"""How often may be asked, and the headers that say so with every answer."""

import threading
from dataclasses import dataclass, field

from starlette.responses import JSONResponse, Response

from perfsuite.sandbox.datadog.spec import DatadogSpec


@dataclass
class RateLimits:
    """Windows that begin at multiples of their length."""

    spec: DatadogSpec
    _used: dict[str, tuple[int, int]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, name: str, now: float) -> dict[str, str] | None:
        """The headers of an answer, or None where there was one request too many."""
        limit = self.spec.limit(name)
        window = int(now // limit.period_s)
        with self._lock:
            earlier, used = self._used.get(name, (window, 0))
            used = used + 1 if earlier == window else 1
            self._used[name] = (window, min(used, limit.limit + 1))
        return self._headers(name, now, limit.limit - used) if used <= limit.limit else None

    def refused(self, name: str, now: float, wait_s: float | None = None) -> Response:
        """The answer to one request too many."""
        limit = self.spec.limit(name)
        headers = self._headers(name, now, 0)
        if wait_s is not None:
            headers["X-RateLimit-Reset"] = f"{wait_s:g}"
        said = f"Rate limit of {limit.limit} requests in {limit.period_s} seconds reached. Please try again later."
        return JSONResponse({"errors": [said]}, 429, headers)

    def _headers(self, name: str, now: float, remaining: int) -> dict[str, str]:
        limit = self.spec.limit(name)
        return {
            "X-RateLimit-Limit": str(limit.limit),
            "X-RateLimit-Period": str(limit.period_s),
            "X-RateLimit-Remaining": str(max(0, remaining)),
            "X-RateLimit-Reset": str(max(1, int(limit.period_s - now % limit.period_s))),
            "X-RateLimit-Name": name,
        }
