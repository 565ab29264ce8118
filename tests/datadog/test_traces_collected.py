"""Spans: as logs, but wrapped otherwise, with attributes elsewhere, and an allowance by the hour."""

from collections.abc import Callable
from typing import Any

import pytest

from datadog.tables import queries, rows
from perfsuite.artifacts import RunFolder
from perfsuite.sandbox.datadog.standin import DatadogStandIn
from perfsuite.sandbox.standins.faults import Fault
from perfsuite_datadog.core.logs import COLUMNS, look_up, row
from perfsuite_datadog.models.logs import Event

QA = {"QA": {"env_tag": "perf", "tags": ["team:shop"], "hosts": [{"hostname": "shop-db-1"}]}}
PLAIN = {"QA": {"env_tag": "perf"}}
SEARCH = "datadog.spans_search"
# Some 1,440 spans in the hour, which make two pages.
SOME: dict[str, Any] = {"log": {"spans_per_request": 0.01, "lines_per_request": 0}}
_NOT_FAILED: tuple[Any, ...] = ("0", 0, None, False, {})
_FAILED: tuple[Any, ...] = ("1", 1, {"type": "Boom"})


@pytest.fixture
def mode() -> str:
    """Logs are collected in the other generation of the protocol."""
    return "legacy"


Start = Callable[..., DatadogStandIn]
Configure = Callable[..., None]
Connect = Callable[[], Any]


async def test_all_spans_of_the_window_are_paged_and_counted_by_datadog(
    datadog: Start, configure: Configure, connect: Connect, run: RunFolder
) -> None:
    standin = datadog(capacity_per_s=30, **SOME)
    configure(PLAIN)
    async with connect() as caller:
        result = await caller.collect("get_apm_traces", environment="QA", run_id=run.run_id, type="all")
    found = rows(run, "datadog/apm_traces_all_QA.csv")
    assert result["complete"]
    assert result["rows"] == result["total"] == len(found) > 1000
    errors = [one for one in found if one["status"] == "error"]
    assert result["counts"]["status"] == {"ok": len(found) - len(errors), "error": len(errors)}
    assert 0 < len(errors) < len(found)
    assert {one["error_kind"] for one in errors} == set(result["counts"]["error_kind"])
    assert all(one["operation"] == "http.request" and one["resource"] and one["trace_id"] for one in found)
    assert all(one["http_status_code"] and one["duration_ns"].isdigit() for one in found)
    bodies = [one.body["data"] for one in standin.journal.received(SEARCH)]
    assert {body["type"] for body in bodies} == {"search_request"}
    assert "cursor" not in bodies[0]["attributes"]["page"]
    assert "cursor" in bodies[1]["attributes"]["page"]


async def test_the_allowance_of_the_hour_is_said(
    datadog: Start, configure: Configure, connect: Connect, run: RunFolder
) -> None:
    datadog(**SOME)
    configure(PLAIN)
    async with connect() as caller:
        result = await caller.collect("get_apm_traces", environment="QA", run_id=run.run_id, type="all")
    [note] = [note for note in result["notes"] if "allowance" in note]
    assert "left of 300 requests in 3600 s" in note


async def test_an_allowance_that_is_used_up_ends_the_pages_before_it_bites(
    datadog: Start, configure: Configure, connect: Connect, run: RunFolder
) -> None:
    standin = datadog(limits={"spans_public_search_api": {"limit": 4, "period_s": 3600}}, **SOME)
    configure(PLAIN)
    async with connect() as caller:
        result = await caller.collect("get_apm_traces", environment="QA", run_id=run.run_id, type="all")
    assert (result["complete"], result["rows"]) == (False, 1000)
    assert f"After 1000 of {result['total']} events" in result["missing"]
    assert "4 requests in 3600 s" in result["missing"]
    assert len(standin.journal.received(SEARCH)) == 1
    [noted] = queries(run)
    assert (noted["complete"], noted["rows"]) == (False, 1000)


async def test_tags_of_the_environment_narrow_the_search(
    datadog: Start, configure: Configure, connect: Connect, run: RunFolder
) -> None:
    datadog(**SOME)
    configure(QA, apm_queries={"database": {"query": "host:{{hostname}} resource_name:*items*"}})
    async with connect() as caller:
        result = await caller.collect("get_apm_traces", environment="QA", run_id=run.run_id, type="database")
    assert result["query"] == "env:perf team:shop (host:shop-db-1 resource_name:*items*)"
    assert result["rows"] == 0
    assert rows(run, "datadog/apm_traces_database_QA.csv") == []


@pytest.mark.parametrize("kind", ["error_in_200", "wrong_type"])
async def test_an_error_in_mid_paging_is_said(
    datadog: Start, configure: Configure, connect: Connect, run: RunFolder, kind: str
) -> None:
    standin = datadog(**SOME)
    configure(PLAIN)
    standin.faults.switch_on(SEARCH, Fault(kind, after=1))
    async with connect() as caller:
        result = await caller.collect("get_apm_traces", environment="QA", run_id=run.run_id, type="all")
    assert not result["complete"]
    assert "Datadog failed" in result["missing"]
    assert len(rows(run, result["file"])) == 1000


def test_the_error_flag_of_a_span_is_read_as_a_number_and_not_as_a_text() -> None:
    def status(error: Any) -> str:
        cells = row("spans", Event("1", {"custom": {"error": error}}), "QA", "perf")
        return dict(zip(COLUMNS["spans"], cells, strict=True))["status"]

    assert [status(flag) for flag in _NOT_FAILED] == ["ok"] * 5
    assert [status(flag) for flag in _FAILED] == ["error"] * 3


@pytest.mark.parametrize(
    "attributes",
    [
        {"http": {"url_details": {"path": "/a"}}},
        {"http.url_details": {"path": "/a"}},
        {"http": {"url_details.path": "/a"}},
        {"http.url_details.path": "/a"},
    ],
)
def test_a_path_is_found_however_its_dots_are_meant(attributes: dict[str, Any]) -> None:
    assert look_up(attributes, "http.url_details.path") == "/a"


def test_attributes_of_odd_kinds_make_a_row_all_the_same() -> None:
    odd = {"attributes": [1], "tags": "env:x", "message": {"a": "b\n"}, "timestamp": 5, "service": None}
    cells = dict(zip(COLUMNS["logs"], row("logs", Event("", odd), "QA", "perf"), strict=True))
    assert (cells["tags"], cells["message"], cells["timestamp_utc"], cells["service"]) == (
        "env:x", '{"a": "b\\n"}', "5", "",
    )  # fmt: skip
