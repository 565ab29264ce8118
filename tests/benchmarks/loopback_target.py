"""A service that costs next to nothing: it answers whatever is asked with the same few bytes, until its input ends.

python tests/benchmarks/loopback_target.py     prints its port, and listens on this machine alone
"""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_ANSWER: Final = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"
_END_OF_REQUEST: Final = b"\r\n\r\n"
_LARGEST_REQUEST: Final = 64 * 1024


class Answering(asyncio.Protocol):
    """Answers each request without a body; JMeter sends the next one only after that."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.received = transport, b""

    def data_received(self, data: bytes) -> None:
        *whole, self.received = (self.received + data).split(_END_OF_REQUEST)
        if len(self.received) > _LARGEST_REQUEST:
            self.transport.abort()
        elif whole:
            self.transport.write(_ANSWER * len(whole))


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Answering, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)


@contextmanager
def loopback_target() -> Iterator[int]:
    """The port of a target in a process of its own, for as long as the block lasts."""
    process = subprocess.Popen([sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()


if __name__ == "__main__":
    asyncio.run(_serve())
