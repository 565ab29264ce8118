"""Pure rules: verdicts, windows and points in time."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfsuite.errors import BadInput
from perfsuite_blazemeter.core.times import moment_of, stamp
from perfsuite_blazemeter.core.verdicts import verdict_of
from perfsuite_blazemeter.core.windows import doubts, numbers_of, remarks, windows_of
from perfsuite_blazemeter.models.entities import Master
from perfsuite_blazemeter.models.reports import CiProblem, CiStatus, SummaryRow, Threshold, Thresholds

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
PASSED = Thresholds(data=(Threshold(field="errors.percent", op="gt", threshold=1, value=0, success=True),))
FAILED = Thresholds(data=(Threshold(field="errors.percent", op="gt", threshold=1, value=2.5, success=False),))
CLEAN = CiStatus()
CODE_ZERO = CiStatus(failures=(CiProblem(code=0, message=None),))


@pytest.mark.parametrize(
    ("thresholds", "status", "ci", "passed", "disagree"),
    [
        (PASSED, "pass", CLEAN, True, False),
        (FAILED, "fail", CODE_ZERO, False, False),
        (FAILED, "pass", CODE_ZERO, False, True),
        (PASSED, "fail", CLEAN, False, True),
        (PASSED, "pass", CODE_ZERO, False, True),
        (FAILED, "fail", CLEAN, False, True),
        (Thresholds(), "unset", CLEAN, None, False),
        (None, None, None, None, False),
        (Thresholds(), "noData", CLEAN, False, True),
        (None, "abort", None, False, False),
        (PASSED, "unset", CLEAN, True, False),
    ],
)
def test_one_source_that_says_failed_is_enough_and_silence_is_no_pass(
    thresholds: Thresholds | None, status: str | None, ci: CiStatus | None, passed: bool | None, disagree: bool
) -> None:
    verdict = verdict_of(thresholds, status, ci)
    assert verdict.passed is passed
    assert (verdict.disagreement is not None) is disagree


def test_a_failure_without_a_criterion_is_a_failure() -> None:
    verdict = verdict_of(Thresholds(data=(Threshold(success=False, assertions=()),)), "unset", CLEAN)
    assert (verdict.passed, verdict.criteria) == (False, ())


def test_a_criterion_is_told_as_what_fails_it() -> None:
    row = Threshold(field="responseTime.avg", label_id="e843", op="lt", threshold=0.5, value=3, success=True)
    [criterion] = verdict_of(Thresholds(data=(row,)), None, None).criteria
    assert criterion.fails_if == "responseTime.avg of e843 < 0.5"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-10-25T02:30:00+02:00", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("2026-10-25T02:30:00+01:00", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
        ("2026-01-31T12:00:00Z", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31T12:00 Europe/Berlin", datetime(2026, 1, 31, 11, tzinfo=UTC)),
        ("2026-01-31 12:00 UTC", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31 12:00", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("1769860800", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("1769860800000", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("now-7d", NOW - timedelta(days=7)),
        (" now ", NOW),
    ],
)
def test_a_point_in_time_may_be_written_in_several_ways(text: str, moment: datetime) -> None:
    assert moment_of(text, NOW) == moment


def test_the_two_hours_of_the_night_that_happen_twice_are_told_apart() -> None:
    """Whatever zone this machine is in: the offset decides."""
    before, after = moment_of("2026-10-25T02:30:00+02:00", NOW), moment_of("2026-10-25T02:30:00+01:00", NOW)
    assert after - before == timedelta(hours=1)
    assert (stamp(before), stamp(after)) == ("2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z")


@pytest.mark.parametrize(
    "text", ["yesterday", "2026-13-01", "now-", "now-99999d999", "99999999999999", "", "now-999999w"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="is no time"):
        moment_of(text, NOW)


@given(st.text(max_size=40))
def test_no_text_leads_to_another_error(text: str) -> None:
    with suppress(BadInput):
        assert moment_of(text, NOW).tzinfo is UTC


def test_windows_that_cannot_be_right_are_shown_and_doubted() -> None:
    master = Master(id=1, created=NOW, ended=NOW + timedelta(minutes=10))
    early = SummaryRow(hits=1, first=NOW - timedelta(minutes=5), last=NOW + timedelta(minutes=30))
    windows = windows_of(master, early)
    assert windows.use == "samples"
    assert len(doubts(windows, NOW + timedelta(days=1))) == 2
    backwards = windows_of(master, SummaryRow(hits=1, first=NOW + timedelta(minutes=2), last=NOW))
    assert backwards.use is None
    assert "The last sample comes before the first." in doubts(backwards, NOW + timedelta(days=1))


def test_numbers_that_are_not_there_are_none_and_none_is_not_zero() -> None:
    numbers = numbers_of(SummaryRow(hits=0, failed=0, avg=None))
    assert (numbers.samples, numbers.error_rate, numbers.mean_ms, numbers.throughput_per_s) == (0, None, None, None)
    assert "no samples" in remarks(SummaryRow(hits=0), numbers)[0]
    assert "120 failed of 100" in remarks(SummaryRow(hits=100, failed=120), numbers_of(SummaryRow(hits=100)))[-1]


def test_throughput_is_samples_over_the_time_between_first_and_last() -> None:
    row = SummaryRow(hits=2400, first=NOW, last=NOW + timedelta(seconds=120), hits_avg=19.5)
    assert (numbers_of(row).throughput_per_s, numbers_of(row).hits_avg_per_s) == (20.0, 19.5)
