"""BlazeMeter's statistics by label: in the columns of the contract, and beside those of the samples."""

import csv
import json
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest

from blazemeter.conftest import NEWEST, OLDEST, Connect, Hands, started
from blazemeter.sessions import Fault, bring
from fixtures import fixture
from perfsuite.artifacts import RunStore
from perfsuite.samples.aggregate import COLUMNS as OWN_COLUMNS
from perfsuite.sandbox.blazemeter import OpenBlazeMeter
from perfsuite_blazemeter.core.aggregates import COLUMNS, remarks, table
from perfsuite_blazemeter.core.comparing import Comparison
from perfsuite_blazemeter.models.aggregates import Circumstances, Ours
from perfsuite_blazemeter.models.reports import AggregateRow


def row(label: str = "Home", **fields: Any) -> AggregateRow:
    known = {"labelName": label, "samples": 10, "errorsCount": 0, "minResponseTime": 5, "maxResponseTime": 50}
    return AggregateRow.model_validate({**known, **fields})


def own(label: str = "Home", kind: str = "sample", **fields: Any) -> Ours:
    known: dict[str, Any] = {"samples": 10, "errors": 0, "min_ms": 5.0, "max_ms": 50.0, "percentiles_ms": {}}
    return Ours(label, kind, **{**known, **fields})


def reasons(
    theirs: list[AggregateRow], ours: list[Ours], circumstances: Circumstances | None = None
) -> dict[tuple[str, str], str]:
    total = own("TOTAL", samples=sum(one.samples for one in ours if one.kind == "sample"))
    found = Comparison(theirs, ours, total, circumstances or Circumstances()).differences()
    return {(one.label, one.field): one.likely_reason for one in found}


def test_the_columns_are_those_of_our_own_report() -> None:
    assert COLUMNS == OWN_COLUMNS


def test_what_is_missing_stays_empty_and_nothing_takes_its_place() -> None:
    [_, cells] = table([row("ALL"), AggregateRow(label_name="Home", samples=3)])
    assert {name for name, value in cells.items() if value not in (None, "")} == {"labelName", "samples"}


def test_the_error_rate_is_counted_in_percent_whatever_blazemeter_calls_it() -> None:
    rows = [row("ALL"), row(errorsCount=5, errorsRate=0.5)]
    assert [cells["errorsRate"] for cells in table(rows)] == [0, 50]
    assert any("errorsRate" in note for note in remarks(rows))


def test_a_median_that_only_holds_the_place_is_left_empty() -> None:
    [cells] = table([row("ALL", medianResponseTime=0)])
    assert cells["medianResponseTime"] is None
    assert any("placeholder" in note for note in remarks([row("ALL", medianResponseTime=0)]))
    [fast] = table([row("ALL", medianResponseTime=0, minResponseTime=0)])
    assert fast["medianResponseTime"] == 0


def test_there_is_one_row_all_even_where_blazemeter_gives_none() -> None:
    cells = table([row("a"), row("b", samples=5, minResponseTime=1)])
    assert [one["labelName"] for one in cells] == ["ALL", "a", "b"]
    assert (cells[0]["samples"], cells[0]["minResponseTime"], cells[0]["avgResponseTime"]) == (15, 1, None)


def test_a_recorded_shape_is_a_table() -> None:
    answer = json.loads(fixture("blazemeter/mock_aggregatereport.json").read_text(encoding="utf-8"))
    listed = answer["result"] if isinstance(answer, dict) else answer
    cells = table([AggregateRow.model_validate(one) for one in listed])
    assert cells[0]["labelName"] == "ALL"


def test_what_agrees_is_no_difference() -> None:
    assert reasons([row("ALL"), row(minResponseTime=5.4)], [own()]) == {}


@pytest.mark.parametrize(
    ("theirs", "ours", "circumstances", "said"),
    [
        ([row(samples=14)], [own(), own(kind="sub", samples=4)], None, "counts sub-results"),
        ([row(samples=12)], [own(), own(kind="transaction", samples=2)], None, "counts transactions"),
        ([row(samples=11)], [own()], Circumstances(rows_rejected=1), "torn or unreadable"),
        ([row(samples=20)], [own()], Circumstances(incomplete_because="Half is missing."), "Half is missing"),
        ([row(samples=9)], [own()], None, "booting"),
        ([row(samples=99)], [own()], None, "Not known"),
    ],
)
def test_a_difference_has_a_likely_reason(
    theirs: list[AggregateRow], ours: list[Ours], circumstances: Circumstances | None, said: str
) -> None:
    assert said in reasons(theirs, ours, circumstances)["Home", "samples"]


def test_the_row_all_tells_when_transactions_are_counted() -> None:
    ours = [own(), own("Checkout", "transaction")]
    found = reasons([row("ALL", samples=20), row(), row("Checkout")], ours)
    assert list(found) == [("ALL", "samples")]
    assert "counts transactions" in found["ALL", "samples"]


def test_other_extremes_follow_from_other_samples() -> None:
    found = reasons([row(samples=9, maxResponseTime=40), row("Cart", maxResponseTime=40)], [own(), own("Cart")])
    assert "follows" in found["Home", "max_ms"]
    assert "follows" not in found["Cart", "max_ms"]


