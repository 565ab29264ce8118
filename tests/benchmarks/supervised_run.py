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
_LOOK_EVERY_S: Final = 0.25


@dataclass
class Rates:
    """Samples per second, and per second of a processor that Java and its supervisor took, run by run."""

    per_s: list[float] = field(default_factory=list)
    per_cpu_s: list[float] = field(default_factory=list)

    def line(self, name: str) -> str:
        noise = 100 * statistics.stdev(self.per_s) / statistics.mean(self.per_s)
        spread = f"{min(self.per_s):,.0f} to {max(self.per_s):,.0f}, standard deviation {noise:.1f} %"
        return (
            f"{name:12} {statistics.median(self.per_s):10,.0f} samples/s  ({spread}); "
            f"{statistics.median(self.per_cpu_s):,.0f} per second of a processor"
        )


@dataclass
class Costs:
    """What was measured, pair by pair."""

    supervised: Rates = field(default_factory=Rates)
    plain: Rates = field(default_factory=Rates)
    rss_mb: list[float] = field(default_factory=list)
    pss_mb: list[float] = field(default_factory=list)
    cpu_share: list[float] = field(default_factory=list)
    """Of one processor, that the supervisor itself took over a run."""

    @property
    def is_kept(self) -> bool:
        ratios = _ratios(self.supervised.per_s, self.plain.per_s)
        return statistics.median(ratios) >= LEAST_RATIO and max(self.rss_mb) <= MOST_MB

    def lines(self) -> Iterator[str]:
        yield self.plain.line("plain Java")
        yield self.supervised.line("supervised")
        yield _comparison("samples/s", _ratios(self.supervised.per_s, self.plain.per_s)) + f", at least {LEAST_RATIO}"
        # Other work on the machine disturbs this one less.
        yield _comparison("samples per second of a processor", _ratios(self.supervised.per_cpu_s, self.plain.per_cpu_s))
        yield f"supervisor   RSS {max(self.rss_mb):.1f} MB, PSS {max(self.pss_mb):.1f} MB, at most {MOST_MB:.0f} MB"
        yield f"supervisor   {100 * statistics.median(self.cpu_share):.2f} % of one processor"


def _ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    return [one / other for one, other in zip(ours, theirs, strict=True)]


def _comparison(what: str, ratios: Sequence[float]) -> str:
    low, high = interval(ratios)
    median = f"median of {len(ratios)} pairs {statistics.median(ratios):.3f}, 95 % interval {low:.3f} to {high:.3f}"
    return f"supervised / plain, {what}: {' '.join(f'{one:.3f}' for one in ratios)}; {median}"


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
                _plain(run, folder / f"plain-{number}", costs)
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
    state = run.load(STATE)
    assert state.java is not None
    supervisor = psutil.Process(state.supervisor.pid)
    share = 0.0
    for cpu_s in _looks(psutil.Process(state.java.pid)):
        with suppress(psutil.NoSuchProcess):
            memory = supervisor.memory_full_info()
            costs.rss_mb.append(memory.rss / 1e6)
            costs.pss_mb.append(memory.pss / 1e6)
            own_s = sum(supervisor.cpu_times()[:2])
            share = own_s / (time.time() - supervisor.create_time())
            spent_s = cpu_s + own_s
    costs.cpu_share.append(share)
    psutil.wait_procs([supervisor])
    condition = observe(run).condition
    if condition.state != "finished":
        sys.exit(f"{run_id} is {condition.state}: {condition.reason}")
    _note(costs.supervised, run.path(layout.JMETER_RESULTS), spent_s)
    return run


def _plain(run: RunFolder, folder: Path, costs: Costs) -> None:
    """The same command without a supervisor."""
    spec = run.load(SPEC)
    # Everything that a start puts beside the results, and none of the results themselves.
    left_out = (run.path(one).name for one in (layout.JMETER_RESULTS, layout.JMETER_LOG, layout.JMETER_CONSOLE))
    shutil.copytree(run.root, folder, ignore=shutil.ignore_patterns(*left_out))
    command = [part.replace(str(run.root), str(folder)) for part in spec.command]
    with (folder / "console.log").open("wb") as console:
        # Linux shares its processors out by session, and the supervised Java has one that is not the target's, too.
        java = subprocess.Popen(
            command, cwd=spec.cwd.replace(str(run.root), str(folder)), env=Engine.environment(os.environ),
            stdin=subprocess.DEVNULL, stdout=console, stderr=console, start_new_session=True,
        )  # fmt: skip
    for cpu_s in _looks(psutil.Process(java.pid)):
        spent_s = cpu_s
    if java.wait() != 0:
        sys.exit(f"Plain Java ended with {java.returncode}; see {folder / 'console.log'}")
    _note(costs.plain, folder / run.path(layout.JMETER_RESULTS).relative_to(run.root), spent_s)


def _looks(java: psutil.Process) -> Iterator[float]:
    """The seconds of a processor that it has taken, from time to time until it has ended."""
    with suppress(psutil.NoSuchProcess):
        while java.status() != psutil.STATUS_ZOMBIE:
            yield sum(java.cpu_times()[:2])
            time.sleep(_LOOK_EVERY_S)


def _note(rates: Rates, results: Path, cpu_s: float) -> None:
    total = summarise([results]).total
    if total.errors or total.throughput_per_s is None:
        sys.exit(f"{total.errors} of {total.samples} samples failed, so the throughput says nothing.")
    rates.per_s.append(total.throughput_per_s)
    rates.per_cpu_s.append(total.samples / cpu_s)
