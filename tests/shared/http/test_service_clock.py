"""What the Date headers of a service say about its clock."""

import email.utils
from typing import Any

import pytest

from perfsuite.http import ServiceClock

NOW = 1_790_000_000.0


class Here:
    """The clock of this machine."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def heard(ahead_s: float, *, took_s: float = 0.1, times: int = 1, **headers: Any) -> ServiceClock:
    """A clock of which so many answers have told, a third of a second after each other."""
    here = Here()
    clock = ServiceClock(here)
    for _ in range(times):
        sent_at = here.now
        date = email.utils.formatdate(int(here.now + took_s / 2 + ahead_s), usegmt=True)
        here.now += took_s
        clock.learn({"date": date, **headers}, sent_at)
        here.now += 0.33
    return clock


@pytest.mark.parametrize("ahead_s", [-3600.0, -30.4, 30.4, 7200.9])
def test_what_is_certain_is_never_more_than_what_is_true_and_less_by_two_seconds(ahead_s: float) -> None:
    clock = heard(ahead_s)
    assert abs(ahead_s) - 2.1 <= abs(clock.ahead_s) <= abs(ahead_s)
    assert (clock.ahead_s > 0) == (ahead_s > 0)
    assert clock.least_s <= ahead_s


def test_more_answers_tell_more_exactly() -> None:
    assert abs(heard(30.0, times=9).ahead_s - 30) < abs(heard(30.7, times=1).ahead_s - 30.7) + 1
    assert 30 - heard(30.0, times=9).least_s < 0.2


def test_an_answer_that_took_long_tells_less_but_nothing_wrong() -> None:
    clock = heard(30.0, took_s=80.0)
    assert clock.ahead_s <= 30
    assert clock.told("Datadog") is None


@pytest.mark.parametrize("headers", [{"date": "soon"}, {"date": ""}, {"age": "500"}])
def test_without_a_date_that_was_just_written_the_clock_here_counts(headers: dict[str, str]) -> None:
    clock = heard(900.0, **headers)
    assert (clock.ahead_s, clock.least_s, clock.told("Datadog")) == (0, 0, None)


def test_a_clock_that_was_set_meanwhile_is_believed_anew() -> None:
    clock = heard(900.0)
    clock.learn({"date": email.utils.formatdate(clock.here(), usegmt=True)}, clock.here())
    assert clock.ahead_s == 0


def test_only_a_difference_that_matters_is_told() -> None:
    assert heard(2.5).told("Datadog") is None
    assert heard(-600.0, times=9).told("Datadog") == "Datadog's clock is 599 s behind the one here."
    assert heard(600.0, times=9).told("Datadog") == "Datadog's clock is 600 s ahead of the one here."
