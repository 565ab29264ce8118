"""Clocks that do not agree are told, and nothing is corrected."""

from datetime import UTC, datetime, timedelta

import pytest

from perfsuite_blazemeter.core.windows import doubts
from perfsuite_blazemeter.models.config import TimeSpan, Windows

CREATED = datetime(2026, 11, 21, 10, tzinfo=UTC)
ENDED = CREATED + timedelta(minutes=10)


def told(start_s: float, end_s: float) -> list[str]:
    samples = TimeSpan(start=CREATED + timedelta(seconds=start_s), end=CREATED + timedelta(seconds=end_s))
    return doubts(Windows(created_ended=TimeSpan(start=CREATED, end=ENDED), samples=samples), ENDED + timedelta(days=1))


@pytest.mark.parametrize(
    ("start_s", "end_s", "said"),
    [
        (-120, 300, "The first sample comes before the run was created: clocks differ."),
        (60, 720, "The last sample comes after the end of the run: clocks differ."),
        (300, 60, "The last sample comes before the first."),
    ],
)
def test_samples_outside_of_their_run_are_told(start_s: float, end_s: float, said: str) -> None:
    assert told(start_s, end_s) == [said]


@pytest.mark.parametrize(("start_s", "end_s"), [(60, 540), (-30, 630)])
def test_some_seconds_of_difference_are_usual(start_s: float, end_s: float) -> None:
    assert told(start_s, end_s) == []
