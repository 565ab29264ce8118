"""A run whose files a test writes itself, as JMeter and the supervisor would, while it lives and when it has ended."""

import asyncio
import csv
import fcntl
import io
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from perfsuite.artifacts import RunFolder, RunStore, layout
from perfsuite.artifacts.schemas import RunFacts
from perfsuite.samples.statistics import Statistics
from perfsuite.samples.summary import Summary
from perfsuite_jmeter.client.supervisor import HEALTH_HEADER, boot_id, start_time
from perfsuite_jmeter.core.fields import Key
from perfsuite_jmeter.core.live import LabelTotals
from perfsuite_jmeter.models.live import CHECKPOINT, LiveStatus
from perfsuite_jmeter.models.runs import LOCK_FILE, SPEC, STATE, ProcessHandle, RunSpec, Stop, SupervisorState
from perfsuite_jmeter.service.following import Followed, follow
from perfsuite_jmeter.service.status import run_status

START_MS = 1_795_233_550_000
STARTED_AT = datetime.fromtimestamp(START_MS / 1000, UTC)
COLUMNS = (
    "timeStamp", "elapsed", "label", "responseCode", "responseMessage", "threadName", "dataType", "success",
    "failureMessage", "bytes", "sentBytes", "grpThreads", "allThreads", "URL", "Latency", "IdleTime", "Connect",
)  # fmt: skip
HEADER = ",".join(COLUMNS) + "\n"


def sample(**fields: object) -> dict[str, object]:
    """One good row, with other values for the fields that matter."""
    return {
        "timeStamp": START_MS, "elapsed": 100, "label": "Home", "responseCode": "200", "responseMessage": "OK",
        "threadName": "Users 1-1", "dataType": "text", "success": "true", "failureMessage": "", "bytes": 2048,
        "sentBytes": 512, "grpThreads": 5, "allThreads": 5, "URL": "http://shop.example/", "Latency": 40,
        "IdleTime": 0, "Connect": 7,
    } | fields  # fmt: skip


def text(rows: Iterable[dict[str, object]]) -> str:
    """The rows as JMeter writes them, without the header."""
    out = io.StringIO()
    csv.DictWriter(out, COLUMNS, lineterminator="\n").writerows(rows)
    return out.getvalue()


@dataclass
class Recorded:
    """The files of a run."""

    run: RunFolder

    @property
    def results(self) -> Path:
        return self.run.path(layout.JMETER_RESULTS)

    @property
    def checkpoint(self) -> Path:
        return self.run.path(CHECKPOINT)

    @property
    def runs(self) -> RunStore:
        return RunStore(self.run.root.parent)

    def begin(self, attempt: int = 1, **spec: Any) -> "Recorded":
        """Write what start_run and the supervisor leave, as long as the test runs."""
        self.results.parent.mkdir(exist_ok=True)
        facts: dict[str, Any] = {
            "run_id": self.run.run_id,
            "attempt": attempt,
            "asked_at": STARTED_AT,
            "plan": "shop.jmx",
            "plan_sha256": "0" * 64,
            "command": ("java",),
            "cwd": ".",
            "udp_port": 20_000,
        }
        self.run.save(SPEC, RunSpec.model_validate(facts | spec))
        self.note("running")
        return self

    def note(self, phase: str, **state: Any) -> None:
        """What the supervisor notes."""
        me = ProcessHandle(pid=os.getpid(), start_time=start_time(os.getpid()) or "")
        facts: dict[str, Any] = {
            "attempt": self.run.load(SPEC).attempt,
            "phase": phase,
            "host": os.uname().nodename,
            "boot_id": boot_id(),
            "supervisor": me,
            "udp_port": 20_000,
            "started_at": STARTED_AT - timedelta(seconds=2),
            "test_started_at": STARTED_AT,
        }
        self.run.save(STATE, SupervisorState.model_validate(facts | state))

    def end(self, after_s: float = 10, **state: Any) -> "Recorded":
        """The test has come to its end."""
        ended = {"ended_at": STARTED_AT + timedelta(seconds=after_s), "exit_code": 0, "end_of_run": True}
        self.note("ended", **(ended | state))
        return self

    def stop(self, reached: str = "Shutdown", after_s: float = 10, **state: Any) -> "Recorded":
        """The test was stopped."""
        stop = Stop.model_validate({"asked_at": STARTED_AT, "by": "user", "reached": reached})
        return self.end(after_s, stop=stop, **state)

    def add(self, *rows: dict[str, object]) -> "Recorded":
        """Add rows to the results, as JMeter does."""
        return self.append(text(rows))

    def append(self, content: str | bytes) -> "Recorded":
        """Add anything to the results, whose header comes first."""
        with self.results.open("ab") as file:
            if file.tell() == 0:
                file.write(HEADER.encode())
            file.write(content.encode() if isinstance(content, str) else content)
        return self

    def health(self, *readings: str) -> "Recorded":
        """Add readings of the generator: the cells after the time."""
        path = self.run.path(layout.JMETER_HEALTH)
        with path.open("a", encoding="utf-8") as file:
            if file.tell() == 0:
                file.write(HEALTH_HEADER)
            file.writelines(f"2026-11-21T03:59:{at:02d}.000Z,{one}\n" for at, one in enumerate(readings))
        return self

    def put(self, name: str, content: str | bytes) -> "Recorded":
        """Write another file of JMeter's."""
        path = self.run.root / "jmeter" / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return self

    @contextmanager
    def alive(self) -> Iterator[None]:
        """The supervisor lives as long as the block."""
        path = self.run.root / "jmeter" / LOCK_FILE
        with path.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def follow(self, *, attempt: int = 1, ended: bool = False, **more: Any) -> Followed:
        return follow(self.run, attempt, ended=ended, **more)

    def status(self, at_s: float = 10, **more: Any) -> LiveStatus:
        """The status as it is so long after the test began."""
        clock = STARTED_AT + timedelta(seconds=at_s)
        return asyncio.run(run_status(self.runs, self.run.run_id, clock=lambda: clock, **more))


def recorded_in(folder: Path, run_id: str = "r1") -> Recorded:
    """A new run without any file."""
    return Recorded(RunStore(folder / "artifacts").create(run_id, RunFacts(source="jmeter")))


def numbers(one: LabelTotals) -> tuple[Any, ...]:
    """Of a label that was followed."""
    percentiles = [round(value, 6) for value in one.percentiles_ms()]
    return one.samples, one.errors, round(one.mean_ms, 6), one.max_ms, percentiles, one.throughput_per_s


def exact(one: Statistics) -> tuple[Any, ...]:
    """Of a label in the finished file."""
    percentiles = [round(one.percentiles_ms[name] or 0, 6) for name in ("p50_ms", "p90_ms", "p95_ms")]
    return one.samples, one.errors, round(one.mean_ms or 0, 6), one.max_ms, percentiles, one.throughput_per_s


def compare(found: Followed, summary: Summary) -> None:
    """What was followed and the finished file must give the same numbers."""
    mine = {key: numbers(one) for key, one in found.totals.labels.items()}
    assert mine == {Key(one.kind, one.label): exact(one) for one in summary.labels}
    assert found.totals.rejected == sum(file.rows_rejected for file in summary.files)
