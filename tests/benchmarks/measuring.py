"""Runs commands one after the other in turns, and tells medians, ranges and peak memory."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass
class Measured:
    """What several runs of one thing took."""

    name: str
    seconds: list[float] = field(default_factory=list)
    peak_mb: list[float] = field(default_factory=list)

    @property
    def median_s(self) -> float:
        return statistics.median(self.seconds)

    def line(self, reference: "Measured | None" = None) -> str:
        spread = f"{min(self.seconds):.3f} to {max(self.seconds):.3f}"
        ratio = f" {self.median_s / reference.median_s:7.3f} x" if reference else " " * 10
        memory = f" {max(self.peak_mb):7.0f} MB" if self.peak_mb else ""
        return f"{self.name:44} {self.median_s:9.3f} s  ({spread}){ratio}{memory}"


class Promise(Protocol):
    """Figures that were promised, and whether they are kept."""

    @property
    def is_kept(self) -> bool: ...

    def lines(self) -> Iterator[str]: ...


def run_command(command: Sequence[str], environ: Mapping[str, str] | None = None) -> tuple[float, float]:
    """Seconds and peak memory in MB of one process."""
    began = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={**os.environ, **(environ or {})}
    )
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    took = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed: {said.decode()[-2000:]}")
    return took, usage.ru_maxrss / 1000


def interleaved(commands: Mapping[str, Callable[[], tuple[float, float]]], rounds: int) -> dict[str, Measured]:
    """Every command once a round, so that what disturbs the machine disturbs all alike."""
    found = {name: Measured(name) for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            seconds, peak = command()
            found[name].seconds.append(seconds)
            if peak:
                found[name].peak_mb.append(peak)
    return found


def server_command(artifacts: Path) -> list[str]:
    """What starts the jmeter server with this folder of runs."""
    return ["env", f"PERFSUITE_ARTIFACTS_DIR={artifacts}", str(Path(sys.executable).with_name("jmeter-mcp"))]
