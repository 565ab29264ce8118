"""Recorded answers about logs and spans are read, whatever is in an event makes a row, and the rest is refused."""

import json
from collections.abc import Mapping
from typing import Any
from unicodedata import category

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from fixtures import fixture
from perfsuite.errors import BadAnswer
from perfsuite_datadog.client.logs import read_counts, read_page
from perfsuite_datadog.core.logs import COLUMNS, row
from perfsuite_datadog.models.logs import Event, EventKind

PAGED = "py_v2_test_search_logs_returns_ok_response_with_pagination"
KINDS: tuple[EventKind, ...] = ("logs", "spans")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)
NAMES = st.sampled_from(
    ["attributes", "custom", "tags", "message", "service", "timestamp", "http", "error", "duration", "http.status_code"]
)


def recorded(name: str) -> list[dict[str, Any]]:
    """The answers of a recording, in order."""
    told = yaml.safe_load(fixture(f"datadog/{name}.yaml").read_text(encoding="utf-8"))["interactions"]
    bodies = [one["response"]["body"] for one in told]
    return [json.loads(body["string"] if isinstance(body, dict) else body) for body in bodies]


def test_recorded_pages_of_logs_end_with_an_empty_one() -> None:
    pages = [read_page(one, "logs") for one in recorded(PAGED)]
    assert [len(page.events) for page in pages] == [2, 1, 0]
    assert [page.after is not None for page in pages] == [True, True, False]
    cells = dict(zip(COLUMNS["logs"], row("logs", pages[0].events[0], "QA", "qa"), strict=True))
    assert (cells["http_method"], cells["http_status_code"], cells["http_path"]) == ("GET", "200", "/")
    assert (cells["duration_ns"], cells["timestamp_utc"]) == ("2700000", "2022-04-11T16:29:47.000Z")
    assert cells["tags"].split().count("env:integrations-lab") == 1


@pytest.mark.parametrize(
    "name",
    [
        "py_v2_test_search_logs_returns_ok_response",
        "py_v2_test_get_a_list_of_logs_returns_ok_response_with_pagination",
        "py_v2_test_get_a_quick_list_of_logs_returns_ok_response",
        "go_v2_TestLogsListWithRetry",
    ],
)
def test_every_recorded_list_of_logs_is_a_page(name: str) -> None:
    for answer in recorded(name):
        page = read_page(answer, "logs")
        assert len(page.events) == len(answer["data"])
        assert not page.timed_out


def test_recorded_counts_are_read() -> None:
    for name in ("aggregate_events", "aggregate_compute_events"):
        [answer] = recorded(f"py_v2_test_{name}_returns_ok_response")
        assert read_counts(answer, "logs", "status").by == {}
    [spans] = recorded("py_v2_test_aggregate_spans_returns_ok_response")
    assert read_counts(spans, "spans", "status").by == {"(none)": 154 + 513 + 357 + 196}


@pytest.mark.parametrize(
    "answer",
    [None, [], {}, {"data": None}, {"data": {}}, {"data": [1]}, {"data": [{"id": 5}]}, {"data": [], "meta": []}],
)
def test_what_is_no_page_is_said(answer: Any) -> None:
    with pytest.raises(BadAnswer, match="in a form that cannot be used"):
        read_page(answer, "/api/v2/logs/events/search")


@pytest.mark.parametrize("answer", [{}, {"data": []}, {"data": {"buckets": [{"computes": {"c0": -1}}]}}])
def test_what_are_no_counts_is_said(answer: Any) -> None:
    with pytest.raises(BadAnswer):
        read_counts(answer, "logs", "status")


@given(st.sampled_from(KINDS), st.text(max_size=20), st.dictionaries(NAMES, JSON | st.dictionaries(NAMES, JSON)))
def test_any_event_makes_a_row_without_control_characters(
    kind: EventKind, name: str, attributes: Mapping[str, Any]
) -> None:
    cells = row(kind, Event(name, dict(attributes)), "QA", "qa")
    assert len(cells) == len(COLUMNS[kind])
    assert all(len(cell) <= 8_000 for cell in cells)
    assert {category(sign) for cell in cells for sign in cell}.isdisjoint({"Cc", "Cs", "Zl", "Zp"})
