"""The results of a running test are read as they grow: once, wholly, and by whoever asks next."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixtures import fixture
from jmeter.recorded import HEADER, START_MS, Recorded, recorded_in, sample, text
from perfsuite.artifacts.locks import holding
from perfsuite.errors import Conflict
from perfsuite.samples.statistics import Statistics
from perfsuite.samples.summary import Summary, summarise
from perfsuite_jmeter.core.blocks import Key
from perfsuite_jmeter.core.live import LabelTotals
from perfsuite_jmeter.service.following import Followed


@pytest.fixture
def recorded(tmp_path: Path) -> Recorded:
    return recorded_in(tmp_path).begin()


def numbers(one: LabelTotals) -> tuple[Any, ...]:
    percentiles = [round(value, 6) for value in one.percentiles_ms()]
    return one.samples, one.errors, round(one.mean_ms, 6), one.max_ms, percentiles, one.throughput_per_s


def exact(one: Statistics) -> tuple[Any, ...]:
    percentiles = [round(one.percentiles_ms[name] or 0, 6) for name in ("p50_ms", "p90_ms", "p95_ms")]
    return one.samples, one.errors, round(one.mean_ms or 0, 6), one.max_ms, percentiles, one.throughput_per_s


def compare(found: Followed, summary: Summary) -> None:
    mine = {key: numbers(one) for key, one in found.totals.labels.items()}
    assert mine == {Key(one.kind, one.label): exact(one) for one in summary.labels}
    assert found.totals.rejected == sum(file.rows_rejected for file in summary.files)


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


def test_a_new_reader_goes_on_from_the_note_of_the_one_before(recorded: Recorded) -> None:
    recorded.add(sample(elapsed=7), sample(elapsed=9))
    recorded.follow()
    note = json.loads(recorded.checkpoint.read_bytes())
    assert note["schema_version"] == "1.0"
    # Had the first rows been read again, this label would be gone.
    note["results"]["totals"]["labels"][0]["label"] = "Noted"
    recorded.checkpoint.write_text(json.dumps(note), encoding="utf-8")
    found = recorded.add(sample(elapsed=11)).follow()
    assert {key.label: one.samples for key, one in found.totals.labels.items()} == {"Noted": 2, "Home": 1}


def test_reading_on_without_anything_new_writes_nothing(recorded: Recorded) -> None:
    recorded.add(sample()).health("1,2,3,4,5,6,7")
    recorded.follow()
    before = recorded.checkpoint.stat()
    recorded.follow()
    after = recorded.checkpoint.stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def spoilt(recorded: Recorded, change: Callable[[dict[str, Any]], object]) -> None:
    note = json.loads(recorded.checkpoint.read_bytes())
    change(note)
    recorded.checkpoint.write_text(json.dumps(note), encoding="utf-8")


SPOILS: dict[str, Callable[[dict[str, Any]], object]] = {
    "another attempt": lambda note: note.update(attempt=2),
    "another version": lambda note: note.update(schema_version="9.9"),
    "another file": lambda note: note["results"]["identity"].update(inode=1),
    "another beginning": lambda note: note["results"]["identity"].update(sha256="0" * 64),
    "beyond the end": lambda note: note["results"].update(offset=10**9),
    "no number": lambda note: note["results"].update(offset="far"),
    "within the header": lambda note: note["results"].update(offset=3),
    "no totals": lambda note: note["results"].pop("totals"),
    "no list": lambda note: note["results"]["totals"].update(labels=7),
    "no histogram": lambda note: note["results"]["totals"]["labels"][0].update(
        histogram={"buckets": "!", "counts": ""}
    ),
    "uneven histogram": lambda note: note["results"]["totals"]["labels"][0]["histogram"].update(counts=""),
    "huge bucket": lambda note: note["results"]["totals"]["labels"][0]["histogram"].update(buckets="/////w=="),
    "other results": lambda note: note.update(results=[1]),
    "health of another": lambda note: note["health"]["totals"].pop("latest"),
    "no health": lambda note: note.update(health="fine"),
}


@pytest.mark.parametrize("how", SPOILS)
def test_a_note_that_does_not_fit_is_made_anew(recorded: Recorded, how: str) -> None:
    recorded.add(sample(), sample(success="false")).health("1,2,3,4,5,6,7")
    recorded.follow()
    spoilt(recorded, SPOILS[how])
    found = recorded.follow()
    assert (found.totals.rows, found.totals.total().errors, found.health.readings) == (2, 1, 1)
    assert json.loads(recorded.checkpoint.read_bytes())["attempt"] == 1


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\x00" * 100, b"[" * 100_000])
def test_a_note_that_is_none_is_made_anew(recorded: Recorded, content: bytes) -> None:
    recorded.add(sample())
    recorded.checkpoint.write_bytes(content)
    assert recorded.follow().totals.rows == 1
    assert recorded.follow().totals.rows == 1


def test_results_that_were_replaced_are_read_from_their_beginning(recorded: Recorded) -> None:
    recorded.add(sample(), sample(), sample()).follow()
    other = recorded.results.with_name("other.csv")
    other.write_text(HEADER + text([sample(label="Other")]), encoding="utf-8")
    other.replace(recorded.results)
    assert [key.label for key in recorded.follow().totals.labels] == ["Other"]


def test_results_that_became_shorter_are_read_from_their_beginning(recorded: Recorded) -> None:
    recorded.add(sample(), sample(), sample()).follow()
    recorded.results.write_text(HEADER + text([sample()]), encoding="utf-8")
    assert recorded.follow().totals.rows == 1


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


FOLLOWER = """
import sys
from pathlib import Path
from perfsuite.artifacts import RunStore
from perfsuite_jmeter.service.following import follow
run = RunStore(Path(sys.argv[1])).open("r1")
for _ in range(30):
    found = follow(run, 1, ended=False)
sys.stdout.write(f"{found.totals.rows} {found.totals.total().samples}")
"""


def test_two_servers_that_read_at_once_count_every_row_once(recorded: Recorded) -> None:
    recorded.add(*[sample(elapsed=n) for n in range(2_000)])
    store = str(recorded.run.root.parent)
    readers = [
        subprocess.Popen([sys.executable, "-c", FOLLOWER, store], stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    for _ in range(100):
        recorded.add(*[sample()] * 50)
    for reader in readers:
        reader.communicate(timeout=60)
        assert reader.returncode == 0
    found = recorded.follow(ended=True)
    assert found.totals.rows == 7_000
    compare(found, summarise([recorded.results]))


def test_whoever_reads_for_long_makes_others_say_so(recorded: Recorded) -> None:
    busy = Conflict("held", next_step="")
    with (
        holding(recorded.run.lock_path("jmeter-live"), busy=busy),
        pytest.raises(Conflict, match="being read by another process"),
    ):
        recorded.follow(patience_s=0.05)


@pytest.mark.skipif(os.geteuid() == 0, reason="this user may write anywhere")
def test_without_a_place_for_the_note_the_numbers_are_told_all_the_same(recorded: Recorded) -> None:
    recorded.add(sample())
    folder = recorded.results.parent
    folder.chmod(0o500)
    try:
        assert recorded.follow().totals.rows == 1
    finally:
        folder.chmod(0o700)
