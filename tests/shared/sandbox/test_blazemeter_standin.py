"""The stand-in of BlazeMeter: who may ask, lists with their oddities, and reports that come from real samples."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from fixtures import fixture
from perfsuite.errors import BadFile, BadInput
from perfsuite.samples.summary import summarise
from perfsuite.sandbox.blazemeter import ROUTES, BlazeMeterSpec, BlazeMeterStandIn
from perfsuite.sandbox.blazemeter.results import write_results
from shared.sandbox.blazemeter import ARCHIVED, CHECKOUT, NEWEST, Desk, desk


@pytest.fixture(scope="module")
def shared_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with desk(tmp_path_factory.mktemp("blazemeter"), runs=12) as found:
        yield found


@pytest.fixture
def bm(shared_desk: Desk) -> Iterator[Desk]:
    yield shared_desk
    shared_desk.standin.faults.switch_off()
    shared_desk.standin.journal.forget()


def recorded(name: str) -> Any:
    return json.loads(fixture(f"blazemeter/{name}").read_text(encoding="utf-8"))


def row_all(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return next(row for row in rows if "ALL" in (row.get("id"), row.get("labelId"), row.get("name")))


def test_whoever_has_no_key_is_refused_as_the_recording_shows(bm: Desk) -> None:
    known = recorded("recorded_401_unauthorized.json")
    refused = httpx.get(f"{bm.http.base_url}user", auth=("sandbox-key-id", "wrong"))
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"] == known["headers"]["WWW-Authenticate"]
    assert {**refused.json(), "request_id": ""} == {**known["body"], "request_id": ""}
    assert bm.standin.journal.received()[0].credentials == "wrong"


def test_every_field_of_an_account_is_one_that_was_recorded(bm: Desk) -> None:
    known = recorded("taurus_accounts.json")
    answer = bm.get("/accounts").json()
    assert answer.keys() - {"request_id"} == known.keys()
    assert {name for row in answer["result"] for name in row} <= {*known["result"][0], "aiConsent"}


def test_ten_come_unless_more_are_asked_for_and_never_more_than_fifty(bm: Desk) -> None:
    first, wide = bm.get("/workspaces").json(), bm.get("/workspaces", limit=1000).json()
    assert (len(first["result"]), first["limit"], first["total"]) == (10, 10, 14)
    assert (len(wide["result"]), wide["limit"]) == (14, 50)
    rest = bm.result("/workspaces", skip=10)
    assert [row["id"] for row in first["result"] + rest] == [row["id"] for row in wide["result"]]


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/workspaces?accountId=10", ["Partner"]),
        ("/workspaces?name=Retail", ["Retail"]),
        ("/projects?workspaceId=1101", ["Checkout", "Search"]),
        ("/projects?workspaceId=1103", []),
        ("/tests?projectId=2102", ["search-api"]),
        ("/tests?workspaceId=1101&sort[]=-name&limit=2", ["search-api", "checkout-spike"]),
    ],
)
def test_lists_are_filtered_and_sorted(bm: Desk, path: str, names: list[str]) -> None:
    assert [row["name"] for row in bm.result(path)] == names


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/workspaces?accountId=77", 403),
        ("/workspaces/1", 404),
        ("/projects/x", 404),
        ("/tests/1", 404),
        ("/masters/1", 404),
        ("/masters/99999999999999999999999", 404),
        ("/masters?testId=x", 400),
        ("/sessions/r-v4-none/reports/logs", 404),
    ],
)
def test_what_is_not_there_is_an_error_in_the_envelope(bm: Desk, path: str, status: int) -> None:
    answer = bm.get(path)
    assert (answer.status_code, answer.json()["error"]["code"], answer.json()["result"]) == (status, status, None)


@pytest.mark.parametrize("path", ["/user", "/workspaces/1101", "/projects/2101", "/tests/3001", f"/masters/{NEWEST}"])
def test_single_things_are_found(bm: Desk, path: str) -> None:
    assert bm.result(path)["id"]


def test_runs_of_a_whole_account_are_not_counted(bm: Desk) -> None:
    assert bm.get("/masters", accountId=9).json()["total"] == "n/a"
    assert bm.get("/masters", testId=3001).json()["total"] == 9
    bm.fault("masters", "total_na")
    assert bm.get("/masters", testId=3001).json()["total"] == "n/a"


def test_runs_are_filtered_by_start_time_and_by_nothing_else(bm: Desk) -> None:
    runs = bm.result("/masters", projectId=2101, limit=50)
    since, until = runs[5]["created"], runs[3]["created"]
    assert [run["id"] for run in bm.result("/masters", startTime=since, endTime=until)] == [
        run["id"] for run in runs[3:6]
    ]
    ignored = {"from": since, "to": until, "minCreated": since, "createdAfter": since}
    assert len(bm.result("/masters", projectId=2101, limit=50, **ignored)) == len(runs) == 12


def test_the_summary_is_that_of_the_samples_and_all_is_not_its_first_row(bm: Desk) -> None:
    known = summarise([CHECKOUT])
    found = bm.result(f"/masters/{NEWEST}/reports/default/summary")
    row = row_all(found["summary"])
    assert found["summary"][0]["id"] != "ALL"
    assert (row["hits"], row["failed"]) == (known.total.samples, known.total.errors)
    assert (row["min"], row["max"], row["maxUsers"]) == (known.total.min_ms, known.total.max_ms, known.concurrency)
    assert (row["first"], row["last"]) == (known.first_us // 10**6, known.last_us // 10**6)
    assert row.keys() >= recorded("shape_summary_all_row.json")["result"]["summary"][0].keys()


def test_the_aggregate_report_has_the_numbers_of_the_samples_by_label(bm: Desk) -> None:
    known = {label.label: label for label in summarise([CHECKOUT]).labels}
    rows = bm.result(f"/masters/{NEWEST}/reports/aggregatereport/data")
    assert rows[0].keys() >= recorded("mock_aggregatereport.json")["result"][0].keys()
    assert {row["labelName"]: (row["samples"], row["errorsCount"]) for row in rows if row["labelId"] != "ALL"} == {
        name: (label.samples, label.errors) for name, label in known.items()
    }
    for row in rows:
        assert row["errorsRate"] == pytest.approx(row["errorsCount"] / row["samples"] * 100)


def test_the_errors_report_tells_everything_twice(bm: Desk) -> None:
    rows = bm.result(f"/masters/{NEWEST}/reports/errorsreport/data")
    known = recorded("mock_errorsreport.json")["result"]
    assert (rows[0]["name"], rows[-1]["name"]) == (known[0]["name"], known[-1]["name"]) == ("ALL", "err_inconsistency")
    assert rows[0].keys() >= known[0].keys()
    assert sum(error["count"] for error in rows[0]["errors"]) == summarise([CHECKOUT]).total.errors
    assert sum(one["failures"] for one in rows[0]["assertions"]) == 3


@pytest.mark.parametrize(
    ("route", "kind", "path", "seen"),
    [
        ("summary", "no_tp95", "default/summary", lambda r: "tp95" not in row_all(r["summary"])),
        ("summary", "null_kpis", "default/summary", lambda r: row_all(r["summary"])["hits"] is None),
        ("aggregate_report", "no_median", "aggregatereport/data", lambda r: r[0]["medianResponseTime"] == 0),
        ("aggregate_report", "no_percentiles", "aggregatereport/data", lambda r: r[0]["99line"] is None),
        ("errors_report", "inconsistent", "errorsreport/data", lambda r: r[-1]["otherErrorsCount"] == 3),
        ("thresholds", "says_success", "thresholds", lambda r: r["data"][0].get("assertions") == []),
    ],
)
def test_reports_have_the_gaps_that_were_seen(bm: Desk, route: str, kind: str, path: str, seen: Any) -> None:
    assert not seen(bm.result(f"/masters/{NEWEST}/reports/{path}"))
    bm.fault(route, kind)
    assert seen(bm.result(f"/masters/{NEWEST}/reports/{path}"))


def test_thresholds_asked_for_as_taurus_does_always_say_success(bm: Desk) -> None:
    failed = next(run["id"] for run in bm.result("/masters", testId=3002) if run["reportStatus"] == "fail")
    report = f"/masters/{failed}/reports/thresholds"
    [row] = bm.result(report)["data"]
    assert (row["success"], row["field"]) == (False, "errors.percent")
    assert row.keys() == recorded("shape_thresholds_failed.json")["result"]["data"][0].keys()
    assert bm.result(report, external="false", source="default")["data"][0]["success"] is True
    assert bm.result(f"/masters/{failed}/ci-status")["failures"][0]["code"] == 61000
    assert bm.result(f"/masters/{failed}")["passed"] is False


@pytest.mark.parametrize(
    "path",
    ["default/summary", "aggregatereport/data", "errorsreport/data", "thresholds", "../ci-status"],
)
def test_an_archived_run_has_no_reports(bm: Desk, path: str) -> None:
    known = recorded("shape_summary_archived_422.json")
    assert bm.result(f"/masters/{ARCHIVED}")["dumped"] is True
    refused = bm.get(f"/masters/{ARCHIVED}/reports/{path}")
    assert (refused.status_code, refused.json()["error"]) == (422, known["error"])
    bm.fault("*", "archived_in_200")
    in_200 = bm.get(f"/masters/{NEWEST}/reports/{path}")
    assert (in_200.status_code, in_200.json()["error"]["code"]) == (200, 422)


def test_too_many_requests_come_with_the_time_to_wait(bm: Desk) -> None:
    bm.fault("*", "too_many", seconds=3)
    refused = bm.get("/user")
    assert (refused.status_code, refused.headers["Retry-After"], refused.json()["error"]["code"]) == (429, "3", 429)


def test_labels_have_the_ids_of_the_aggregate_report(bm: Desk) -> None:
    labels = bm.result("/data/labels", master_id=NEWEST)
    rows = bm.result(f"/masters/{NEWEST}/reports/aggregatereport/data")
    assert [label["id"] for label in labels] == [row["labelId"] for row in rows]
    assert bm.result("/data/labels", master_id=1) == []


def test_every_route_says_what_it_rests_on() -> None:
    assert all(route.name.startswith("blazemeter.") and route.evidence for route in ROUTES)
    assert len({route.name for route in ROUTES}) == len(ROUTES)


@pytest.mark.parametrize("wrong", [{"engines": 0}, {"runs": 0}, {"speed": 0}, {"executions": 99}])
def test_a_spec_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        BlazeMeterSpec((CHECKOUT,), **wrong)


def test_a_folder_without_results_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="holds none of"):
        BlazeMeterStandIn(BlazeMeterSpec((tmp_path,)), tmp_path / "work")


def test_results_for_those_who_have_none_are_the_same_every_time(tmp_path: Path) -> None:
    files = [write_results(tmp_path / name, 1_790_000_000) for name in ("a.jtl", "b.jtl")]
    assert files[0].read_bytes() == files[1].read_bytes()
    found = summarise([files[0]])
    assert (found.concurrency, len(found.labels)) == (20, 3)
    assert 0 < (found.total.error_rate or 0) < 0.05
    assert found.last_us <= 1_790_000_000 * 10**6
