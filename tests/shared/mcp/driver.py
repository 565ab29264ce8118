"""A raw client over pipes, which sees every byte that the server writes to standard output."""

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

TESTS = Path(__file__).parents[2]
PATIENCE_S = 60
INITIALIZE = {
    "protocolVersion": "2025-06-18",
    "capabilities": {},
    "clientInfo": {"name": "driver", "version": "1"},
}
ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "driver", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}


def command(module: str = "shared.mcp.demo_server") -> list[str]:
    return [sys.executable, "-c", f"from perfsuite.mcp.launch import serve; serve({module!r})"]


def environment(**extra: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(TESTS), **extra}


class Driver:
    """One server process."""

    def __init__(self, *options: str, module: str = "shared.mcp.demo_server", env: Mapping[str, str] = {}) -> None:
        self.process = subprocess.Popen(
            [*command(module), *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(**env),
        )
        self.lines: list[bytes] = []
        self.errors: list[bytes] = []
        self._fresh: queue.Queue[bytes] = queue.Queue()
        self._said: queue.Queue[bytes] = queue.Queue()
        self._threads = [self._collect(self.process.stdout, self.lines, self._fresh)]
        self._threads.append(self._collect(self.process.stderr, self.errors, self._said))
        self._next_id = 0

    def __enter__(self) -> "Driver":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=PATIENCE_S)
        finally:
            self.process.kill()
            self.end()

    def send(self, method: str, params: Mapping[str, Any] | None = None, **extra: object) -> None:
        assert self.process.stdin
        message = {"jsonrpc": "2.0", "method": method, "params": params or {}, **extra}
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def request(self, method: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Send a request and return its answer, whatever else arrives before."""
        self._next_id += 1
        self.send(method, params, id=self._next_id)
        while True:
            answer = json.loads(self._fresh.get(timeout=PATIENCE_S))
            if answer.get("id") == self._next_id:
                return dict(answer)

    def initialize(self) -> dict[str, Any]:
        answer = self.request("initialize", INITIALIZE)
        self.send("notifications/initialized")
        return answer

    def call(self, tool: str, **arguments: object) -> dict[str, Any]:
        answer = self.request("tools/call", {"name": tool, "arguments": arguments})
        return dict(answer["result"])

    def until_said(self, text: str) -> str:
        """Wait for a line on standard error."""
        while text not in (line := self._said.get(timeout=PATIENCE_S).decode()):
            pass
        return line

    def hang_up(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()

    def end(self) -> int:
        """Wait for the end of the process, and of its output."""
        code = self.process.wait(timeout=PATIENCE_S)
        for thread in self._threads:
            thread.join(timeout=PATIENCE_S)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream:
                stream.close()
        return code

    @property
    def stderr(self) -> str:
        return b"".join(self.errors).decode()

    @staticmethod
    def _collect(stream: IO[bytes] | None, into: list[bytes], fresh: "queue.Queue[bytes]") -> threading.Thread:
        assert stream

        def collect() -> None:
            for line in stream:
                into.append(line)
                fresh.put(line)

        thread = threading.Thread(target=collect, daemon=True)
        thread.start()
        return thread
