"""Answers that are cut short."""

from starlette.types import Message, Receive, Scope, Send

from perfsuite.sandbox.serving import TRANSPORT
from perfsuite.sandbox.standins.faults import Fault


async def cut(scope: Scope, receive: Receive) -> None:
    """Close the connection under the request, after what was written so far."""
    scope["state"][TRANSPORT].close()
    while (await receive())["type"] != "http.disconnect":
        pass


class Shortened:
    """Lets a share of the body through, and keeps or breaks the promise of its length."""

    def __init__(self, send: Send, fault: Fault) -> None:
        self._send = send
        self._fault = fault
        self._left = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await self._send(self._started(message))
            return
        part = message.get("body", b"")[: self._left]
        self._left -= len(part)
        more = bool(message.get("more_body")) or self._fault.kind == "reset"
        await self._send({**message, "body": part, "more_body": more})

    def _started(self, message: Message) -> Message:
        length = int(dict(message["headers"]).get(b"content-length", 0))
        self._left = int(length * self._fault.share)
        if self._fault.kind == "reset":
            return message
        kept = [(name, value) for name, value in message["headers"] if name != b"content-length"]
        return {**message, "headers": [*kept, (b"content-length", str(self._left).encode())]}
