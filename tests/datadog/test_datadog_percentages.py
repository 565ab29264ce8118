"""Percentages: what is divided by what, in which unit, and when there is no number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfsuite_datadog.core.derived import Derived, of_container, of_host
from perfsuite_datadog.core.ratios import combined_percent, mean, percent_of
from perfsuite_datadog.models.timeseries import Series, Unit

NANOCORE = Unit(name="nanocore", family="cpu", scale_factor=1e-9)
CORE = Unit(name="core", family="cpu", scale_factor=1)
PERCENT = Unit(name="percent", family="percentage", scale_factor=1)
FRACTION = Unit(name="fraction", family="percentage", scale_factor=100)
BYTE = Unit(name="byte", family="bytes", scale_factor=1)
GIBIBYTE = Unit(name="gibibyte", family="bytes", scale_factor=1024**3)


def series(*values: float | None, unit: Unit | None = None) -> Series:
    return Series(0, {}, unit, None, values)


def only(found: list[Derived], label: str) -> Derived:
    return next(one for one in found if one.label == label)


def test_the_unit_of_the_answer_counts_and_not_the_one_that_is_documented() -> None:
    found = list(
        of_container({
            "kubernetes.cpu.usage.total": series(0.25, unit=CORE),
            "kubernetes.cpu.limits": series(500_000_000, unit=NANOCORE),
            "kubernetes.memory.working_set": series(1024**3, unit=BYTE),
            "kubernetes.memory.limits": series(2, unit=GIBIBYTE),
        })
    )  # fmt: skip
    assert only(found, "cpu_util_pct").values == [pytest.approx(50)]
    assert only(found, "mem_util_pct").values == [pytest.approx(50)]


def test_without_a_unit_what_the_agent_is_documented_to_send_counts() -> None:
    found = list(of_container({"kubernetes.cpu.usage.total": series(25e7), "kubernetes.cpu.limits": series(0.5)}))
    assert only(found, "cpu_util_pct").values == [pytest.approx(50)]


def test_no_limit_and_a_limit_of_nothing_give_no_percentage() -> None:
    found = list(of_container({"kubernetes.cpu.usage.total": series(1e9, 2e9)}))
    assert only(found, "cpu_util_pct") == Derived("cpu_util_pct", [None, None], "no limit")
    assert only(found, "cpu_request_pct") == Derived("cpu_request_pct", [None, None], "no request")
    zero = list(
        of_container({"kubernetes.cpu.usage.total": series(1e9, 2e9), "kubernetes.cpu.limits": series(0, None)})
    )
    assert only(zero, "cpu_util_pct").values == [None, None]


def test_more_than_was_requested_is_more_than_a_hundred_percent() -> None:
    found = list(of_container({"kubernetes.cpu.usage.total": series(3e9), "kubernetes.cpu.requests": series(0.5)}))
    assert only(found, "cpu_request_pct").values == [600]


@pytest.mark.parametrize("unit", [None, FRACTION])
def test_usable_memory_is_a_share_of_one_despite_its_name(unit: Unit | None) -> None:
    [found] = of_host({"system.mem.pct_usable": series(0.75, None, unit=unit)})
    assert (found.label, found.values) == ("mem_util_pct", [25, None])


def test_usable_memory_that_is_a_percentage_is_taken_as_one() -> None:
    [found] = of_host({"system.mem.pct_usable": series(75, 80, unit=PERCENT)})
    assert found.values == [25, 20]


def test_usable_memory_whose_unit_contradicts_its_values_is_taken_from_bytes() -> None:
    unclear = {"system.mem.pct_usable": series(0.5, unit=PERCENT)}
    [without] = of_host(unclear)
    assert without.values == [None]
    assert "contradict" in without.note
    [found] = of_host({**unclear, "system.mem.usable": series(3), "system.mem.total": series(12)})
    assert found.values == [75]


def test_a_percentage_of_idle_may_also_come_as_a_fraction() -> None:
    [found] = of_host({"system.cpu.idle": series(0.9, unit=FRACTION)})
    assert found.values == [pytest.approx(10)]


def test_throttling_is_the_share_of_the_periods() -> None:
    [found] = of_container({
        "kubernetes.cpu.cfs.throttled.periods": series(50, 0, None),
        "kubernetes.cpu.cfs.periods": series(200, 0, 200),
    })  # fmt: skip
    assert found.values == [25, None, None]


def test_one_gap_does_not_spoil_the_mean_and_is_not_zero() -> None:
    assert mean([10, None, 20]) == 15
    assert mean([None, None]) is None


NUMBERS = st.one_of(st.none(), st.floats(0, 1e12))


@given(st.lists(st.tuples(NUMBERS, NUMBERS), max_size=20))
def test_there_is_a_percentage_exactly_where_both_numbers_are_known(
    pairs: list[tuple[float | None, float | None]],
) -> None:
    found = percent_of([above for above, _ in pairs], [below for _, below in pairs])
    assert [one is None for one in found] == [above is None or not below for above, below in pairs]


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0.1, 100)), min_size=1, max_size=10))
def test_all_together_lie_between_the_least_and_the_most_used(pairs: list[tuple[float, float]]) -> None:
    [together] = combined_percent([([above], [below]) for above, below in pairs])
    each = [100 * above / below for above, below in pairs]
    assert together is not None
    assert min(each) * 0.999999 <= together <= max(each) * 1.000001


def test_containers_without_a_limit_count_neither_above_nor_below() -> None:
    assert combined_percent([([1.0, 1.0], [2.0, 2.0]), ([5.0, 1.0], [None, 2.0])]) == [50, 50]
    assert combined_percent([]) == []
