"""What holds for every shop, whoever comes and when."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfsuite.sandbox.shop.faults import Faults
from perfsuite.sandbox.shop.meter import Meter
from perfsuite.sandbox.shop.spec import ShopSpec
from perfsuite.sandbox.shop.workers import Visit, Workers

BEGINNING = 1_790_000_000.0
specs = st.builds(
    ShopSpec,
    workers=st.integers(3, 6),
    hosts=st.integers(1, 3),
    service_ms=st.floats(1, 200),
    queue_length=st.integers(0, 10),
    queue_timeout_ms=st.floats(1, 500),
)
gaps = st.lists(st.floats(0, 0.3), min_size=1, max_size=80)


def visits(spec: ShopSpec, gaps: list[float]) -> list[Visit]:
    """What becomes of requests that come so many seconds after each other."""
    workers, now, found = Workers(spec), BEGINNING, []
    for gap in gaps:
        now += gap
        found.append(workers.admit(now, lambda _: spec.service_ms / 1000))
    return found


def served(found: list[Visit]) -> list[Visit]:
    return [visit for visit in found if visit.outcome == "served"]


@given(specs, gaps)
def test_no_more_requests_are_served_at_once_than_there_are_workers(spec: ShopSpec, gaps: list[float]) -> None:
    found = served(visits(spec, gaps))
    for visit in found:
        assert sum(other.begins <= visit.begins < other.leaves for other in found) <= spec.workers


@given(specs, gaps)
def test_who_came_first_is_served_first(spec: ShopSpec, gaps: list[float]) -> None:
    assert all(a.begins <= b.begins for a, b in pairwise(served(visits(spec, gaps))))


@given(specs, gaps)
def test_nobody_waits_while_a_worker_is_free(spec: ShopSpec, gaps: list[float]) -> None:
    found = served(visits(spec, gaps))
    for visit in found:
        if visit.begins > visit.arrived:
            busy = sum(o is not visit and o.begins <= visit.arrived < o.leaves for o in found)
            assert busy == spec.workers


@given(specs, gaps)
def test_nobody_waits_longer_than_allowed_and_nobody_stands_in_a_full_queue(spec: ShopSpec, gaps: list[float]) -> None:
    found = visits(spec, gaps)
    for visit in found:
        assert visit.begins - visit.arrived <= spec.queue_timeout_ms / 1000 + 1e-6
        waiting = sum(o.arrived <= visit.arrived < o.begins for o in found[: found.index(visit)])
        assert (visit.outcome == "rejected") <= (waiting >= spec.queue_length)


@given(specs, gaps)
def test_the_cpu_of_all_hosts_adds_up_to_the_time_that_was_served(spec: ShopSpec, gaps: list[float]) -> None:
    meter = Meter(spec, Faults(spec.host_names), BEGINNING)
    found = visits(spec, gaps)
    for visit in found:
        meter.note_visit(visit, 0)
    end = max(visit.leaves for visit in found) + 20
    for width in (1, 10):
        buckets = [meter.bucket(start, width) for start in meter.buckets(end, width, 0, end)]
        busy = sum(
            bucket["hosts"][name]["cpu_pct"] / 100 * spec.workers_of(host) * width
            for bucket in buckets
            for host, name in enumerate(spec.host_names)
        )
        assert busy == pytest.approx(sum(one.leaves - one.begins for one in served(found)), abs=0.01)
        assert all(0 <= host["cpu_pct"] <= 100.001 for bucket in buckets for host in bucket["hosts"].values())


@given(specs, st.floats(0, 5000), st.integers(1, 5000))
def test_the_two_lines_of_the_model_meet_at_the_knee(spec: ShopSpec, think_ms: float, users: int) -> None:
    below = users <= spec.knee(think_ms)
    throughput, response = spec.throughput_per_s(users, think_ms), spec.response_ms(users, think_ms)

    assert throughput <= spec.capacity_per_s
    assert below or throughput == pytest.approx(spec.capacity_per_s)
    assert response >= spec.service_ms
    assert not below or response == pytest.approx(spec.service_ms)
    # Little's law: users are either thinking or waiting.
    assert throughput * (response + think_ms) / 1000 == pytest.approx(users)


@given(st.integers(1, 64), st.integers(1, 32))
def test_workers_are_dealt_out_evenly(workers: int, hosts: int) -> None:
    if hosts > workers:
        return
    spec = ShopSpec(workers=workers, hosts=hosts)
    counts = [spec.workers_of(host) for host in range(hosts)]

    assert sum(counts) == workers
    assert max(counts) - min(counts) <= 1
    assert counts == [sum(spec.host_of(worker) == host for worker in range(workers)) for host in range(hosts)]
