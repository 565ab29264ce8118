"""The results of a running test are read as they grow: once, wholly, and by whoever asks next."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixtures import fixture
from jmeter.recorded import HEADER, START_MS, Recorded, compare, exact, numbers, recorded_in, sample, text
from perfsuite.errors import BadFile, BadInput
from perfsuite.samples.summary import Summary, summarise
from perfsuite_jmeter.core.blocks import Key
from perfsuite_jmeter.service.following import Followed


@pytest.fixture
def recorded(tmp_path: Path) -> Recorded:
    return recorded_in(tmp_path).begin()


@pytest.mark.parametrize("name", ["sample_with_tx.jtl", "sample_distributed.jtl"])
def test_real_results_give_the_numbers_of_the_finished_file(recorded: Recorded, name: str) -> None:
    recorded.results.write_bytes(fixture(f"jmx/{name}").read_bytes())
    compare(recorded.follow(ended=True), summarise([recorded.results]))


def test_any_pieces_in_which_a_file_grows_give_the_same(recorded: Recorded) -> None:
    content = fixture("jmx/sample_with_tx.jtl").read_bytes()
    for size in [*range(0, len(content), 997), len(content)]:
        extend(recorded.results, content, size)
        recorded.follow()
    compare(recorded.follow(ended=True), summarise([recorded.results]))


def extend(path: Path, content: bytes, size: int) -> None:
    with path.open("ab") as file:
        file.write(content[file.tell() : size])


ODD = ["plain", 'with "quotes"', "with,comma", "two\nlines", "ünï", "", "a" * 40, "tab\there", " blank ", "'", "x-1"]
ROWS = st.tuples(
    st.sampled_from(ODD),
    st.sampled_from(ODD),
    st.booleans(),
    st.integers(0, 99_999_999),
    st.integers(START_MS, START_MS + 60_000),
)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROWS, min_size=1, max_size=40), cuts=st.lists(st.integers(1, 4_000), max_size=6))
def test_whatever_stands_in_the_fields_the_numbers_are_those_of_the_finished_file(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[Any, ...]], cuts: list[int]
) -> None:
    recorded = recorded_in(tmp_path_factory.mktemp("law")).begin()
    written = text(
        sample(label=label, failureMessage=message, success=str(ok).lower(), elapsed=elapsed, timeStamp=at)
        for label, message, ok, elapsed, at in rows
    )
    content = (HEADER + written).encode()
    for size in sorted({min(cut, len(content)) for cut in [*cuts, len(content)]}):
        extend(recorded.results, content, size)
        recorded.follow()
    found = recorded.follow(ended=True)
    for one in summarise([recorded.results]).labels:
        mine = numbers(found.totals.labels.pop(Key(one.kind, one.label)))
        assert mine[:4] == exact(one)[:4]
        assert mine[4] == pytest.approx(exact(one)[4], rel=0.001)
        assert mine[5] == exact(one)[5]
    assert not found.totals.labels


def test_a_row_is_counted_when_it_is_whole(recorded: Recorded) -> None:
    row = text([sample(failureMessage='expected "a",\nfound b', success="false")])
    recorded.append(row[:-20])
    assert recorded.follow().totals.rows == 0
    assert recorded.follow().waiting_bytes == len(row) - 20
    recorded.append(row[-20:])
    found = recorded.follow()
    assert (found.totals.rows, found.totals.rejected, found.waiting_bytes) == (1, 0, 0)
    [(group, _)] = found.totals.groups.items()
    assert group == ("Home", "200", 'expected "a", found b')


def test_nothing_is_counted_before_the_header_is_whole(recorded: Recorded) -> None:
    assert recorded.follow().totals.rows == 0
    recorded.results.write_text(HEADER[:30], encoding="utf-8")
    assert recorded.follow().totals.rows == 0
    recorded.results.write_text(HEADER, encoding="utf-8")
    assert recorded.follow().totals.rows == 0
    assert recorded.add(sample()).follow().totals.rows == 1


def test_a_torn_last_row_is_refused_only_when_the_run_has_ended(recorded: Recorded) -> None:
    recorded.add(sample(), sample()).append(f"{START_MS},5,GET /pe")
    assert recorded.follow().totals.rejected == 0
    ended = recorded.follow(ended=True)
    assert (ended.totals.rows, ended.totals.rejected) == (2, 1)
    # The row is not noted as read: should the run go on after all, its rest is still to come.
    recorded.append("ts" + text([sample()])[18:])
    assert recorded.follow().totals.rows == 3


def test_a_row_that_is_damaged_costs_only_itself(recorded: Recorded) -> None:
    recorded.add(sample(), sample()).append("what,is this\n").add(sample(), sample(elapsed="fast"))
    recorded.add(sample(timeStamp=5), sample(success="maybe"), sample(elapsed=-3), sample())
    found = recorded.follow(ended=True)
    assert (found.totals.rows, found.totals.rejected) == (4, 5)
    compare(found, summarise([recorded.results]))


def test_a_quote_that_is_never_closed_does_not_stop_the_reading_for_long(recorded: Recorded) -> None:
    recorded.add(sample()).append(text([sample(label="QQ")]).replace("QQ", '"QQ'))
    recorded.add(*[sample()] * 100)
    assert recorded.follow().totals.rows == 1
    recorded.add(*[sample()] * 3_000)
    found = recorded.follow()
    assert (found.totals.rows, found.totals.rejected) == (3_101, 1)


def test_a_line_without_end_is_passed_over(recorded: Recorded) -> None:
    recorded.add(sample()).append(b"x" * 9_000_000 + b"\n").add(sample())
    found = recorded.follow()
    assert found.totals.rows == 2
    assert found.totals.rejected >= 1


def test_other_columns_and_delimiters_are_read_as_well(recorded: Recorded) -> None:
    recorded.results.write_text(
        "success;label;timeStamp;elapsed;Variable\r\n"
        f'true;"a;b";{START_MS};1500;x\r\nfalse;c;{START_MS + 200_000_000};250000000;\r\n',
        encoding="utf-8",
    )
    compare(recorded.follow(ended=True), summarise([recorded.results]))


@pytest.mark.parametrize("stamp", [f"{START_MS}.5", "2026/11/21 03:59:10.000", str(START_MS // 1000)])
def test_times_in_other_forms_are_read_as_well(recorded: Recorded, stamp: str) -> None:
    recorded.add(sample(timeStamp=stamp, elapsed="12.4"))
    compare_rounded(recorded.follow(ended=True), summarise([recorded.results]))


def compare_rounded(found: Followed, summary: Summary) -> None:
    [mine], [true] = list(found.totals.labels.values()), summary.labels
    assert (mine.samples, mine.max_ms) == (true.samples, round(true.max_ms or 0))


def test_samples_that_stand_for_several_are_counted_as_rows(recorded: Recorded) -> None:
    recorded.results.write_text(
        f"timeStamp,elapsed,label,success,SampleCount,ErrorCount\n{START_MS},5,a,true,3,0\n", encoding="utf-8"
    )
    assert recorded.follow().totals.rows == 1


@pytest.mark.parametrize(
    "content", ["<?xml version='1.0'?>\n<testResults>\n", "metric_name,timestamp,metric_value\nx,1,2\n"]
)
def test_results_of_another_kind_are_said(recorded: Recorded, content: str) -> None:
    recorded.results.write_text(content, encoding="utf-8")
    found = recorded.follow()
    assert found.totals.rows == 0
    assert "results" in found.notes[0]


def test_a_large_file_is_read_in_pieces_by_several_threads(recorded: Recorded) -> None:
    rows = [sample(label=f"L{n % 30}", elapsed=n % 2_000, success=str(n % 50 > 0).lower()) for n in range(35_000)]
    for _ in range(3):
        recorded.add(*rows)
    assert recorded.results.stat().st_size > 2 * 4 * 1024**2
    found = recorded.follow(ended=True)
    compare(found, summarise([recorded.results]))
    assert sum(found.totals.seconds.values()) == 105_000


def test_reading_stops_in_time_and_goes_on_with_the_next_call(recorded: Recorded) -> None:
    rows = [sample(elapsed=n % 2_000) for n in range(30_000)]
    for _ in range(4):
        recorded.add(*rows)
    first = recorded.follow(budget_s=0)
    assert 0 < first.totals.rows < 120_000
    [note] = first.notes
    assert "call again for the rest" in note
    while recorded.follow(budget_s=0).notes:
        pass
    compare(recorded.follow(ended=True), summarise([recorded.results]))


def test_labels_beyond_the_most_are_counted_together(recorded: Recorded) -> None:
    recorded.add(*[sample(label=f"L{n}") for n in range(700)], *[sample(label="L1")] * 5)
    found = recorded.follow().totals
    assert len(found.labels) == 501
    assert found.labels[Key("sample", "(other)")].samples == 200
    assert found.labels[Key("sample", "L1")].samples == 6


def test_errors_of_one_cause_are_one_group_and_groups_beyond_the_most_are_together(recorded: Recorded) -> None:
    recorded.add(*[sample(success="false", responseCode="500", responseMessage=f"order {n}") for n in range(40)])
    assert [(group, one.count) for group, one in recorded.follow().totals.groups.items()] == [
        (("Home", "500", "order <n>"), 40)
    ]
    recorded.add(*[sample(success="false", responseCode=f"E{n}") for n in range(150)])
    groups = recorded.follow().totals.groups
    assert len(groups) == 101
    assert groups["(other)", "", ""].count == 51


def test_a_failed_transaction_is_no_second_error(recorded: Recorded) -> None:
    told = "Number of samples in transaction : 1, number of failing samples : 1"
    recorded.add(
        sample(success="false", responseCode="503", responseMessage="Service Unavailable"),
        sample(label="TX", success="false", responseCode="", responseMessage=told),
    )
    totals = recorded.follow().totals
    assert (totals.total().samples, totals.total().errors, len(totals.groups)) == (1, 1, 1)
    assert Key("transaction", "TX") in totals.labels


def test_messages_of_success_codes_come_from_the_assertion(recorded: Recorded) -> None:
    recorded.add(
        sample(success="false", failureMessage="expected 3"),
        sample(success="false", responseCode="", responseMessage=""),
        sample(success="false", responseCode="503", responseMessage="", failureMessage="also asserted"),
    )
    assert {message for _, _, message in recorded.follow().totals.groups} == {
        "expected <n>", "Assertion failed", "also asserted"
    }  # fmt: skip


def test_users_are_the_latest_of_each_engine(recorded: Recorded) -> None:
    recorded.add(*[sample(allThreads=n) for n in (1, 2, 3)])
    assert recorded.follow().totals.users == {"": 3}
    remote = recorded_in(recorded.run.root.parent / "remote").begin()
    remote.add(
        sample(threadName="10.0.0.1:1099-Users 1-1", allThreads=4), sample(threadName="h2:1099-Users 1-1", allThreads=9)
    )
    remote.add(sample(threadName="10.0.0.1:1099-Users 1-2", allThreads=7)).follow()
    assert remote.follow().totals.users == {"10.0.0.1:1099": 7, "h2:1099": 9}


def test_results_of_an_attempt_that_left_none_are_none(recorded: Recorded) -> None:
    assert recorded.follow().totals.rows == 0
    assert not recorded.checkpoint.exists()


@pytest.mark.parametrize("make", [lambda path: path.mkdir(), os.mkfifo])
def test_what_is_no_file_is_refused_at_once(recorded: Recorded, make: Callable[[Path], object]) -> None:
    make(recorded.results)
    with pytest.raises(BadFile, match="not a regular file"):
        recorded.follow()


def test_results_that_lead_out_of_the_run_are_refused(recorded: Recorded, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.csv"
    elsewhere.write_text(HEADER + text([sample()]), encoding="utf-8")
    recorded.results.symlink_to(elsewhere)
    with pytest.raises(BadInput, match="leads out of the run folder"):
        recorded.follow()


@pytest.mark.parametrize(
    "odd",
    [
        {"timeStamp": "9999999999999"},
        {"timeStamp": "17952335500x0"},
        {"timeStamp": START_MS + 200_000_000},
        {"elapsed": "1e2"},
        {"elapsed": "12.6"},
        {"elapsed": ""},
        {"elapsed": "123456789"},
        {"elapsed": "999999999999"},
        {"success": "1"},
        {"success": "TRUE"},
        {"success": ""},
        {"label": "l" * 700},
        {"label": "a\rb"},
        {"label": "x\x00y"},
        {"allThreads": "many"},
        {"responseMessage": "Number of samples in transaction : 1, number of failing samples : 0", "elapsed": 0},
        {"responseMessage": "Number of things"},
    ],
    ids=str,
)
def test_one_odd_value_among_good_ones_is_read_as_an_import_reads_it(
    recorded: Recorded, odd: dict[str, object]
) -> None:
    recorded.add(*[sample(elapsed=n) for n in range(50)], sample(**odd), sample(elapsed=77, threadName="U 2"))
    found, summary = recorded.follow(ended=True), summarise([recorded.results])
    mine = {key: (one.samples, one.errors) for key, one in found.totals.labels.items()}
    assert mine == {Key(one.kind, one.label): (one.samples, one.errors) for one in summary.labels}
    assert found.totals.rejected == sum(file.rows_rejected for file in summary.files)


def test_a_quote_within_a_field_is_read_as_an_import_reads_it(recorded: Recorded) -> None:
    recorded.add(sample()).append(text([sample(label="QQ")]).replace("QQ", 'say "hi, you" now')).add(sample())
    found, summary = recorded.follow(ended=True), summarise([recorded.results])
    assert found.totals.total().samples == summary.total.samples
    assert found.totals.rejected == sum(file.rows_rejected for file in summary.files)


def test_only_the_latest_seconds_are_kept(recorded: Recorded) -> None:
    recorded.add(*[sample(timeStamp=START_MS + 1_000 * n) for n in range(500)])
    seconds = recorded.follow().totals.seconds
    assert (len(seconds), max(seconds)) == (121, START_MS // 1_000 + 499)


def test_many_labels_with_long_times_are_counted(recorded: Recorded) -> None:
    recorded.add(*[sample(label=f"L{n}", elapsed=99_999_999 - n) for n in range(400)])
    found, summary = recorded.follow(ended=True), summarise([recorded.results])
    assert {key.label: one.max_ms for key, one in found.totals.labels.items()} == {
        one.label: one.max_ms for one in summary.labels
    }


def test_labels_that_are_all_different_do_not_stop_the_reading(recorded: Recorded) -> None:
    recorded.add(*[sample(label=f"order-{n:x}z") for n in range(70_000)])
    found = recorded.follow()
    assert (found.totals.rows, found.totals.total().samples, len(found.totals.labels)) == (70_000, 70_000, 501)


def test_columns_that_are_not_there_are_not_missed(recorded: Recorded) -> None:
    recorded.results.write_text(
        f"timeStamp;elapsed;label;success\n{START_MS};15;a;true\n{START_MS};16;a;false\n", encoding="utf-8"
    )
    found = recorded.follow(ended=True)
    compare(found, summarise([recorded.results]))
    assert list(found.totals.groups) == [("a", "", "Assertion failed")]
    assert found.totals.users == {}
