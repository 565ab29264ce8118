"""What supervision costs: runs of one unpaced plan, in turns as `start_jmeter_test` starts them and by plain Java.

Plain Java gets the very command that the supervisor got, with another folder for what it writes. Each pair of runs
gives a ratio of throughputs; the interval around their median is a bootstrap's.
"""

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import psutil
from loopback_target import loopback_target

from jmeter.jmx import group, http, plan
from perfsuite.artifacts import RunFolder, RunStore, layout
from perfsuite.samples.summary import summarise
from perfsuite.settings import SuiteSettings
from perfsuite_jmeter.models.engine import Engine
from perfsuite_jmeter.models.runs import SPEC, STATE, StartRequest
from perfsuite_jmeter.service import desk
from perfsuite_jmeter.service.runs import observe

LEAST_RATIO: Final = 0.97
MOST_MB: Final = 40.0
USERS: Final = 4
_RESAMPLES: Final = 10_000
_LOOK_EVERY_S: Final = 1.0


@dataclass
class Costs:
    """What was measured, pair by pair."""

    supervised: list[float] = field(default_factory=list)
    plain: list[float] = field(default_factory=list)
    rss_mb: list[float] = field(default_factory=list)
    pss_mb: list[float] = field(default_factory=list)
    cpu_share: list[float] = field(default_factory=list)
    """Of one core, that the supervisor itself took over a run: what is left when other work disturbs the ratios."""

    @property
    def ratios(self) -> list[float]:
        return [ours / theirs for ours, theirs in zip(self.supervised, self.plain, strict=True)]

    @property
    def is_kept(self) -> bool:
        return statistics.median(self.ratios) >= LEAST_RATIO and max(self.rss_mb) <= MOST_MB

    def lines(self) -> Iterator[str]:
        low, high = interval(self.ratios)
        for name, rates in (("plain Java", self.plain), ("supervised", self.supervised)):
            noise = 100 * statistics.stdev(rates) / statistics.mean(rates)
            spread = f"{min(rates):,.0f} to {max(rates):,.0f}"
            yield f"{name:12} {statistics.median(rates):10,.0f} samples/s  ({spread}; standard deviation {noise:.1f} %)"
        yield f"ratios       {' '.join(f'{one:.3f}' for one in self.ratios)}"
        yield (
            f"supervised / plain, median of {len(self.ratios)} pairs: {statistics.median(self.ratios):.3f}  "
            f"(95 % interval {low:.3f} to {high:.3f}), at least {LEAST_RATIO}"
        )
        yield f"supervisor   RSS {max(self.rss_mb):.1f} MB, PSS {max(self.pss_mb):.1f} MB, at most {MOST_MB:.0f} MB"
        yield f"supervisor   {100 * statistics.median(self.cpu_share):.2f} % of one core"


def interval(ratios: Sequence[float]) -> tuple[float, float]:
    """Between which values the median lies in 95 of 100 samples of these ratios."""
    draws = np.random.default_rng(1).choice(ratios, (_RESAMPLES, len(ratios)))
    low, high = np.percentile(np.median(draws, axis=1), (2.5, 97.5))
    return float(low), float(high)


def supervision_costs(folder: Path, *, pairs: int, duration_s: int) -> Costs:
    """Run each way so often, in a folder that holds nothing else."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    runs, costs = RunStore(folder / "artifacts"), Costs()
    with loopback_target() as port:
        file = _plan(folder / "unpaced.jmx", port, duration_s)
        for number in range(2 * pairs):
            # Supervised, plain, plain, supervised: neither is always the first of its pair.
            if number % 4 in (0, 3):
                run = _supervised(runs, file, f"run-{number}", costs)
            else:
                costs.plain.append(_plain(run, folder / f"plain-{number}"))
    shutil.rmtree(folder)
    return costs


def _plan(file: Path, port: int, duration_s: int) -> Path:
    """Users who ask again as soon as they are answered."""
    request = http("Request", domain="127.0.0.1", port=str(port), protocol="http", path="/", use_keepalive="true")
    file.write_bytes(plan(group(request, users=str(USERS), loops="-1", duration=str(duration_s))))
    return file


def _supervised(runs: RunStore, file: Path, run_id: str, costs: Costs) -> RunFolder:
    desk.start(runs, SuiteSettings.load(), StartRequest(plan=file, run_id=run_id))
    run = runs.open(run_id)
    _watch(psutil.Process(run.load(STATE).supervisor.pid), costs)
    condition = observe(run).condition
    if condition.state != "finished":
        sys.exit(f"{run_id} is {condition.state}: {condition.reason}")
    costs.supervised.append(_throughput(run.path(layout.JMETER_RESULTS)))
    return run


def _watch(supervisor: psutil.Process, costs: Costs) -> None:
    """Look at the supervisor from time to time until it has ended."""
    share = 0.0
    with suppress(psutil.NoSuchProcess):
        while memory := supervisor.memory_full_info():
            costs.rss_mb.append(memory.rss / 1e6)
            costs.pss_mb.append(memory.pss / 1e6)
            share = sum(supervisor.cpu_times()[:2]) / (time.time() - supervisor.create_time())
            time.sleep(_LOOK_EVERY_S)
    costs.cpu_share.append(share)


def _plain(run: RunFolder, folder: Path) -> float:
    """Samples a second of the same command without a supervisor."""
    spec = run.load(SPEC)
    # Everything that a start puts beside the results, and none of the results themselves.
    left_out = (run.path(one).name for one in (layout.JMETER_RESULTS, layout.JMETER_LOG, layout.JMETER_CONSOLE))
    shutil.copytree(run.root, folder, ignore=shutil.ignore_patterns(*left_out))
    command = [part.replace(str(run.root), str(folder)) for part in spec.command]
    with (folder / "console.log").open("wb") as console:
        subprocess.run(
            command, cwd=spec.cwd.replace(str(run.root), str(folder)), env=Engine.environment(os.environ),
            stdin=subprocess.DEVNULL, stdout=console, stderr=console, check=True,
        )  # fmt: skip
    return _throughput(folder / run.path(layout.JMETER_RESULTS).relative_to(run.root))


def _throughput(results: Path) -> float:
    total = summarise([results]).total
    if total.errors or total.throughput_per_s is None:
        sys.exit(f"{total.errors} of {total.samples} samples failed, so the throughput says nothing.")
    return total.throughput_per_s
