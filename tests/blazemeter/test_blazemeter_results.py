"""What BlazeMeter says about a run: both windows, numbers without inventions, and a verdict from three sources."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from blazemeter.conftest import FIRST_SAMPLE, NEWEST, OLDEST, STRICT_RUN, Connect, Hands, started
from perfsuite.artifacts import RunStore
from perfsuite.artifacts.schemas import RunFacts, Window
from perfsuite.sandbox.blazemeter import OpenBlazeMeter
from perfsuite_blazemeter.core.verdicts import verdict_of
from perfsuite_blazemeter.models.config import RunConfig
from perfsuite_blazemeter.models.reports import Thresholds
from perfsuite_blazemeter.service.results import answer_of


def config_of(artifacts: Path, run_id: object) -> dict[str, Any]:
    text = (artifacts / str(run_id) / "blazemeter" / "test_config.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


async def test_the_results_are_answered_and_kept(connect: Connect, artifacts: Path, runs: RunStore, mode: str) -> None:
    async with connect(mode) as tools:
        found = await tools.call("get_run_results", run_id=NEWEST)
    kept = config_of(artifacts, NEWEST)
    assert kept["schema_version"] == "1.0"
    assert {name: found[name] for name in ("numbers", "windows", "verdict", "test", "notes")} == {
        name: kept[name] for name in ("numbers", "windows", "verdict", "test", "notes")
    }
    assert found["test"] == {"id": 3001, "name": "checkout-flow"}
    assert found["workspace"] == {"id": 1101, "name": "Retail"}
    assert found["numbers"]["samples"] == 168
    assert found["numbers"]["errors"] == 5
    assert found["numbers"]["error_rate"] == pytest.approx(5 / 168)
    assert found["max_users"] == 8
    assert found["file"] == "blazemeter/test_config.json"
    assert "`process_session_artifacts`" in found["next_step"]


async def test_both_windows_are_given_and_the_one_to_use(connect: Connect, runs: RunStore) -> None:
    async with connect() as tools:
        windows = (await tools.call("get_run_results", run_id=NEWEST))["windows"]
    assert windows["created_ended"]["start"] == "2026-01-01T09:59:40Z"
    assert windows["samples"]["start"] == FIRST_SAMPLE
    assert windows["use"] == "samples"
    record = runs.open(str(NEWEST)).record()
    assert record.window is not None
    assert f"{record.window.first_sample_at:%Y-%m-%dT%H:%M:%SZ}" == FIRST_SAMPLE
    assert (record.source, record.fidelity) == ("blazemeter", "aggregate")


async def test_the_same_run_gives_the_same_bytes(connect: Connect, artifacts: Path) -> None:
    file = artifacts / str(NEWEST) / "blazemeter" / "test_config.json"
    async with connect() as tools:
        await tools.call("get_run_results", run_id=NEWEST)
        first = file.read_bytes()
        await tools.call("get_run_results", run_id=NEWEST)
    assert file.read_bytes() == first


async def test_a_run_may_have_another_name_than_its_master(connect: Connect, artifacts: Path) -> None:
    async with connect() as tools:
        await tools.call("get_run_results", run_id="checkout-1", master_id=NEWEST)
        status = await tools.call("check_test_status", run_id="checkout-1")
        said = await tools.refused("get_run_results", run_id="checkout-1", master_id=OLDEST)
    assert status["master_id"] == config_of(artifacts, "checkout-1")["master_id"] == NEWEST
    assert f"test_config.json holds master {NEWEST}" in said


async def test_percentiles_that_are_left_out_stay_out(connect: Connect, fault: Callable[..., None]) -> None:
    fault("summary", "no_tp95")
    async with connect() as tools:
        found = await tools.call("get_run_results", run_id=NEWEST)
    numbers = found["numbers"]
    assert numbers["p90_ms"] is not None
    assert (numbers["median_ms"], numbers["p95_ms"], numbers["p99_ms"]) == (None, None, None)
    assert any("left out median_ms, p95_ms, p99_ms" in note for note in found["notes"])


async def test_a_run_without_samples_has_no_numbers_and_no_window(
    connect: Connect, runs: RunStore, fault: Callable[..., None]
) -> None:
    fault("summary", "null_kpis")
    async with connect() as tools:
        found = await tools.call("get_run_results", run_id=NEWEST)
    assert {found["numbers"][name] for name in ("samples", "errors", "error_rate", "mean_ms", "p90_ms")} == {None}
    assert found["windows"]["use"] is None
    assert "Do not take created to ended" in found["windows"]["why"]
    assert any("There are no samples: no pass" in note for note in found["notes"])
    assert runs.open(str(NEWEST)).record().window is None


@pytest.mark.parametrize("kind", ["archived", "archived_in_200"])
async def test_an_archived_report_is_a_state(connect: Connect, fault: Callable[..., None], kind: str) -> None:
    fault("summary", kind)
    async with connect() as tools:
        found = await tools.call("get_run_results", run_id=NEWEST)
    assert found["state"] == "archived"
    assert found["numbers"]["samples"] is None
    assert "archived" in found["notes"][0]
    assert found["windows"]["created_ended"]["start"] == "2026-01-01T09:59:40Z"


async def test_a_run_whose_reports_were_put_away_keeps_its_dates(connect: Connect) -> None:
    async with connect() as tools:
        found = await tools.call("get_run_results", run_id=OLDEST)
    assert (found["state"], found["verdict"]["passed"]) == ("archived", False)
    assert found["verdict"]["thresholds"] == "unavailable"


async def test_a_run_that_goes_on_is_not_final(connect: Connect, service: OpenBlazeMeter, hands: Hands) -> None:
    master_id = started(service, hands)
    hands.now += 35
    async with connect() as tools:
        found = await tools.call("get_run_results", run_id=master_id)
    assert found["state"] == "running"
    assert found["windows"]["created_ended"]["end"] is None
    assert "not final" in found["next_step"]


async def test_a_run_in_the_future_is_said_to_be_there(connect: Connect, service: OpenBlazeMeter, hands: Hands) -> None:
    hands.now = 4_102_444_800.0
    master_id = started(service, hands)
    hands.now += 35
    async with connect() as tools:
        found = await tools.call("get_run_results", run_id=master_id)
    assert any("lies in the future" in note for note in found["notes"])


async def test_a_run_that_passed_says_what_it_was_measured_by(connect: Connect) -> None:
    async with connect() as tools:
        verdict = (await tools.call("get_run_results", run_id=NEWEST))["verdict"]
    assert (verdict["passed"], verdict["thresholds"], verdict["report_status"]) == (True, "passed", "pass")
    assert verdict["disagreement"] is None
    assert [one["fails_if"] for one in verdict["criteria"]] == [
        "errors.percent > 10",
        "responseTime.percentile.90 > 5000",
    ]


async def test_a_run_that_failed_is_said_to_have_failed_by_all_three(
    connect: Connect, asked: Callable[[str], list[Any]]
) -> None:
    async with connect() as tools:
        verdict = (await tools.call("get_run_results", run_id=STRICT_RUN))["verdict"]
    assert (verdict["passed"], verdict["thresholds"], verdict["ci_status"]) == (False, "failed", "failed")
    assert verdict["problems"] == ["Failure criteria failed: errors.percent (code 61000)"]
    assert verdict["disagreement"] is None
    assert asked("thresholds")[0].query == []


async def test_thresholds_that_only_say_success_are_no_pass(connect: Connect, fault: Callable[..., None]) -> None:
    fault("thresholds", "says_success")
    async with connect() as tools:
        verdict = (await tools.call("get_run_results", run_id=STRICT_RUN))["verdict"]
    assert (verdict["passed"], verdict["thresholds"]) == (False, "none")


@pytest.mark.parametrize("route", ["thresholds", "ci_status", "project", "test"])
async def test_what_cannot_be_read_beside_is_said_and_not_made_up(
    connect: Connect, fault: Callable[..., None], route: str
) -> None:
    fault(route, "error_in_200", status=500)
    async with connect() as tools:
        found = await tools.call("get_run_results", run_id=NEWEST)
    assert len([note for note in found["notes"] if "could not be read" in note]) == 1
    if route in ("thresholds", "ci_status"):
        assert found["verdict"][route] == "unavailable"


@pytest.mark.parametrize("kind", ["reset", "too_many", "server_error"])
async def test_a_fault_that_passes_is_not_noticed(connect: Connect, fault: Callable[..., None], kind: str) -> None:
    fault("summary", kind, times=1, seconds=0)
    async with connect() as tools:
        found = await tools.call("get_run_results", run_id=NEWEST)
    assert found["numbers"]["samples"] == 168


@pytest.mark.parametrize("kind", ["wrong_type", "truncated"])
async def test_an_answer_that_makes_no_sense_is_an_error(
    connect: Connect, runs: RunStore, fault: Callable[..., None], kind: str
) -> None:
    fault("summary", kind)
    async with connect() as tools:
        said = await tools.refused("get_run_results", run_id=NEWEST)
    assert "where JSON was expected" in said or "JSON that breaks off" in said
    assert runs.runs() == []


async def test_samples_that_are_there_already_keep_their_own_window(connect: Connect, runs: RunStore) -> None:
    exact = Window(
        first_sample_at=datetime(2026, 1, 1, 10, 0, 0, 90_000, UTC),
        last_sample_at=datetime(2026, 1, 1, 10, 1, tzinfo=UTC),
    )
    runs.create(str(NEWEST), RunFacts(source="blazemeter", fidelity="samples")).update(
        lambda record: record.model_copy(update={"window": exact})
    )
    async with connect() as tools:
        await tools.call("get_run_results", run_id=NEWEST)
    record = runs.open(str(NEWEST)).record()
    assert (record.window, record.fidelity) == (exact, "samples")


def test_many_thresholds_do_not_make_an_answer_too_long() -> None:
    rows = [
        {"field": f"responseTime.percentile.{number}", "labelId": "x" * 60, "op": "gt", "threshold": 1, "value": number}
        | {"success": number != 150}
        for number in range(200)
    ]
    verdict = verdict_of(Thresholds.model_validate({"data": rows}), "fail", None)
    config = RunConfig(run_id="1", master_id=1, state="ended", verdict=verdict, locations=("y" * 60,) * 100)
    found = answer_of(config)
    assert len(found.model_dump_json()) < 10_000
    assert found.verdict["criteria"][0]["passed"] is False
    assert "20 of 200 thresholds" in found.notes[-1]
    assert len(config.verdict.criteria) == 200