def test_labels_that_were_written_otherwise_or_folded_are_recognised() -> None:
    assert "writes the label otherwise" in reasons([row("home")], [own("Home")])["home", "samples"]
    folded = reasons([row("Other", samples=20)], [own("a"), own("b")])
    assert "add up" in folded["Other", "samples"]
    assert "folded" in folded["a", "samples"]


def test_labels_are_compared_whole_and_shown_in_part() -> None:
    long = "GET /" + "x" * 400
    theirs, ours = [row(long, samples=9), row(long + "/2")], [own(long), own(long + "/2")]
    [found] = Comparison(theirs, ours, own("TOTAL"), Circumstances()).differences()
    assert (found.blazemeter, len(found.label)) == (9, 200)


def test_what_blazemeter_does_not_list_is_named_by_its_kind() -> None:
    found = reasons([row()], [own(), own("Home-0", "sub"), own("Visit", "transaction")])
    assert "sub-results" in found["Home-0", "samples"]
    assert "transaction" in found["Visit", "samples"]


def test_percentiles_stand_side_by_side_and_are_not_compared() -> None:
    ours = own(percentiles_ms={"p50_ms": 10.0, "p90_ms": 20.0})
    [pair] = Comparison([row("Home", **{"90line": 99})], [ours], ours, Circumstances()).percentiles()
    assert not pair.comparable
    assert (pair.blazemeter_ms["p90"], pair.samples_ms["p90"]) == (99, 20)


async def test_the_report_is_written_and_agrees_with_the_samples(connect: Connect, artifacts: Path, mode: str) -> None:
    async with connect(mode) as tools:
        listed = await tools.call("get_artifact_file_list", run_id=str(NEWEST))
        assert (listed["total"], listed["ready"], "X-Amz" in str(listed)) == (2, 2, False)
        done = await tools.call("process_session_artifacts", run_id=str(NEWEST))
        assert done["result"]["complete"]
        found = await tools.call("get_aggregate_report", run_id=str(NEWEST))
    assert (found["compared"], found["labels_that_agree"], found["differences"]) == (True, 4, [])
    assert all(not pair["comparable"] for pair in found["percentiles"])
    with (artifacts / str(NEWEST) / found["file"]).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [one["labelName"] for one in rows].count("ALL") == 1
    assert float(rows[0]["errorsRate"]) == pytest.approx(5 / 168 * 100, abs=0.001)
    ledger = {one.step: one.state for one in RunStore(artifacts).open(str(NEWEST)).record().ledger}
    assert {step: ledger[step] for step in ("aggregate_report", "validate")} == {
        "aggregate_report": "done", "validate": "done",
    }  # fmt: skip


async def test_before_there_are_samples_nothing_is_compared(connect: Connect) -> None:
    async with connect() as tools:
        found = await tools.call("get_aggregate_report", run_id=str(NEWEST))
    assert (found["compared"], found["differences"], found["percentiles"]) == (False, [], [])
    assert "process_session_artifacts" in found["next_step"]


async def test_from_less_than_all_sessions_it_says_why_the_counts_differ(
    connect: Connect, runs: RunStore, fault: Fault
) -> None:
    fault("session_logs", "no_archive", after=1, times=3)
    await anyio.to_thread.run_sync(lambda: bring(runs, NEWEST, partial=True))
    async with connect() as tools:
        found = await tools.call("get_aggregate_report", run_id=str(NEWEST))
    assert any("incomplete" in note for note in found["notes"])
    assert all("incomplete" in one["likely_reason"] for one in found["differences"] if one["field"] == "samples")
    assert found["total"] > 0


async def test_an_archived_report_says_so(connect: Connect) -> None:
    async with connect() as tools:
        assert "archived" in await tools.refused("get_aggregate_report", run_id=str(OLDEST))


async def test_a_lost_sample_fails_the_validation(connect: Connect, runs: RunStore) -> None:
    await anyio.to_thread.run_sync(bring, runs, NEWEST)
    place = runs.root / str(NEWEST) / "blazemeter" / "sessions.json"
    place.write_text(place.read_text(encoding="utf-8").replace('"samples": 224', '"samples": 225'), encoding="utf-8")
    async with connect() as tools:
        assert "224 rows; 225 were read" in await tools.refused("get_aggregate_report", run_id=str(NEWEST))


async def test_the_report_of_a_run_that_goes_on_is_not_final(
    connect: Connect, service: OpenBlazeMeter, hands: Hands
) -> None:
    master_id = started(service, hands)
    hands.now += 40
    async with connect() as tools:
        found = await tools.call("get_aggregate_report", run_id=master_id)
    assert "Not final: the run goes on" in found["notes"][0]
    assert "`check_test_status`" in found["next_step"]
    assert "process_session_artifacts" not in found["next_step"]


async def test_the_id_of_a_row_fits_the_next_call(connect: Connect, mode: str) -> None:
    async with connect(mode) as tools:
        [project, *_] = (await tools.call("get_projects"))["rows"]
        assert "rows" in await tools.call("get_tests", project=project["id"])
