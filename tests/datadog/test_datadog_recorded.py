"""What Datadog really answered, as its own clients recorded it."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from pydantic import SecretStr

from fixtures import fixture
from perfsuite.errors import AccessDenied, BadAnswer, PerfsuiteError, RemoteError
from perfsuite.http import HttpSettings
from perfsuite_datadog.client.api import Datadog
from perfsuite_datadog.client.metrics import api_key_is_valid, known_hosts, read_hosts, read_timeseries, timeseries
from perfsuite_datadog.core.buckets import spacing_s, whole_buckets
from perfsuite_datadog.core.windows import Span
from perfsuite_datadog.models.timeseries import MetricQuery, Question
from perfsuite_datadog.settings import DatadogSettings
from shared.http.loopback import FakeTime, answer, serving

QUESTION = Question((MetricQuery("a", "avg:system.cpu.user{*}"),), ("a",), 0, 1000, 1000)


class Exchange(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


def exchanges(name: str) -> list[Exchange]:
    """The answers of a cassette of the Python clients or of the Go client."""
    tape = yaml.safe_load(fixture(f"datadog/{name}").read_text(encoding="utf-8"))
    return [_exchange(one["response"]) for one in tape["interactions"]]


def _exchange(response: dict[str, Any]) -> Exchange:
    status = response["code"] if "code" in response else response["status"]["code"]
    headers = {name.lower(): values[0] for name, values in response["headers"].items()}
    found = response["body"]["string"] if isinstance(response["body"], dict) else response["body"]
    body = found if isinstance(found, bytes) else found.encode()
    return Exchange(status, headers, gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)


async def replayed(recorded: Exchange, call: str) -> Any:
    """What our client makes of an answer that came before."""
    kept = {"Content_Type": recorded.headers.get("content-type", "application/json")}
    time = FakeTime()
    async with serving(*[answer(recorded.status, recorded.body, **kept)] * 4) as server:
        settings = DatadogSettings(api_key=SecretStr("k" * 9), app_key=SecretStr("a" * 9), override=server.url)
        async with Datadog(settings, HttpSettings(), timing=time.timing) as datadog:
            if call == "hosts":
                return await known_hosts(datadog, 0)
            if call == "validate":
                return await api_key_is_valid(datadog)
            return await timeseries(datadog, QUESTION)


async def test_a_recorded_timeseries_has_sparse_times() -> None:
    [recorded] = exchanges("py_v2_test_timeseries_cross_product_query_returns_ok_response.yaml")
    found = await replayed(recorded, "timeseries")
    assert found.times_ms == (1711977645000, 1711977705000, 1711980225000)
    assert [one.values for one in found.series] == [(1, 1, 87)]
    assert found.series[0].unit is None
    assert spacing_s(found.times_ms, found.series[0].values) == 60


@pytest.mark.parametrize("source", ["container", "audit", "rum", "events"])
async def test_recorded_timeseries_of_other_sources_are_read(source: str) -> None:
    [recorded] = exchanges(
        f"py_v2_test_timeseries_cross_product_query_with_{source}_data_source_returns_ok_response.yaml"
    )
    found = await replayed(recorded, "timeseries")
    assert all(len(one.values) == len(found.times_ms) for one in found.series)
    if source == "container":
        assert (found.times_ms, found.series) == ((), ())


async def test_a_recorded_refusal_of_a_timeseries_is_told_in_its_words() -> None:
    [recorded] = exchanges("py_v2_test_timeseries_cross_product_query_returns_bad_request_response.yaml")
    with pytest.raises(RemoteError, match="API input validation failed"):
        await replayed(recorded, "timeseries")


@pytest.mark.parametrize(
    "name",
    [
        "go_v1_TestMetricsQueryErrors__403_Forbidden.yaml",
        "go_v1_TestHostsListErrors__403_Forbidden.yaml",
        "go_v1_TestLogsListErrors__403_Forbidden.yaml",
        "py_v2_test_get_a_rum_sdk_configuration_returns_forbidden_response.yaml",
    ],
)
async def test_every_recorded_403_names_the_three_causes(name: str) -> None:
    with pytest.raises(AccessDenied, match=r"the wrong site .* without the scope timeseries_query.*revoked key"):
        await replayed(exchanges(name)[0], "timeseries")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("go_v1_TestHostsListErrors__400_Bad_Request.yaml", "The value provided for parameter 'count' is invalid"),
        ("go_v1_TestHostsGetTotalsErrors__400_Bad_Request.yaml", "400"),
        ("go_v1_TestLogsListErrors__400_Bad_Request.yaml", "400"),
        ("py_v1_test_get_all_custom_metrics_by_hourly_average_returns_bad_request_response.yaml", "400"),
        ("py_v2_test_scalar_cross_product_query_returns_bad_request_response.yaml", "retention date"),
        ("py_v2_test_search_spans_returns_unprocessable_entity_response.yaml", "422"),
    ],
)
async def test_every_other_recorded_error_is_told_in_its_words(name: str, words: str) -> None:
    with pytest.raises(PerfsuiteError) as error:
        await replayed(exchanges(name)[0], "timeseries")
    assert words in error.value.message
    assert "It says: " in error.value.message


@pytest.mark.parametrize("name", ["go_v1_fx_metrics__error_400.json", "go_v1_fx_logs-indexes__error_429.json"])
async def test_errors_of_the_clients_own_tests_are_told_in_their_words(name: str) -> None:
    body = fixture(f"datadog/{name}").read_bytes()
    status = int(name[-8:-5])
    with pytest.raises(RemoteError, match="It says: "):
        await replayed(Exchange(status, {"content-type": "application/json"}, body), "timeseries")


async def test_the_recorded_checks_of_an_api_key_are_understood() -> None:
    [good] = exchanges("py_v1_test_validate_api_key_returns_ok_response.yaml")
    [bad] = exchanges("py_v1_test_validate_api_key_returns_forbidden_response.yaml")
    assert await replayed(good, "validate") is True
    assert await replayed(bad, "validate") is False


async def test_recorded_hosts_are_known_by_names_and_aliases() -> None:
    [recorded] = exchanges("py_v1_test_get_all_hosts_with_metadata_deserializes_successfully.yaml")
    listed = json.loads(recorded.body)["host_list"]
    names = await replayed(recorded, "hosts")
    assert {host["name"] for host in listed} <= names
    assert {alias for host in listed for alias in host["aliases"]} <= names


@pytest.mark.parametrize("name", ["go_v1_fx_hosts__host_search.json", "go_v1_fx_hosts__host_search_with_metadata.json"])
def test_hosts_of_the_clients_own_tests_are_known(name: str) -> None:
    found = json.loads(fixture(f"datadog/{name}").read_text(encoding="utf-8"))
    assert len(read_hosts(found)) >= len(found["host_list"])


def test_recorded_hosts_of_older_clients_are_known() -> None:
    tapes = ("datadogpy_TestDatadog.test_hosts_get_all.yaml", "go_v1_TestHosts.yaml")
    bodies = [json.loads(one.body) for name in tapes for one in exchanges(name) if one.status == 200]
    listed = [body for body in bodies if isinstance(body, dict) and "host_list" in body]
    assert listed
    for body in listed:
        assert {host["name"] for host in body["host_list"]} <= read_hosts(body)


@pytest.mark.parametrize(
    ("name", "place", "claimed_s", "real_s"),
    [
        ("py_v1_test_query_timeseries_points_returns_ok_response.yaml", 0, 300, 300),
        ("datadogpy_TestDatadog.test_metrics_simple.yaml", -1, None, None),
    ],
)
def test_points_tell_the_interval_that_recorded_answers_claim_wrongly(
    name: str, place: int, claimed_s: int | None, real_s: int | None
) -> None:
    [series] = json.loads(exchanges(name)[place].body)["series"]
    times = [round(time) for time, _ in series["pointlist"]]
    assert spacing_s(times, [value for _, value in series["pointlist"]]) == real_s
    if claimed_s is not None:
        assert series["interval"] == claimed_s
        span = Span(datetime.fromtimestamp(1641343852, UTC), datetime.fromtimestamp(1641430252, UTC))
        buckets = whole_buckets(times, span, span.end_ms, 300)
        # The last one reaches beyond the end that was asked for.
        assert (len(times), buckets.dropped, buckets.width_s) == (288, 1, 300)


def test_the_unit_of_a_recorded_scalar_is_read_as_the_unit_of_a_series() -> None:
    [recorded] = exchanges("py_v2_test_scalar_cross_product_query_returns_ok_response.yaml")
    [column] = json.loads(recorded.body)["data"]["attributes"]["columns"]
    attributes = {
        "series": [{"group_tags": [], "query_index": 0, "unit": column["meta"]["unit"]}],
        "times": [1000],
        "values": [column["values"]],
    }
    [series] = read_timeseries({"data": {"attributes": attributes}}, 1).series
    assert (series.unit_text, series.unit and series.unit.scale_factor) == ("percent", 1.0)


@pytest.mark.parametrize(
    "attributes",
    [
        {"series": [{"query_index": 0}], "times": [1], "values": []},
        {"series": [{"query_index": 0}], "times": [1], "values": [[1, 2]]},
        {"series": [{"query_index": 7}], "times": [1], "values": [[1]]},
        {"series": [{"query_index": -1}], "times": [1], "values": [[1]]},
        {"series": [{}], "times": [2, 1], "values": [[1, 2]]},
        {"series": [{}], "times": ["soon"], "values": [[1]]},
        {"series": [{}], "times": [1], "values": [["much"]]},
        {"series": [{}], "times": [1], "values": [[float("inf")]]},
        {"series": "none"},
        [],
    ],
)
def test_an_answer_that_does_not_fit_together_is_a_bad_one(attributes: Any) -> None:
    with pytest.raises(BadAnswer, match="in a form that cannot be used"):
        read_timeseries({"data": {"attributes": attributes}}, 1)


def test_every_recorded_answer_about_metrics_hosts_keys_and_errors_is_tried() -> None:
    tested = Path(__file__).read_text(encoding="utf-8") + Path(__file__).with_name("test_datadog_client.py").read_text(
        encoding="utf-8"
    )
    about = ("query", "host", "validate", "error", "403", "400", "429", "forbidden", "bad_request")
    # Logs, spans and other products are tried with the tools that read them, or not asked for at all.
    others = ("logs", "spans", "Logs", "scalar", "custom_metrics", "processes", "containers", "events", "totals.yaml")
    names = [path.name for path in fixture("datadog").iterdir()]
    ours = [name for name in names if any(word in name for word in about) and not any(o in name for o in others)]
    untried = [name for name in ours if name not in tested and "data_source" not in name]
    assert untried == []
