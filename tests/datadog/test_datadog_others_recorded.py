"""Recorded answers of products that are not asked for: read by the same rules or refused, never taken for others."""

import json
from pathlib import Path
from typing import Any

import pytest

from datadog.test_datadog_recorded import exchanges
from fixtures import fixture
from perfsuite.errors import BadAnswer
from perfsuite_datadog.client.logs import read_counts, read_page
from perfsuite_datadog.client.metrics import read_hosts, read_timeseries
from perfsuite_datadog.models.timeseries import Unit

SCALAR = "py_v2_test_scalar_cross_product_query_with_{}_data_source_returns_ok_response.yaml"
TAGS = "py_v2_test_list_tags_by_metric_name_returns_success_response.yaml"
CURSORS = {
    "py_v2_test_get_all_processes_returns_ok_response_with_pagination.yaml": ([2, 1, 0], [True, True, False]),
    # These two name their cursor otherwise, and would end after their first page.
    "py_v2_test_get_a_list_of_metrics_returns_success_response_with_pagination.yaml": ([2, 1, 0], [False] * 3),
    "py_v2_test_get_all_containers_returns_ok_response.yaml": ([2], [False]),
}
OLD_LOGS = "py_v1_test_search_test_logs_returns_ok_response.yaml"
TRIED_ELSEWHERE = (
    "test_datadog_recorded.py",
    "test_datadog_client.py",
    "test_logs_recorded.py",
    "test_datadog_others_recorded.py",
)


def bodies(name: str) -> list[Any]:
    return [json.loads(one.body) for one in exchanges(name) if one.body]


@pytest.mark.parametrize("name", CURSORS)
def test_lists_of_other_products_have_the_envelope_of_pages(name: str) -> None:
    sizes, has_cursor = CURSORS[name]
    pages = [read_page(body, "/api/v2/others") for body in bodies(name)]
    assert [len(page.events) for page in pages] == sizes
    assert [page.after is not None for page in pages] == has_cursor
    assert all(event.id for page in pages for event in page.events)


def test_logs_of_the_first_version_are_no_page() -> None:
    [body] = bodies(OLD_LOGS)
    assert [set(one) for one in body["logs"]] == [{"content", "id"}] * len(body["logs"])
    with pytest.raises(BadAnswer, match="there is no `data`"):
        read_page(body, "/api/v1/logs-queries/list")


@pytest.mark.parametrize(
    ("source", "unit", "factor"), [("apm_dependency_stats", "microsecond", 1e-06), ("container", "percent", 1.0)]
)
def test_scalars_without_values_still_tell_their_unit(source: str, unit: str, factor: float) -> None:
    [body] = bodies(SCALAR.format(source))
    [column] = body["data"]["attributes"]["columns"]
    assert column["values"] == []
    found = Unit.model_validate(column["meta"]["unit"][0])
    assert (found.name, found.scale_factor) == (unit, factor)
    # As a timeseries it has no series, and nothing is made up.
    assert read_timeseries(body, 1).series == ()


def test_how_many_hosts_there_are_names_none_of_them() -> None:
    [body] = bodies("datadogpy_TestDatadog.test_hosts_totals.yaml")
    assert set(body) == {"total_active", "total_up"}
    with pytest.raises(BadAnswer, match="at host_list"):
        read_hosts(body)


def test_tags_and_points_that_were_sent_are_neither_hosts_nor_counts_nor_pages() -> None:
    for body in bodies(TAGS):
        for read in (read_hosts, lambda one: read_page(one, "x"), lambda one: read_counts(one, "spans", "status")):
            with pytest.raises(BadAnswer, match="in a form that cannot be used"):
                read(body)


def test_every_recorded_answer_is_tried() -> None:
    folder, here = fixture("datadog"), Path(__file__)
    tested = "".join(here.with_name(name).read_text(encoding="utf-8") for name in TRIED_ELSEWHERE)
    families = ("timeseries_cross_product_query_with_", "scalar_cross_product_query_with_")
    untried = [
        path.name
        for path in folder.iterdir()
        if path.stem not in tested
        and not any(one in path.name for one in families)
        and path.stem.removeprefix("py_v2_test_").removesuffix("_returns_ok_response") not in tested
    ]
    assert untried == []
