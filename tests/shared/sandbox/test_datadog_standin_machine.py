"""The machine itself as a host of the stand-in of Datadog."""

import numpy as np
import pytest

from perfsuite.sandbox.datadog.machine_origin import MachineOrigin, Reading, read_machine

GIB = 2**30


def reading(idle: float, user: float) -> Reading:
    cpu = {"idle": idle, "user": user, "system": 0.0, "iowait": 0.0, "stolen": 0.0}
    return Reading(cpu, total=8 * GIB, usable=2 * GIB)


def values(origin: MachineOrigin, metric: str) -> dict[float, float]:
    [source] = origin.sources(metric)
    times, found = source.points(0, 1_000)
    return dict(zip(times.tolist(), found.tolist(), strict=True))


def test_ten_seconds_are_told_when_both_of_their_ends_were_seen() -> None:
    origin = MachineOrigin("here")
    origin.note(100, reading(idle=10, user=10))
    assert values(origin, "system.cpu.idle") == {}
    origin.note(110, reading(idle=25, user=15))
    origin.note(140, reading(idle=90, user=20))
    origin.note(150, reading(idle=90, user=40))
    assert values(origin, "system.cpu.idle") == pytest.approx({100: 75, 140: 0})
    assert values(origin, "system.cpu.user") == pytest.approx({100: 25, 140: 100})
    assert values(origin, "system.mem.pct_usable") == pytest.approx({100: 0.25, 140: 0.25})
    assert values(origin, "system.mem.total") == {100: 8192, 140: 8192}


def test_it_is_a_host_and_knows_nothing_else() -> None:
    origin = MachineOrigin("here", env="perf")
    [source] = origin.sources("system.cpu.idle")
    assert source.tags == {"host:here", "env:perf"}
    assert source.metric.unit == "percent"
    assert origin.sources("system.disk.in_use") == []
    assert set(origin.metrics()) >= {"system.cpu.iowait", "system.mem.usable"}


def test_a_real_reading_is_plausible_and_watching_ends_at_once() -> None:
    found = read_machine()
    assert 0 < found.usable < found.total
    assert sum(found.cpu_s.values()) > 0
    assert np.isfinite(list(found.cpu_s.values())).all()
    with MachineOrigin("here").watching():
        pass
