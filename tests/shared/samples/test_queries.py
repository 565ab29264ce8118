"""Questions to the samples of a run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import jtl
from perfsuite import samples
from perfsuite.artifacts import RunStore
from perfsuite.errors import BadInput, NotFound
from perfsuite.samples.definitions import Choice, Selection
from perfsuite.samples.patterns import masked
from perfsuite.samples.queries import Samples
from perfsuite.workflow.importing import ImportRequest, import_results

S = 1_000_000
Open = Callable[..., Samples]


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    def imported(*rows: dict[str, Any], columns: tuple[str, ...] = jtl.COLUMNS) -> Samples:
        store = RunStore(tmp_path / "artifacts")
        import_results(store, "r1", ImportRequest((jtl.put(tmp_path, jtl.text(rows, columns)),)))
        return samples.open(store.open("r1"))

    return imported


def at(seconds: float, elapsed: float = 100, **fields: object) -> dict[str, Any]:
    return jtl.sample(timeStamp=jtl.START_MS + round(seconds * 1_000), elapsed=elapsed, **fields)


def failure(code: str, message: str, failed: str = "", **fields: object) -> dict[str, Any]:
    return jtl.sample(success="false", responseCode=code, responseMessage=message, failureMessage=failed, **fields)


def test_labels_are_chosen_by_name_or_by_pattern(opened: Open) -> None:
    run = opened(*(jtl.sample(label=label) for label in ("GET /a", "GET /b", "POST /a", "x[1]", "x1")))

    def chosen(*labels: str) -> list[str]:
        return [one.label for one in run.statistics(Choice(), Selection(labels))[0]]

    assert chosen("GET /a") == ["GET /a"]
    assert chosen("GET *") == ["GET /a", "GET /b"]
    assert chosen("*/a", "x?") == ["GET /a", "POST /a", "x1"]
    assert chosen("x[1]") == ["x[1]"]
    assert run.labels() == [("sample", label) for label in ("GET /a", "GET /b", "POST /a", "x1", "x[1]")]


def test_a_window_holds_the_samples_that_started_in_it(opened: Open) -> None:
    run = opened(at(0), at(10), at(20), at(30))
    _, total = run.statistics(Choice(), Selection(from_s=10, to_s=30))
    assert total.samples == 2
    start = jtl.START_MS * 1_000
    assert run.window(Selection()) == (start, start + 30 * S + 100_000)
    assert run.window(Selection(to_s=10)) == (start, start + 100_000)


def test_a_question_about_nothing_says_what_there_is(opened: Open) -> None:
    run = opened(at(0), at(1))
    with pytest.raises(NotFound) as caught:
        run.statistics(Choice(), Selection(("Nope*",), from_s=0, to_s=5))
    assert (
        "No row matches kind 'sample' and labels ['Nope*'] and the window 0..5 s. The run has 2 of kind 'sample'"
        in str(caught.value)
    )
    with pytest.raises(NotFound, match=r"No row matches kind 'transaction'. The run has 2"):
        run.statistics(Choice(), Selection(kind="transaction"))


@pytest.mark.parametrize(("start", "end"), [(5, 5), (6, 5), (float("nan"), None), (0, float("inf")), (1e300, None)])
def test_a_window_that_cannot_be_is_refused(start: float, end: float | None) -> None:
    with pytest.raises(BadInput, match="seconds after the first sample"):
        Selection(from_s=start, to_s=end)


def test_hits_count_starts_and_all_else_counts_ends(opened: Open) -> None:
    run = opened(at(0, 1_500, bytes=10), at(0.5, 200, bytes=20), at(3.2, 100, success="false", bytes=""))
    buckets = run.over_time(1, Choice((50.0,)), Selection())
    assert [bucket.start_us - jtl.START_MS * 1_000 for bucket in buckets] == [0, S, 2 * S, 3 * S]
    assert [bucket.hits for bucket in buckets] == [2, 0, 0, 1]
    assert [bucket.completed for bucket in buckets] == [1, 1, 0, 1]
    assert [bucket.errors for bucket in buckets] == [0, 0, 0, 1]
    assert [bucket.mean_ms for bucket in buckets] == [200, 1_500, None, 100]
    assert [bucket.percentiles_ms["p50_ms"] for bucket in buckets] == [200, 1_500, None, 100]
    assert [bucket.received_bytes for bucket in buckets] == [20, 10, None, None]
    assert [bucket.users for bucket in buckets] == [5, None, None, 5]


def test_the_users_of_all_engines_add_up_over_time(opened: Open) -> None:
    rows = [at(i / 10, Hostname=f"h{i % 2}", allThreads=3 + i % 2) for i in range(6)]
    [bucket] = opened(*rows, columns=(*jtl.COLUMNS, "Hostname")).over_time(10, Choice(), Selection())
    assert (bucket.users, bucket.hits) == (7, 6)


@pytest.mark.parametrize("width", [0.0001, 0, -1, float("nan"), float("inf"), 1e300])
def test_buckets_that_cannot_be_are_refused_with_what_could(opened: Open, width: float) -> None:
    run = opened(at(0), at(3_600))
    with pytest.raises(BadInput, match="Buckets of") as caught:
        run.over_time(width, Choice(), Selection())
    assert caught.value.next_step


def test_response_codes_are_counted_the_most_frequent_first(opened: Open) -> None:
    run = opened(*jtl.samples(1, 2, 3), failure("500", "Internal"), failure("", ""), jtl.sample(responseCode="404"))
    assert run.by_response_code(Selection()) == [("200", 3, 0), ("", 1, 1), ("404", 1, 0), ("500", 1, 1)]


def test_failures_of_one_cause_are_one_group(opened: Open) -> None:
    run = opened(
        *jtl.samples(1, 2),
        failure("500", "Order 17 failed after 30 ms", label="Buy", timeStamp=jtl.START_MS + 5_000),
        failure("500", "Order 18 failed after 45 ms", label="Buy"),
        failure("500", "Order 19 failed after 99 ms", label="Cart"),
        failure("200", "OK", "Expected <text> at http://shop.example/a?b=1", label="Home"),
        failure("200", "OK", label="Home"),
        failure("", "", label="Home"),
        failure("Non HTTP response code: java.net.SocketException", "Connection reset", label="Home"),
    )
    groups = {(one.response_code, one.message): one for one in run.error_groups(Selection())}
    orders = groups["500", "Order <n> failed after <n> ms"]
    assert (orders.count, orders.labels) == (3, (("Buy", 2), ("Cart", 1)))
    assert (orders.first_us, orders.last_us) == (jtl.START_MS * 1_000, (jtl.START_MS + 5_000) * 1_000)
    assert orders.example == "Order 17 failed after 30 ms"
    assert groups["200", "Expected <text> at <url>"].count == 1
    assert groups["200", "OK"].count == 1
    assert groups["", "Assertion failed"].count == 1
    assert groups["Non HTTP response code: java.net.SocketException", "Connection reset"].count == 1
    assert run.error_groups(Selection())[0] == orders
    assert opened(*jtl.samples(1, 2)).error_groups(Selection()) == []


def test_both_messages_of_a_failure_are_told_where_they_differ(opened: Open) -> None:
    run = opened(
        failure("500", "Internal Error", "order 17 failed"),
        failure("500", "Internal Error", "order 18 failed"),
        failure("503", "Busy", "Busy"),
        failure("504", "", "no answer"),
    )
    groups = {(one.response_code, one.message): one.count for one in run.error_groups(Selection())}
    assert groups == {("500", "Internal Error: order <n> failed"): 2, ("503", "Busy"): 1, ("504", "no answer"): 1}


def test_no_failure_is_lost_where_every_message_is_another(opened: Open) -> None:
    letters = str.maketrans("0123456789", "abcdefghij")
    rows = [failure("500", f"no {str(i).translate(letters)}") for i in range(20_050)]
    groups = opened(*rows).error_groups(Selection())
    assert sum(group.count for group in groups) == 20_050
    assert (groups[-1].message, groups[-1].count) == ("messages beyond the 20,000 most frequent", 50)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("GET https://x.example/a?k=1 failed", "GET <url> failed"),
        ("id 3f2504e0-4f89-11d3-9a0c-0305e82c3301 is gone", "id <uuid> is gone"),
        ("10.0.0.7:8080 refused", "<ip> refused"),
        ("at 0xDEADBEEF and cafebabe01", "at <hex> and <hex>"),
        ("took 1,234.5 ms of 30", "took <n> ms of <n>"),
        ("a\n\t b", "a b"),
        ("HTTP2 and IPv6 stay", "HTTP2 and IPv6 stay"),
        ("", ""),
    ],
)
def test_what_differs_from_failure_to_failure_is_masked(message: str, expected: str) -> None:
    assert masked(message) == expected


def test_a_very_long_message_is_cut() -> None:
    assert len(masked("word " * 100_000)) <= 300


def test_rows_that_stand_for_several_samples_count_as_many_everywhere(opened: Open) -> None:
    columns = (*jtl.COLUMNS, "SampleCount", "ErrorCount")
    found = opened(
        jtl.sample(elapsed=300, SampleCount=3, ErrorCount=0),
        jtl.sample(elapsed=400, SampleCount=4, ErrorCount=2, success="false", responseCode="500"),
        columns=columns,
    )
    assert found.by_response_code(Selection()) == [("500", 4, 2), ("200", 3, 0)]
    [group] = found.error_groups(Selection())
    assert (group.count, group.labels) == (2, (("Home", 2),))
    [bucket] = found.over_time(10, Choice(), Selection())
    assert (bucket.hits, bucket.completed, bucket.errors, bucket.mean_ms) == (7, 7, 2, 100.0)
