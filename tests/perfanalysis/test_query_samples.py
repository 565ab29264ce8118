"""The answers of `query_samples`, through the protocol."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from perfsuite.mcp.pages import read_page
from perfsuite.mcp.rules import check_calls

from .conftest import jtl_row

pytestmark = pytest.mark.anyio

Ask = Callable[..., Any]


@pytest.fixture
def ask(client: Callable[[], Any]) -> Ask:
    async def call(**arguments: Any) -> dict[str, Any]:
        async with client() as connection:
            result = await connection.call_tool("query_samples", arguments)
        assert not result.is_error, result.content[0].text
        assert len(result.content[0].text) < 10_000
        found: dict[str, Any] = result.structured_content
        return found

    return call


@pytest.fixture
def refused(client: Callable[[], Any]) -> Ask:
    async def call(**arguments: Any) -> str:
        async with client() as connection:
            result = await connection.call_tool("query_samples", arguments)
        assert result.is_error
        return str(result.content[0].text)

    return call


@pytest.fixture
def run_id(imported: Callable[..., str]) -> str:
    rows = [jtl_row(i, 100 + i, "GET /cart") for i in range(60)]
    rows += [jtl_row(i + 0.5, 400, "POST /order", success=i % 3 > 0) for i in range(60)]
    rows += [jtl_row(60.5, 50, "GET /cart<b>\n|`")]
    return imported(sorted(rows, key=lambda row: int(row["timeStamp"])))


async def test_labels_come_slowest_first_with_the_overall_numbers(ask: Ask, run_id: str) -> None:
    answer = await ask(run_id=run_id)
    assert [row["label"] for row in answer["rows"]] == ["POST /order", "GET /cart", "GET /cart<b> |`"]
    assert answer["overall"]["samples"] == 121
    assert answer["overall"]["errors"] == 20
    assert answer["rows"][1]["p50_ms"] == 129.5
    assert answer["percentile_method"] == "linear"
    assert answer["total"] == 3
    assert not answer["has_more"]


@pytest.mark.parametrize(
    ("sort_by", "first"),
    [("label", "GET /cart"), ("errors", "POST /order"), ("mean_ms", "POST /order"), ("samples", "GET /cart")],
)
async def test_labels_are_sorted_as_asked(ask: Ask, run_id: str, sort_by: str, first: str) -> None:
    assert (await ask(run_id=run_id, sort_by=sort_by))["rows"][0]["label"] == first


async def test_labels_of_a_few_samples_do_not_lead_the_slowest(ask: Ask, imported: Callable[..., str]) -> None:
    rows = [*(jtl_row(i, 100, "GET /") for i in range(60)), *(jtl_row(i, 900, "rare") for i in range(7))]
    run_id = imported(rows)
    assert [row["label"] for row in (await ask(run_id=run_id))["rows"]] == ["GET /", "rare"]
    assert [row["label"] for row in (await ask(run_id=run_id, sort_by="mean_ms"))["rows"]] == ["rare", "GET /"]


async def test_a_pattern_selects_labels_and_a_window_selects_time(ask: Ask, run_id: str) -> None:
    answer = await ask(run_id=run_id, labels=["GET *"], from_s=10, to_s=20)
    assert [(row["label"], row["samples"]) for row in answer["rows"]] == [("GET /cart", 10)]
    assert answer["window_start"] == "2026-09-21T14:13:30.000Z"


async def test_a_time_series_counts_starts_and_ends_in_buckets(ask: Ask, run_id: str) -> None:
    answer = await ask(run_id=run_id, about="time_series", bucket_s=10, labels=["GET /cart"])
    assert len(answer["rows"]) == 6
    assert answer["rows"][0]["hits_per_s"] == 1.0
    assert answer["rows"][0]["users"] == 5
    assert sum(row["completed_per_s"] * row["seconds"] for row in answer["rows"]) == pytest.approx(60, abs=0.1)


async def test_the_last_bucket_is_measured_over_what_there_was_of_it(ask: Ask, imported: Callable[..., str]) -> None:
    run_id = imported([jtl_row(i / 10, 50, "GET /") for i in range(125)])
    *_, last = (await ask(run_id=run_id, about="time_series", bucket_s=10))["rows"]
    assert last["seconds"] == pytest.approx(2.45)
    assert last["hits_per_s"] == pytest.approx(10.2, abs=0.3)


async def test_the_overall_numbers_are_those_of_the_kind_asked_for(ask: Ask, imported: Callable[..., str]) -> None:
    message = "Number of samples in transaction : 1, number of failing samples : 0"
    rows = [jtl_row(0, 100, "GET /"), jtl_row(0, 300, "Buy", responseMessage=message)]
    run_id = imported(rows)
    assert (await ask(run_id=run_id))["overall"]["mean_ms"] == 100
    assert (await ask(run_id=run_id, kind="transaction"))["overall"]["mean_ms"] == 300
    assert (await ask(run_id=run_id, kind="any"))["overall"]["samples"] == 2


async def test_seconds_count_from_the_first_row_of_any_kind_whatever_is_selected(
    ask: Ask, imported: Callable[..., str]
) -> None:
    message = "Number of samples in transaction : 2, number of failing samples : 0"
    rows = [jtl_row(0, 500, "Buy", responseMessage=message), *(jtl_row(7 + i, 100, "GET /") for i in range(20))]
    rows += [jtl_row(14 + i, 50, "late") for i in range(3)]
    run_id = imported(rows)
    every = await ask(run_id=run_id, about="time_series", bucket_s=5)
    assert [row["from_s"] for row in every["rows"]] == [5, 10, 15, 20, 25]
    assert every["rows"][0]["start"] == "2026-09-21T14:13:25.000Z"
    assert "from 2026-09-21T14:13:20.000Z" in every["notes"][0]
    late = await ask(run_id=run_id, about="time_series", bucket_s=5, labels=["late"])
    assert [row["from_s"] for row in late["rows"]] == [10, 15]
    inside = await ask(run_id=run_id, about="time_series", bucket_s=5, from_s=8, to_s=12)
    assert [row["from_s"] for row in inside["rows"]] == [8]


async def test_percentiles_of_a_few_samples_are_given_with_a_warning(ask: Ask, imported: Callable[..., str]) -> None:
    run_id = imported([*(jtl_row(i, 100, "GET /") for i in range(300)), *(jtl_row(i, 9, "rare") for i in range(4))])
    answer = await ask(run_id=run_id)
    assert answer["rows"][1]["p99_ms"] == 9
    [note] = [one for one in answer["notes"] if "fewer samples" in one]
    assert note.startswith("Of 2 of 2 rows")
    assert note.endswith("p50_ms (30), p90_ms (100), p95_ms (200), p99_ms (1000).")
    enough = await ask(run_id=run_id, labels=["GET /"], percentiles=[50, 95, 100])
    assert not [one for one in enough["notes"] if "fewer samples" in one]


async def test_without_a_width_the_series_has_about_thirty_rows(ask: Ask, run_id: str) -> None:
    answer = await ask(run_id=run_id, about="time_series", limit=100)
    assert 10 <= answer["total"] <= 31
    assert "wide" in answer["notes"][0]


async def test_errors_are_grouped_by_cause_with_first_and_last_seen(ask: Ask, imported: Callable[..., str]) -> None:
    rows = [
        jtl_row(i, 10, "GET /", success=False, responseMessage=f"No route to 10.0.0.{i} in {i * 7} ms")
        for i in range(5)
    ]
    rows.append(jtl_row(9, 10, "GET /a", success=False, responseCode="200", failureMessage="Text not found"))
    rows.append(jtl_row(10, 10, "GET /a"))
    answer = await ask(run_id=imported(rows), about="error_groups")
    assert [(row["message"], row["count"]) for row in answer["rows"]] == [
        ("No route to <ip> in <n> ms", 5),
        ("Text not found", 1),
    ]
    assert answer["rows"][0]["labels"] == ["GET / (5)"]
    assert answer["rows"][0]["first_seen"] == "2026-09-21T14:13:20.000Z"


async def test_a_run_without_failures_says_so(ask: Ask, imported: Callable[..., str]) -> None:
    answer = await ask(run_id=imported([jtl_row(0, 10, "GET /")]), about="error_groups")
    assert answer["rows"] == []
    assert "No sample failed." in answer["notes"]


async def test_an_error_on_many_labels_names_the_first_ones(ask: Ask, imported: Callable[..., str]) -> None:
    rows = [jtl_row(i, 10, f"GET /{i}", success=False) for i in range(9)]
    [row] = (await ask(run_id=imported(rows), about="error_groups"))["rows"]
    assert row["labels"][-1] == "and 4 more labels"


async def test_response_codes_are_counted(ask: Ask, run_id: str) -> None:
    answer = await ask(run_id=run_id, about="response_codes")
    assert answer["rows"] == [
        {"response_code": "200", "samples": 101, "errors": 0},
        {"response_code": "500", "samples": 20, "errors": 20},
    ]


async def test_many_labels_are_paged_and_stay_within_the_size(ask: Ask, imported: Callable[..., str]) -> None:
    run_id = imported([jtl_row(i, i, f"label {i:04} {'x' * 150}") for i in range(120)])
    seen, start = [], 0
    while True:
        answer = await ask(run_id=run_id, start=start, limit=200)
        seen += [row["label"] for row in answer["rows"]]
        if not answer["has_more"]:
            break
        start = answer["next_start"]
    assert len(set(seen)) == 120


async def test_a_start_beyond_the_rows_is_said(ask: Ask, run_id: str) -> None:
    answer = await ask(run_id=run_id, start=50)
    assert answer["rows"] == []
    assert any("ask with a lower `start`" in note for note in answer["notes"])


async def test_what_the_file_does_not_tell_is_null_and_named(ask: Ask, imported: Callable[..., str]) -> None:
    rows = [{k: v for k, v in jtl_row(i, 10, "GET /").items() if k not in {"bytes", "sentBytes"}} for i in range(3)]
    answer = await ask(run_id=imported(rows))
    assert answer["rows"][0]["received_kb_per_s"] is None


async def test_an_unknown_run_names_similar_ones(refused: Ask, run_id: str) -> None:
    text = await refused(run_id="checkout-2")
    assert "'checkout-1'" in text


async def test_a_run_without_samples_names_the_tool_to_call_first(refused: Ask, artifacts: Any) -> None:
    from perfsuite.artifacts import RunStore

    RunStore(artifacts).create("fresh")
    assert "`perfsuite import`" in await refused(run_id="fresh")


async def test_a_selection_without_samples_says_what_the_run_has(refused: Ask, run_id: str) -> None:
    text = await refused(run_id=run_id, labels=["nothing like it"])
    assert "121 of kind 'sample'" in text
    text = await refused(run_id=run_id, from_s=50, to_s=20)
    assert "window" in text


async def test_too_many_buckets_are_refused_with_a_width_that_works(refused: Ask, run_id: str) -> None:
    assert "at least" in await refused(run_id=run_id, about="time_series", bucket_s=0.001)


async def test_a_run_id_that_is_a_path_is_refused(refused: Ask, run_id: str) -> None:
    assert "run id" in (await refused(run_id="../../etc")).lower()


async def test_a_parquet_file_of_somebody_else_is_refused(refused: Ask, run_id: str, artifacts: Any) -> None:
    (artifacts / run_id / "samples.parquet").write_bytes(b"PAR1 not really PAR1")
    assert "Import the results of the run again." in await refused(run_id=run_id)


async def test_the_page_for_agents_names_only_calls_that_exist(client: Callable[[], Any]) -> None:
    async with client() as connection:
        tools = (await connection.list_tools()).tools
        page = (await connection.get_prompt("perfanalysis_rules")).messages[0].content.text
    assert page == read_page("perfanalysis/AGENTS.md")
    assert check_calls(page, tools) == []
    assert len(page) <= 6_000


async def test_the_list_of_tools_is_small(client: Callable[[], Any]) -> None:
    async with client() as connection:
        tools = (await connection.list_tools()).tools
    size = len(json.dumps([tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools]))
    assert size < 20_000
