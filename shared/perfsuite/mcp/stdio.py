"""The protocol over the client's two pipes.

Reading and writing happen in daemon threads, because a thread that is blocked on a pipe cannot be told to stop: SIGTERM
must end a server whose client neither closes its end nor reads from it.
"""

import asyncio
import os
import select
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from itertools import chain
from typing import Any, cast

import anyio
from anyio.abc import ObjectReceiveStream, ObjectSendStream
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage
from mcp_types import METHOD_NOT_FOUND, PROTOCOL_VERSION_META_KEY, ErrorData, JSONRPCError, JSONRPCRequest

from perfsuite.mcp.launch import Wire
from perfsuite.mcp.server import SuiteServer
from perfsuite.mcp.threads import in_thread

_CHUNK = 1 << 16
_MOST_WAITING = 64


async def serve_stdio(server: SuiteServer, wire: Wire, *, only_legacy: bool) -> None:
    """Serve the client until it closes its end, or until this process is told to stop."""
    with anyio.CancelScope() as scope:
        _end_on_signals(scope)
        # With files of ours, the transport neither moves descriptors nor puts them back at the end.
        incoming, outgoing = _Incoming(wire.incoming), _Outgoing(wire.outgoing, scope)
        async with stdio_server(stdin=cast("Any", incoming), stdout=cast("Any", outgoing)) as (read, write):
            if only_legacy:
                await _serve_legacy(server, read, write)
            else:
                await server.serve_streams(read, write)


def _end_on_signals(scope: anyio.CancelScope) -> None:
    if sys.platform == "win32":  # The event loop takes no handlers there, and a stopped process gets no signal.
        return
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, scope.cancel)


class _Incoming:
    """The lines that the client sends, as the transport iterates over them."""

    def __init__(self, descriptor: int) -> None:
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._room = threading.Semaphore(_MOST_WAITING)
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._read, args=(descriptor, loop), name="stdin", daemon=True).start()

    def __aiter__(self) -> "_Incoming":
        return self

    async def __anext__(self) -> str:
        line = await self._lines.get()
        self._room.release()
        if line is None:
            raise StopAsyncIteration
        return line

    def _read(self, descriptor: int, loop: asyncio.AbstractEventLoop) -> None:
        # A loop that is closed takes no more lines, and nobody misses them.
        with suppress(RuntimeError):
            for line in chain(_lines_of(descriptor), (None,)):
                self._room.acquire()
                loop.call_soon_threadsafe(self._lines.put_nowait, line)


class _Outgoing:
    """The file that the transport writes to. When nobody reads it any more, there is nobody to serve."""

    def __init__(self, descriptor: int, scope: anyio.CancelScope) -> None:
        self._descriptor = descriptor
        self._scope = scope

    async def write(self, text: str) -> None:
        content = text.encode()
        try:
            if _takes_at_once(self._descriptor, content):
                _write(self._descriptor, content)
            else:
                await in_thread(partial(_write, self._descriptor, content), name="stdout")
        except OSError:
            self._scope.cancel()

    async def flush(self) -> None:
        """Nothing is held back."""


def _lines_of(descriptor: int) -> Iterator[str]:
    """Whole lines. Not by a buffered file: the interpreter cannot end while a daemon thread holds the lock of one."""
    parts: list[bytes] = []
    while chunk := _read(descriptor):
        first, *others = chunk.split(b"\n")
        parts.append(first)
        for other in others:
            yield b"".join(parts).decode("utf-8", "replace")
            parts = [other]
    if last := b"".join(parts):
        yield last.decode("utf-8", "replace")


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, _CHUNK)
    except OSError:
        # A terminal that is gone, or something that never was a pipe: nothing more will come.
        return b""


def _takes_at_once(descriptor: int, content: bytes) -> bool:
    """Whether this can be written without waiting: a pipe that is ready takes so much in one piece."""
    if sys.platform == "win32" or len(content) > select.PIPE_BUF:
        return False
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return bool(poll.poll(0))


def _write(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


async def _serve_legacy(
    server: SuiteServer, read: ObjectReceiveStream[Any], write: ObjectSendStream[SessionMessage]
) -> None:
    """Let only the handshake through: a client that asks for the modern protocol first would be held to it."""
    passed, filtered = anyio.create_memory_object_stream[SessionMessage | Exception]()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_pass_legacy, read, passed, write)
        await server.serve_streams(filtered, write)
        tasks.cancel_scope.cancel()


async def _pass_legacy(
    read: ObjectReceiveStream[Any], passed: ObjectSendStream[Any], write: ObjectSendStream[SessionMessage]
) -> None:
    async with passed:
        async for item in read:
            message = item.message if isinstance(item, SessionMessage) else None
            if isinstance(message, JSONRPCRequest) and _is_modern(message):
                error = ErrorData(code=METHOD_NOT_FOUND, message="Method not found", data=message.method)
                await write.send(SessionMessage(JSONRPCError(jsonrpc="2.0", id=message.id, error=error)))
            else:
                await passed.send(item)


def _is_modern(request: JSONRPCRequest) -> bool:
    meta = (request.params or {}).get("_meta")
    stamped = isinstance(meta, dict) and PROTOCOL_VERSION_META_KEY in meta
    return request.method != "initialize" and (stamped or request.method == "server/discover")
