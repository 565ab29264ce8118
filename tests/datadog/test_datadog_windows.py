"""Which time is meant, whatever form it is written in."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfsuite.errors import BadInput, NotReady
from perfsuite_datadog.core.buckets import asked_width_s, spacing_s, whole_buckets
from perfsuite_datadog.core.windows import Asked, Span, moment, resolve, utc_text

NOW = datetime(2026, 11, 21, 13, 0, tzinfo=UTC)
RUN = (datetime(2026, 11, 20, 10, tzinfo=UTC), datetime(2026, 11, 20, 11, tzinfo=UTC))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("now", "2026-11-21T13:00:00Z"),
        ("now-90s", "2026-11-21T12:58:30Z"),
        ("NOW - 2h", "2026-11-21T11:00:00Z"),
        ("now-1w", "2026-11-14T13:00:00Z"),
        ("2026-11-20T10:00:00Z", "2026-11-20T10:00:00Z"),
        ("2026-11-20T10:00:00-07:00", "2026-11-20T17:00:00Z"),
        ("2026-11-20 10:00", "2026-11-20T10:00:00Z"),
        ("2026-11-20", "2026-11-20T00:00:00Z"),
        ("1763640000", "2025-11-20T12:00:00Z"),
        ("1763640000123", "2025-11-20T12:00:00.123Z"),
        ("1763640000.5", "2025-11-20T12:00:00.500Z"),
        ("2026-07-01T10:00 Europe/Berlin", "2026-07-01T08:00:00Z"),
        ("2026-07-01T10:00[America/Argentina/Buenos_Aires]", "2026-07-01T13:00:00Z"),
        ("2026-07-01 10:00 UTC", "2026-07-01T10:00:00Z"),
    ],
)
def test_a_time_is_read_in_every_form_that_people_write(written: str, meant: str) -> None:
    assert utc_text(moment(written, NOW, [])) == meant


@pytest.mark.parametrize(
    "written",
    ["yesterday", "1e9", "12345", "-5", "now+1h", "now-99999999999d", "now-999999w", "2026-13-01", "x" * 5000,
     "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:00", "1763640000123456", "2026-07-01T10:00Z Europe/Berlin",
     "٢٠٢٦", "2026-07-01T10:00 ../../etc/passwd"],
)  # fmt: skip
def test_what_is_no_time_is_refused_with_the_forms_that_are(written: str) -> None:
    with pytest.raises(BadInput) as error:
        moment(written, NOW, [])
    assert "Give ISO such as" in str(error.value) or "no time zone" in str(error.value)
    assert len(str(error.value)) < 300


def test_a_time_without_a_zone_is_utc_and_that_is_said() -> None:
    notes: list[str] = []
    moment("2026-11-20T10:00:00", NOW, notes)
    assert notes == ["'2026-11-20T10:00:00' names no zone and was read as UTC."]


def test_in_the_night_when_clocks_are_put_back_a_time_that_comes_twice_is_not_guessed() -> None:
    with pytest.raises(
        BadInput, match="happened twice in Europe/Berlin, at 2026-10-25T00:30:00Z and at 2026-10-25T01:"
    ):
        moment("2026-10-25T02:30 Europe/Berlin", NOW, [])
    assert utc_text(moment("2026-10-25T01:59 Europe/Berlin", NOW, [])) == "2026-10-24T23:59:00Z"
    assert utc_text(moment("2026-10-25T03:00 Europe/Berlin", NOW, [])) == "2026-10-25T02:00:00Z"


def test_in_the_night_when_clocks_are_put_forward_a_time_that_never_comes_is_refused() -> None:
    with pytest.raises(BadInput, match="never happened in Europe/Berlin"):
        moment("2026-03-29T02:30 Europe/Berlin", NOW, [])


def test_an_unknown_zone_is_named() -> None:
    with pytest.raises(BadInput, match="There is no time zone 'Europe/Berlim'"):
        moment("2026-07-01T10:00 Europe/Berlim", NOW, [])


def test_what_is_given_counts_and_the_run_fills_in_the_rest() -> None:
    assert resolve(Asked(run=RUN, run_id="r"), NOW).shown == "2026-11-20T10:00:00Z to 2026-11-20T11:00:00Z"
    later = resolve(Asked(start="2026-11-20T10:30:00Z", run=RUN, run_id="r"), NOW)
    assert later.shown == "2026-11-20T10:30:00Z to 2026-11-20T11:00:00Z"
    both = resolve(Asked(start="now-1h", end="now-30m", run=RUN, run_id="r"), NOW)
    assert both.shown == "2026-11-21T12:00:00Z to 2026-11-21T12:30:00Z"
    assert both.notes == ()


def test_a_run_without_samples_has_no_window() -> None:
    with pytest.raises(NotReady, match="has no time under load yet"):
        resolve(Asked(run_id="r"), NOW)


@pytest.mark.parametrize(
    ("start", "end", "told"),
    [
        ("now-1h", "now-2h", "ends before it begins"),
        ("now-1h", "now-1h", "is empty"),
        ("2027-01-01T00:00:00Z", "2027-01-02T00:00:00Z", "lies in the future. It is 2026-11-21T13:00:00Z now."),
        ("2019-01-01T00:00:00Z", "2019-01-02T00:00:00Z", "is older than the 456 days that Datadog keeps"),
    ],
)
def test_a_window_that_makes_no_sense_is_refused(start: str, end: str, told: str) -> None:
    with pytest.raises(BadInput) as error:
        resolve(Asked(start=start, end=end), NOW)
    assert told in str(error.value)


def test_a_window_that_reaches_into_the_future_or_the_forgotten_past_is_cut_or_said() -> None:
    ahead = resolve(Asked(start="now-1h", end="2026-11-21T14:00:00Z"), NOW)
    assert ahead.end == NOW
    assert "which is in the future; it ends now" in ahead.notes[0]
    behind = resolve(Asked(start="2025-01-01T00:00:00Z", end="now"), NOW)
    assert "the first part will be empty" in behind.notes[0]


def test_a_window_of_a_minute_stays_a_minute() -> None:
    assert resolve(Asked(start="now-1m", end="now"), NOW).seconds == 60


MOMENTS = st.datetimes(datetime(2025, 9, 1), datetime(2026, 11, 21), timezones=st.just(UTC))  # noqa: DTZ001


@given(MOMENTS)
def test_iso_and_epoch_say_the_same(when: datetime) -> None:
    whole = when.replace(microsecond=when.microsecond // 1000 * 1000)
    assert moment(utc_text(whole), NOW, []) == whole
    assert moment(str(round(whole.timestamp() * 1000)), NOW, []) == whole


@given(MOMENTS, st.integers(60, 40 * 86_400))
def test_no_window_asks_for_more_points_than_datadog_gives(start: datetime, seconds: int) -> None:
    span = Span(start, start + timedelta(seconds=seconds))
    assert seconds / asked_width_s(span) <= 350


@given(st.integers(1, 40), st.integers(0, 100), st.integers(60, 4000), st.integers(0, 4000))
def test_buckets_that_are_kept_lie_within_the_window_and_the_past(
    width_20s: int, first: int, seconds: int, ago: int
) -> None:
    width = width_20s * 20
    span = Span(NOW, NOW + timedelta(seconds=seconds))
    begin = span.start_ms // (width * 1000) * width * 1000
    times = [begin + (first + number) * width * 1000 for number in range(20)]
    now_ms = span.start_ms + ago * 1000
    found = whole_buckets(times, span, now_ms, width)
    assert found.width_s == width
    kept = [times[place] for place in found.places]
    assert len(kept) + found.dropped == len(times)
    assert kept == [time for time in times if time >= span.start_ms and time + width * 1000 <= min(span.end_ms, now_ms)]


def test_the_interval_is_derived_from_the_points_and_not_believed() -> None:
    recorded = [1711977645000, 1711977705000, 1711980225000]
    assert spacing_s(recorded, [1, 1, 87]) == 60
    assert spacing_s(recorded, [1, None, None]) is None


def test_wider_buckets_than_asked_for_are_noticed() -> None:
    span = Span(NOW - timedelta(hours=1), NOW)
    times = list(range(span.start_ms, span.end_ms, 300_000))
    found = whole_buckets(times, span, span.end_ms - 1, 20)
    assert (found.width_s, found.dropped) == (300, 1)
