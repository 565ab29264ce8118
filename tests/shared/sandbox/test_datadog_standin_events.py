"""Logs and spans of the Datadog stand-in: searched, paged with cursors, and counted."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perfsuite.errors import BadInput
from perfsuite.sandbox.datadog.scopes import QueryError
from perfsuite.sandbox.datadog.searches import Event, read_search
from perfsuite.sandbox.datadog.spec import DatadogSpec
from perfsuite.sandbox.standins.faults import Fault
from shared.sandbox.datadog_desk import END, START, Desk, desk_of, window

FEW = {"lines_per_request": 0.005, "spans_per_request": 0.005, "lines_per_idle_minute": 2}
PLENTY = {"logs_public_search_api": {"limit": 10_000, "period_s": 10}}
EVENT = Event(
    at_ms=1000,
    number=0,
    reserved={"service": "web-shop", "status": "error", "host": "a"},
    tags=("env:perf", "team:x", "team:y"),
    attributes={"http": {"status_code": 503, "url_details": {"path": "/a b"}}, "duration": 2_500_000},
    text="Timeout: connection refused by peer",
)


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with desk_of(capacity_per_s=60, log=FEW, limits=PLENTY) as found:
        yield found


def paged(desk: Desk, search: Any, limit: int, query: str = "*", **changes: Any) -> list[dict[str, Any]]:
    """Every event, a page at a time."""
    found: list[dict[str, Any]] = []
    page: dict[str, Any] = {"limit": limit}
    while True:
        body = search(query, page=page, **changes).json()
        found += body["data"]
        if not body["data"]:
            assert "meta" not in body or "page" not in body["meta"]
            return found
        page = {"limit": limit, "cursor": body["meta"]["page"]["after"]}


@pytest.mark.parametrize("kind", ["logs", "spans"])
def test_pages_of_any_size_hold_the_same_events_in_order(desk: Desk, kind: str) -> None:
    search = getattr(desk, kind)
    large, small = paged(desk, search, 1000), paged(desk, search, 170)
    newest_first = paged(desk, search, 170, sort="-timestamp")
    assert large == small == newest_first[::-1]
    assert len({one["id"] for one in large}) == len(large) > 500
    time = "timestamp" if kind == "logs" else "start_timestamp"
    times = [one["attributes"][time] for one in large]
    assert times == sorted(times)


def test_counts_agree_with_pages(desk: Desk) -> None:
    found = paged(desk, desk.logs, 1000)
    for facet in ("status", "service"):
        counted = {one["by"][facet]: one["computes"]["c0"] for one in desk.count_logs("*", facet)}
        values = [one["attributes"][facet] for one in found]
        assert counted == {value: values.count(value) for value in set(values)}
    errors = desk.count_logs("status:error", "@error.kind")
    assert sum(one["computes"]["c0"] for one in errors) == sum(one["attributes"]["status"] == "error" for one in found)


def test_groups_are_cut_at_their_limit_and_the_missing_are_left_out_unless_named(desk: Desk) -> None:
    [first] = desk.count_logs("*", group_by=[{"facet": "service", "limit": 1}])
    everything = desk.count_logs("*", "service")
    assert first == everything[0]
    named = desk.count_logs("*", group_by=[{"facet": "@error.kind", "limit": 100, "missing": "none"}])
    total = desk.count_logs("*")[0]["computes"]["c0"]
    assert sum(one["computes"]["c0"] for one in named) == total
    assert sum(one["computes"]["c0"] for one in desk.count_logs("*", "@error.kind")) < total


def test_other_things_than_counts_are_computed(desk: Desk) -> None:
    how = ["min", "median", "pc75", "pc99", "max", "avg", "sum"]
    compute = [{"aggregation": one, "metric": "@duration"} for one in how]
    compute.append({"aggregation": "cardinality", "metric": "service"})
    [bucket] = desk.count_logs("*", compute=compute)
    numbers = [bucket["computes"][f"c{place}"] for place in range(5)]
    assert numbers == sorted(numbers)
    assert bucket["computes"]["c7"] == 2


def test_beyond_capacity_requests_fail(desk: Desk) -> None:
    [early] = desk.count_logs(
        "@http.status_code:200", filter={**window("@http.status_code:200"), "to": str((START + 900) * 1000)}
    )
    late = {**window("status:error"), "from": str((END - 600) * 1000)}
    assert early["computes"]["c0"] > 0
    assert desk.count_logs(filter=late)[0]["computes"]["c0"] > 20


def test_given_lines_stand_among_those_of_the_model() -> None:
    line = {"timestamp": START + 60.5, "message": "deployed", "status": "notice", "attributes": {"a": {"b": [1, 2]}}}
    with desk_of(log_rows=[line], log=FEW) as desk:
        [found] = desk.logs("@a.b:2").json()["data"]
        everything = desk.logs().json()["data"]
    assert found["attributes"]["message"] == "deployed"
    assert found in everything


@pytest.mark.parametrize(
    ("query", "holds"),
    [
        ("*", True), ("", True), ("service:web*", True), ("service:shop", False), ("-service:web-shop", False),
        ("NOT status:info", True), ("status:(info OR error)", True), ("status:(info OR warn)", False),
        ("@http.status_code:503", True), ("@http.status_code:[500 TO 599]", True),
        ("@http.status_code:[400 TO *]", True),
        ("@http.status_code:[200 TO 299]", False), ("@duration:>=2500000", True), ("@duration:<2500000", False),
        ('"connection refused"', True), ("timeout peer", True), ("timeout nobody", False), ("timeout OR nobody", True),
        ("team:y env:perf", True), ("team:z", False), ('@http.url_details.path:"/a b"', True), ("@nothing:*", False),
        ("@duration:*", True), ("message:refused", True), ("(status:info OR service:web*) AND host:a", True),
        ("-(status:error host:a)", False),
    ],
)  # fmt: skip
def test_searches_choose_events(query: str, holds: bool) -> None:
    assert read_search(query)(EVENT) is holds


@pytest.mark.parametrize("query", ["(", "a OR", "status:(", "@a:[x TO y]", "(" * 200 + ")" * 200, ")", "x" * 20_000])
def test_searches_that_cannot_be_read_are_refused(desk: Desk, query: str) -> None:
    answer = desk.logs(query)
    assert answer.status_code == 400
    assert answer.json()["errors"]


@given(st.text(alphabet='ab:@()[]"*- ><=TO.OR', max_size=40))
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_any_text_is_a_search_or_an_error(text: str) -> None:
    try:
        test = read_search(text)
    except QueryError:
        return
    assert test(EVENT) in (True, False)


@pytest.mark.parametrize(
    "changes",
    [
        {"page": {"limit": 1001}}, {"page": {"limit": 0}}, {"page": {"limit": "many"}}, {"sort": "message"},
        {"filter": {"from": "yesterday", "to": "now"}}, {"filter": {"from": "now", "to": "now-1h"}}, {"filter": [1]},
    ],
)  # fmt: skip
def test_requests_that_cannot_be_right_are_refused(desk: Desk, changes: dict[str, Any]) -> None:
    assert desk.logs(**changes).status_code in (400, 422)


@pytest.mark.parametrize("changes", [{"compute": ["x"]}, {"compute": [{"aggregation": "x"}]}, {"group_by": [{}]}])
def test_counts_that_cannot_be_right_are_refused(desk: Desk, changes: dict[str, Any]) -> None:
    body = {"filter": window("*"), **changes}
    assert desk.http.post("/api/v2/logs/analytics/aggregate", json=body).status_code == 400


def test_relative_times_are_those_of_the_stand_in() -> None:
    with desk_of(now=END, log=FEW, limits=PLENTY) as desk:
        relative = desk.logs(filter={"from": "now-1h", "to": "now", "query": "*"}).json()["data"]
        assert relative == desk.logs().json()["data"]


def test_a_page_may_begin_with_the_last_event_of_the_one_before(desk: Desk) -> None:
    first = desk.logs(page={"limit": 5}).json()
    desk.standin.faults.switch_on("datadog.logs_search", Fault("overlap", times=1))
    second = desk.logs(page={"limit": 5, "cursor": first["meta"]["page"]["after"]}).json()
    assert second["data"][0] == first["data"][-1]


def test_a_search_may_run_out_of_time(desk: Desk) -> None:
    desk.standin.faults.switch_on("datadog.*", Fault("status_timeout", times=1))
    assert desk.logs().json()["meta"]["status"] == "timeout"
    assert desk.logs().json()["meta"]["status"] == "done"
    desk.standin.faults.switch_off()


def test_spans_may_be_asked_for_three_hundred_times_an_hour() -> None:
    with desk_of(log={"spans_per_request": 0}) as desk:
        answers = [desk.spans() for _ in range(301)]
    assert {one.status_code for one in answers[:300]} == {200}
    assert answers[300].status_code == 429
    assert answers[300].headers["x-ratelimit-name"] == "spans_public_search_api"
    assert int(answers[300].headers["x-ratelimit-reset"]) > 0


def test_a_spec_that_makes_no_sense_says_where() -> None:
    with pytest.raises(BadInput, match=r"hosts\.0\.cores"):
        DatadogSpec.of({"hosts": [{"name": "a", "cores": 0}]})
