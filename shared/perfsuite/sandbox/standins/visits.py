"""One request, as a handler sees it."""

import json
from dataclasses import dataclass
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request

from perfsuite.sandbox.standins.faults import Fault

LONGEST_BODY: Final = 1024 * 1024
"""Unless a stand-in takes longer ones."""


@dataclass(frozen=True)
class Visit:
    """A request, its body and the faults it meets."""

    request: Request
    body: bytes
    faults: tuple[Fault, ...]

    def fault(self, kind: str) -> Fault | None:
        return next((fault for fault in self.faults if fault.kind == kind), None)

    def part(self, name: str) -> str:
        """A part of the path."""
        return str(self.request.path_params[name])

    def value(self, name: str) -> str | None:
        """A parameter of the query."""
        return self.request.query_params.get(name)

    def values(self, name: str) -> list[str]:
        return self.request.query_params.getlist(name)

    def number(self, name: str, default: int | None = None) -> int | None:
        """A whole number in the query."""
        text = self.value(name)
        if not text:
            return default
        try:
            return int(text)
        except ValueError:
            raise HTTPException(400, f"{name} is a number") from None

    def json(self) -> dict[str, Any]:
        """The JSON object in the body; none is an empty one."""
        found = parsed(self.body) if self.body else {}
        if not isinstance(found, dict):
            raise HTTPException(400, "the body is not a JSON object")
        return found


def parsed(body: bytes) -> Any:
    """What the body says; None where it is no JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


async def read_body(request: Request, longest: int = LONGEST_BODY) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > longest:
            raise HTTPException(413, f"the body has more than {longest} bytes")
    return bytes(body)
