"""A desk for the tests of `perfsuite run-jmeter`: the command, a terminal, and a server that follows a script."""

import json
import os
import pty
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from perfsuite.cli import main

TESTS = Path(__file__).parents[2]
COMMAND = [sys.executable, "-c", "from perfsuite.cli import main; main()"]
SERVER = shlex.join([sys.executable, "-c", "from perfsuite.mcp.launch import serve; serve('shared.cli.fake_jmeter')"])
PATIENCE_S = 60


class Ended(NamedTuple):
    """What came of a command."""

    returncode: int
    stdout: str
    stderr: str


class Desk:
    """A folder with a plan, and the command line beside it."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture
        self.folder = folder
        self.plan = folder / "checkout.jmx"
        self.plan.write_text("<jmeterTestPlan/>", encoding="utf-8")
        self.environ = {**os.environ, "PYTHONPATH": str(TESTS), "FAKE_RUN": str(folder)}

    def set(self, **environ: str) -> None:
        self.environ |= environ

    def run(self, *arguments: str, server: str = SERVER) -> Ended:
        """Run the command in this process, where nobody can be asked."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.environ.items():
                patch.setenv(name, value)
            patch.chdir(self.folder)
            patch.setattr(sys, "argv", ["perfsuite", "run-jmeter", *arguments, "--server", server])
            self._capture.readouterr()
            with pytest.raises(SystemExit) as ended:
                main()
        return Ended(int(ended.value.code or 0), *self._capture.readouterr())

    @property
    def calls(self) -> list[dict[str, Any]]:
        """The calls that the server got."""
        file = self.folder / "calls.jsonl"
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []

    @property
    def tools(self) -> list[str]:
        """The tools that were called, each once for calls in a row."""
        names = [call["tool"] for call in self.calls]
        return [name for number, name in enumerate(names) if number == 0 or names[number - 1] != name]

    @contextmanager
    def in_terminal(self, *arguments: str) -> Iterator["Terminal"]:
        """Run the command in a terminal."""
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [*COMMAND, "run-jmeter", *arguments, "--server", SERVER],
            env={**self.environ, "TERM": "xterm", "COLUMNS": "150", "LINES": "60"},
            cwd=self.folder, stdin=theirs, stdout=theirs, stderr=theirs,
        )  # fmt: skip
        os.close(theirs)
        try:
            yield Terminal(process, ours)
        finally:
            process.kill()
            process.wait(PATIENCE_S)
            os.close(ours)


class Terminal:
    """The person in front of a terminal, who reads and types."""

    def __init__(self, process: subprocess.Popen[bytes], screen: int) -> None:
        self._process = process
        self._screen = screen
        self.seen = ""

    def until(self, text: str) -> str:
        """Read until this text appears."""
        before = len(self.seen)
        while text not in self.seen[before:]:
            part = self._read()
            assert part, f"the command ended before {text!r} appeared: {self.seen}"
            self.seen += part
        return self.seen[before:]

    def type(self, text: str) -> None:
        os.write(self._screen, text.encode())

    def interrupt(self, number: int) -> None:
        self._process.send_signal(number)

    def end(self) -> int:
        """Read until the command ends, and give its exit code."""
        while part := self._read():
            self.seen += part
        return self._process.wait(PATIENCE_S)

    def _read(self) -> str:
        try:
            return os.read(self._screen, 65536).decode(errors="replace")
        except OSError:  # Linux says so when nobody holds the other end of a terminal any more.
            return ""
