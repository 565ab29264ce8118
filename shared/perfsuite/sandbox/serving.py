"""How a sandbox process listens, says that it is ready, and ends.

It listens on this machine alone. When it is ready, it prints one line of JSON. It ends on SIGTERM and SIGINT, and when
its standard input is a pipe that ends: whoever started it has gone then, even where that one was killed.
"""

import asyncio
import ipaddress
import json
import os
import signal
import socket
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from perfsuite.errors import BadInput, Refused

_TO_STOP_S: Final = 1
_LOOK_AGAIN_S: Final = 0.05
_LAST_LOOKS_S: Final = 0.002
_TICK_S: Final = 0.1
_BACKLOG: Final = 512
TRANSPORT: Final = "transport"
"""Where the state of a request holds its connection."""
NAMES: Final = ("127.0.0.1", "localhost", "[::1]", "::1")
"""What this machine calls itself. A page on the web could give it a name of its own; then browsers here would carry the
requests of that page."""


class Listener:
    """An address of this machine that is taken at once, and kept for as long as the process lives."""

    def __init__(self, host: str, port: int) -> None:
        if not _is_loopback(host):
            raise Refused(
                f"A sandbox does not listen on {host!r}, where other machines may reach it.",
                next_step="Listen on 127.0.0.1.",
            )
        self._family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._open = self._listening((host, port))
        self._address: tuple[str, int] = (host, self._open.getsockname()[1])

    @property
    def url(self) -> str:
        host, port = self._address
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def opened(self) -> socket.socket:
        """The open socket; one that was closed is opened again at the same address."""
        if self._open.fileno() < 0:
            self._open = self._listening(self._address)
        return self._open

    def close(self) -> None:
        """Have connections refused."""
        self._open.close()

    def _listening(self, address: tuple[str, int]) -> socket.socket:
        try:
            listening = socket.create_server(address, family=self._family, backlog=_BACKLOG)
        except (OSError, OverflowError) as error:
            raise BadInput(
                f"Cannot listen on {address[0]!r}, port {address[1]}: {error}.",
                next_step="Choose another port; 0 takes any that is free.",
            ) from None
        # Connections take this over. asyncio sets it only where the socket names its protocol, which this one does not,
        # and without it every answer in two parts waits 40 ms for an acknowledgement.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listening


class Ending:
    """Whether this process was asked to end."""

    def __init__(self) -> None:
        self._asked = asyncio.Event()

    @property
    def is_asked(self) -> bool:
        return self._asked.is_set()

    async def wait(self) -> None:
        await self._asked.wait()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Take signals and the end of standard input as the wish to end, for as long as the block lasts."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._asked.set)
        is_pipe = _is_pipe(sys.stdin.fileno()) if sys.stdin else False
        if is_pipe:
            loop.add_reader(sys.stdin.fileno(), self._read_on)
        try:
            yield
        finally:
            if is_pipe:
                loop.remove_reader(sys.stdin.fileno())
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    def _read_on(self) -> None:
        if not os.read(sys.stdin.fileno(), 4096):
            self._asked.set()


class _Connection(H11Protocol):
    """A connection that applications find in the scope of a request, so that they can break it off."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, TRANSPORT: transport}


class _Server(uvicorn.Server):
    """A server that leaves signals to the process and Dates to the application, and that may be shut for a while."""

    def __init__(self, app: ASGIApp, is_over: Callable[[], bool]) -> None:
        super().__init__(
            uvicorn.Config(
                app, log_config=None, log_level="critical", access_log=False, lifespan="off", backlog=_BACKLOG,
                http=_Connection, date_header=False,
            )
        )  # fmt: skip
        self._is_over = is_over
        self._woken = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def wake(self) -> None:
        """From another thread: look at once whether it is over."""
        # Without a loop it has not looked yet, and will.
        if self._loop is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._woken.set)

    async def main_loop(self) -> None:
        self._loop, ticks = asyncio.get_running_loop(), 0
        while not await self.on_tick(ticks):
            ticks += 1
            with suppress(TimeoutError):
                async with asyncio.timeout(_TICK_S):
                    await self._woken.wait()

    async def on_tick(self, counter: int) -> bool:
        return self._is_over() or await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn does it, but without its waits of a tenth of a second, of which every test would have several."""
        for server in self.servers:
            server.close()
        for listening in sockets or ():
            listening.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        with suppress(TimeoutError):
            async with asyncio.timeout(_TO_STOP_S):
                while self.server_state.connections or self.server_state.tasks:  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(_LAST_LOOKS_S)
        for task in self.server_state.tasks:
            task.cancel()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextmanager
def serving(app: ASGIApp, *, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve an application from a thread of this process, and give its address, for as long as the block lasts."""
    listener, over = Listener(host, port), threading.Event()
    server = _Server(app, over.is_set)
    thread = threading.Thread(target=asyncio.run, args=(server.serve([listener.opened()]),), name="sandbox")
    thread.start()
    try:
        yield listener.url
    finally:
        over.set()
        server.wake()
        thread.join()


async def until_asked_to_end(ready: str) -> None:
    """Say that it is ready, and wait for a signal or for the end of standard input."""
    ending = Ending()
    with ending.watched():
        sys.stdout.write(f"{ready}\n")
        sys.stdout.flush()
        await ending.wait()


async def serve(
    ready: dict[str, Any], app: tuple[Listener, ASGIApp], control: tuple[Listener, ASGIApp], is_down: Callable[[], bool]
) -> None:
    """Serve both applications until the process is asked to end; the first one is shut for as long as it is down."""
    ending = Ending()
    with ending.watched():
        sys.stdout.write(f"{json.dumps({**ready, 'pid': os.getpid()})}\n")
        sys.stdout.flush()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_serve_one(*control, ending, lambda: False))
            tasks.create_task(_serve_one(*app, ending, is_down))


async def _serve_one(listener: Listener, app: ASGIApp, ending: Ending, is_down: Callable[[], bool]) -> None:
    while not ending.is_asked:
        if is_down():
            listener.close()
            await asyncio.sleep(_LOOK_AGAIN_S)
        else:
            await _Server(app, lambda: ending.is_asked or is_down()).serve([listener.opened()])


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_pipe(descriptor: int) -> bool:
    """Whether somebody holds the other end. A terminal, a file and the null device say nothing about who started us."""
    mode = os.fstat(descriptor).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)
