"""Answers of the Datadog stand-in have the shapes of recorded ones."""

import base64
import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from fixtures import fixture
from shared.sandbox.datadog_desk import END, START, Desk, desk_of, window


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with desk_of(log={"lines_per_request": 0.02, "spans_per_request": 0.02}) as found:
        yield found


def _recorded(name: str, number: int = 0) -> Any:
    """The body of a recorded answer."""
    told = yaml.safe_load(fixture(f"datadog/{name}").read_text())["interactions"][number]["response"]["body"]
    if isinstance(told, dict):
        told = told["string"]
    return json.loads(gzip.decompress(told) if isinstance(told, bytes) else told)


def _shape(value: Any) -> Any:
    """Names and kinds of values; of a list, the shape of its first element."""
    if isinstance(value, dict):
        return {name: _shape(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_shape(value[0])] if value else []
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


def test_a_query_of_the_first_version(desk: Desk) -> None:
    recorded = _recorded("py_v1_test_query_timeseries_points_returns_ok_response.yaml")
    answered = desk.query("system.cpu.idle{*}", END - 86_400, END)
    assert set(recorded) <= set(answered)
    assert _shape(recorded["series"][0]) == _shape(answered["series"][0])
    assert recorded["series"][0]["interval"] == answered["series"][0]["interval"]
    assert recorded["series"][0]["length"] == answered["series"][0]["length"]


def test_a_sparse_query_of_the_first_version() -> None:
    recorded = _recorded("datadogpy_TestDatadog.test_metrics_simple.yaml", 1)
    rows = [{"metric": "test.metric", "timestamp": START + 60, "value": 1.0, "tags": ["host:a"]}]
    with desk_of(rows=rows) as desk:
        answered = desk.query("test.metric{host:a}")
    assert set(recorded) <= {*answered, "error"}
    assert set(recorded["series"][0]) <= set(answered["series"][0])


@pytest.mark.parametrize("what", ["ok_response", "with_container_data_source_returns_ok_response"])
def test_series_of_the_second_version(desk: Desk, what: str) -> None:
    name = "returns_ok_response" if what == "ok_response" else what
    recorded = _recorded(f"py_v2_test_timeseries_cross_product_query_{name}.yaml")
    metric = "avg:system.load.1{*}" if what == "ok_response" else "avg:nobody.sends.this{*}"
    assert _shape(desk.timeseries(metric).json()) == _shape(recorded)


def test_a_wrong_type_of_the_second_version(desk: Desk) -> None:
    recorded = _recorded("py_v2_test_timeseries_cross_product_query_returns_bad_request_response.yaml")
    answer = desk.http.post("/api/v2/query/timeseries", json={"data": {"type": "timeseries_rquest", "attributes": {}}})
    assert (answer.status_code, answer.json()) == (400, recorded)


@pytest.mark.parametrize("metric", ["avg:system.cpu.user{*}", "avg:nobody.sends.this{*}"])
def test_scalars(desk: Desk, metric: str) -> None:
    recorded = _recorded("py_v2_test_scalar_cross_product_query_returns_ok_response.yaml")
    query = {"data_source": "metrics", "name": "a", "query": metric, "aggregator": "avg"}
    body = {"type": "scalar_request", "attributes": {"from": START * 1000, "to": END * 1000, "queries": [query]}}
    [column] = desk.http.post("/api/v2/query/scalar", json={"data": body}).json()["data"]["attributes"]["columns"]
    [expected] = recorded["data"]["attributes"]["columns"]
    if "nobody" in metric:
        assert column["values"] == []
    else:
        assert _shape(column) == _shape(expected)
        assert column["meta"] == expected["meta"]


def test_a_scalar_outside_the_retention(desk: Desk) -> None:
    recorded = _recorded("py_v2_test_scalar_cross_product_query_returns_bad_request_response.yaml")
    query = {"data_source": "metrics", "name": "a", "query": "avg:system.cpu.user{*}", "aggregator": "avg"}
    attributes = {"from": 1_568_899_800_000, "to": 1_568_923_200_000, "queries": [query]}
    answer = desk.http.post("/api/v2/query/scalar", json={"data": {"type": "scalar_request", "attributes": attributes}})
    assert (answer.status_code, answer.json()) == (400, recorded)


def test_pages_of_logs(desk: Desk) -> None:
    name = "py_v2_test_search_logs_returns_ok_response_with_pagination.yaml"
    first, last = _recorded(name), _recorded(name, 2)
    answered = desk.logs("status:error", page={"limit": 2}).json()
    assert set(first) <= set(answered)
    assert set(first["meta"]["page"]) == set(answered["meta"]["page"])
    recorded, shown = first["data"][0]["attributes"], answered["data"][0]["attributes"]
    assert set(first["data"][0]) == set(answered["data"][0])
    assert set(recorded) - set(shown) == set()
    assert _shape(recorded["timestamp"]) == _shape(shown["timestamp"])
    assert {"duration", "http", "network"} <= set(shown["attributes"])
    after_all = desk.logs("status:error", page={"limit": 1000}).json()["meta"]["page"]["after"]
    assert desk.logs("status:error", page={"limit": 1000, "cursor": after_all}).json() == last


def test_an_empty_first_page_of_logs(desk: Desk) -> None:
    recorded = _recorded("py_v2_test_search_logs_returns_ok_response.yaml")
    assert _shape(desk.logs("service:nobody").json()) == _shape(recorded)


@pytest.mark.parametrize("name", ["aggregate_events", "aggregate_compute_events"])
def test_counts_of_logs(desk: Desk, name: str) -> None:
    recorded = _recorded(f"py_v2_test_{name}_returns_ok_response.yaml")
    answer = desk.http.post("/api/v2/logs/analytics/aggregate", json={"filter": window("service:nobody")})
    assert _shape(answer.json()) == _shape(recorded)


def test_counts_of_spans(desk: Desk) -> None:
    recorded = _recorded("py_v2_test_aggregate_spans_returns_ok_response.yaml")
    compute = [{"aggregation": "count", "interval": "5m", "type": "timeseries"}]
    body = {"type": "aggregate_request", "attributes": {"compute": compute, "filter": window("*")}}
    answered = desk.http.post("/api/v2/spans/analytics/aggregate", json={"data": body}).json()
    assert _shape(answered) == _shape(recorded)


def test_spans_of_a_window_that_ends_before_it_begins(desk: Desk) -> None:
    recorded = _recorded("py_v2_test_search_spans_returns_unprocessable_entity_response.yaml")
    answer = desk.spans(filter={"from": "now", "to": "now-15m", "query": "*"})
    assert (answer.status_code, answer.json()) == (422, recorded)


def test_hosts(desk: Desk) -> None:
    recorded = _recorded("py_v1_test_get_all_hosts_with_metadata_deserializes_successfully.yaml")
    answered = desk.http.get("/api/v1/hosts?include_hosts_metadata=true").json()
    assert set(answered) == set(recorded)
    assert set(answered["host_list"][0]) == set(recorded["host_list"][0])
    shown, seen = (one["host_list"][0]["meta"] for one in (answered, recorded))
    assert set(shown) <= set(seen)
    assert json.loads(shown["gohai"])["memory"]["total"].endswith("kB")


@pytest.mark.parametrize(
    ("path", "keys", "name"),
    [
        ("/api/v1/validate", {"DD-API-KEY": "wrong"}, "py_v1_test_validate_api_key_returns_forbidden_response.yaml"),
        ("/api/v1/validate", {}, "py_v1_test_validate_api_key_returns_ok_response.yaml"),
        ("/api/v1/hosts/totals", {}, "datadogpy_TestDatadog.test_hosts_totals.yaml"),
    ],
)
def test_keys_and_totals(desk: Desk, path: str, keys: dict[str, str], name: str) -> None:
    recorded = _recorded(name)
    answer = desk.http.get(path, headers=keys)
    assert (answer.status_code == 403) == ("errors" in recorded)
    assert _shape(answer.json()) == _shape(recorded)


@pytest.mark.parametrize(
    "name", ["go_v1_TestMetricsQueryErrors__403_Forbidden", "go_v1_TestHostsListErrors__403_Forbidden"]
)
def test_a_wrong_application_key(desk: Desk, name: str) -> None:
    recorded = _recorded(f"{name}.yaml")
    answer = desk.http.get("/api/v1/hosts", headers={"DD-APPLICATION-KEY": "wrong"})
    assert answer.status_code == 403
    assert {key: answer.json()[key] for key in ("status", "code", "errors")} == {
        key: recorded[key] for key in ("status", "code", "errors")
    }


def test_a_missing_scope_is_json_that_calls_itself_text() -> None:
    recorded = _recorded("py_v2_test_get_a_rum_sdk_configuration_returns_forbidden_response.yaml")
    with desk_of(missing_scopes=["logs_read_data"]) as desk:
        answer = desk.logs()
        assert desk.http.get("/api/v1/hosts").status_code == 200
    assert (answer.status_code, answer.json()) == (403, recorded)
    assert answer.headers["content-type"].startswith("text/plain")


def test_a_count_of_hosts_that_is_none(desk: Desk) -> None:
    recorded = _recorded("go_v1_TestHostsListErrors__400_Bad_Request.yaml")
    answer = desk.http.get("/api/v1/hosts?count=-1")
    assert (answer.status_code, answer.json()) == (400, recorded)


def test_too_many_requests_are_answered_with_headers() -> None:
    recorded = json.loads(fixture("datadog/synthetic_429_json.json").read_text())
    with desk_of(limits={"query": {"limit": 2, "period_s": 3600}}) as desk:
        answers = [desk.http.get("/api/v1/query", params={"from": START, "to": END, "query": "x{*}"}) for _ in range(3)]
    assert [one.status_code for one in answers] == [200, 200, 429]
    assert [one.headers["x-ratelimit-remaining"] for one in answers] == ["1", "0", "0"]
    assert _shape(answers[2].json()) == _shape(recorded["body"])
    assert set(recorded["headers"]) <= set(answers[2].headers)


def test_a_cursor_is_not_a_thing_to_make_up(desk: Desk) -> None:
    for cursor in ("nonsense", base64.urlsafe_b64encode(b"[]").decode(), "e30"):
        assert desk.logs(page={"limit": 2, "cursor": cursor}).status_code == 400
