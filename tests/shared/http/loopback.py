"""Real servers on 127.0.0.1 that follow a script, and a time that passes only when somebody sleeps."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from perfsuite.http import Timing


@dataclass
class FakeTime:
    """A clock that sleeping moves; `slept` is the proof."""

    now: float = 1000.0
    chance: float = 1.0
    slept: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    @property
    def timing(self) -> Timing:
        return Timing(
            clock=lambda: self.now, wall_clock=lambda: 1_800_000_000.0, sleep=self.sleep, random=lambda: self.chance
        )


@dataclass(frozen=True)
class Received:
    """A request as it came over the wire."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Peer:
    """The server's end of one connection."""

    writer: asyncio.StreamWriter
    reader: asyncio.StreamReader

    async def send(self, content: bytes) -> None:
        self.writer.write(content)
        await self.writer.drain()

    async def reset(self) -> None:
        """Drop the connection so that the other side gets a reset, not an end."""
        raw = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def until_closed(self) -> None:
        """Wait for the other side to give up."""
        await self.reader.read()


Step = Callable[[Received, Peer], Awaitable[None]]


@dataclass
class Server:
    url: str
    received: list[Received] = field(default_factory=list)
    given_up: asyncio.Event = field(default_factory=asyncio.Event)


def answer(status: int = 200, body: bytes = b"{}", **headers: str) -> Step:
    """Answer with a whole response; header names are written with underscores."""

    async def step(_: Received, peer: Peer) -> None:
        await peer.send(head(status, len(body), **headers) + body)

    return step


def head(status: int, length: int | None, **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Status", "Connection: close"]
    sent = {"Content-Type": "application/json"} | {k.replace("_", "-"): v for k, v in headers.items()}
    if length is not None:
        sent["Content-Length"] = str(length)
    lines += [f"{name}: {value}" for name, value in sent.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def breaking_off(content: bytes, after: int, **headers: str) -> Step:
    """Promise all of the content, send the beginning, and reset the connection once it has been read."""

    async def step(_: Received, peer: Peer) -> None:
        await peer.send(head(200, len(content), **headers) + content[:after])
        peer.writer.write_eof()
        await peer.until_closed()

    return step


async def silence(_: Received, peer: Peer) -> None:
    await peer.until_closed()


async def reset(_: Received, peer: Peer) -> None:
    await peer.reset()


@asynccontextmanager
async def serving(*script: Step, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """Answer the n-th request with the n-th step, each on a connection of its own."""
    steps = iter(script)
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            request = await _read(reader)
            server.received.append(request)
            await next(steps)(request, Peer(writer, reader))
        except (ConnectionError, asyncio.IncompleteReadError):
            server.given_up.set()
        finally:
            server.given_up.set()
            writer.close()
            tasks.discard(task)

    listener = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    port = listener.sockets[0].getsockname()[1]
    server = Server(f"{'https' if tls else 'http'}://127.0.0.1:{port}")
    try:
        yield server
    finally:
        listener.close()
        await asyncio.gather(*tasks, return_exceptions=True)
        await listener.wait_closed()


async def _read(reader: asyncio.StreamReader) -> Received:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    method, target, _ = lines[0].split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:] if line)}
    return Received(method, target, headers, await reader.readexactly(int(headers.get("content-length", 0))))
