"""k6's `--out json` with damage: each line that cannot be read is said, and no other is lost."""

import io
import json
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings

from damage import damaged
from k6_points import TAGS, metric, point, request, rows_of, whole_request, written
from perfsuite.errors import BadFile
from perfsuite.samples.readers import k6_json
from perfsuite.samples.rows import Kind, ReadReport, Row

DEEP = '{"metric":"http_req_duration","type":"Point","data":' + "[" * 100_000 + "\n"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (request("6.25"), "value is '6.25', which is not a number"),
        (request(True), "value is True, which is not a number"),
        (request(None), "value is None, which is not a number"),
        (request([1]), "value is of type list, which is not a number"),
        (request(float("nan")), "nan is not a time in milliseconds"),
        (request(float("inf")), "inf is not a time in milliseconds"),
        (request(-0.5), "-0.5 is not a time in milliseconds"),
        (request(1e300), "1e+300 is not a time in milliseconds"),
        (request(10**30), "is not a time in milliseconds"),
        (request().replace("6.25", "9" * 5_000), "the line is not JSON"),
        (request(time="yesterday"), "time is 'yesterday', which is not a time of RFC 3339"),
        (request(time=1_795_234_650), "time is of type int, which is not a time of RFC 3339"),
        (request(time="2026-13-21T04:17:30Z"), "month must be in 1..12"),
        (request(time="1900-01-01T00:00:00Z"), "is not between 1990 and 2100"),
        (request(time="9999-12-31T23:59:59Z"), "is not between 1990 and 2100"),
        (point("vus", "3"), "vus is '3', which is not a number"),
        (point("vus", -1), "-1 is not a number of users"),
        (written({"metric": "http_req_duration", "type": "Point", "data": 5}), "it has no data"),
        (written({"type": "Point", "data": {}}), "it has no metric"),
        ("[1,2]\n", "the line is not a JSON object"),
        ("some text\n", "the line is not JSON"),
        (request()[:90] + "\n", "the line is not JSON"),
        (point("http_reqs", 1)[:90] + "\n", "the line is not JSON"),
        (point("http_req_waiting", 5).replace(":5,", ":-5,"), "-5.0 is not a time in milliseconds"),
        (point("http_req_waiting", 5).replace(":5,", ":x,"), "could not convert"),
        (DEEP, "JSON nested too deep"),
        (request(name="x" * 10_000_000), "the line is longer than 1,000,000 bytes"),
    ],
)
def test_a_line_that_cannot_be_is_rejected_with_its_number(line: str, reason: str) -> None:
    rows, report = rows_of(metric("http_reqs") + point("http_reqs", 1) + whole_request() + line + whole_request())
    assert [row.label for row in rows] == ["Pets", "Pets"]
    assert report.rows_rejected == 1
    [(number, said)] = report.rejected
    assert number == 11
    assert reason in said


def test_bytes_that_are_not_utf_8_reject_their_line() -> None:
    rows, report = rows_of(request().encode() + request(name="NAME").encode().replace(b"NAME", b"\xff"))
    assert len(rows) == 1
    assert report.rejected == [(2, "the line is not UTF-8")]


def test_a_cut_last_line_is_counted_and_said() -> None:
    rows, report = rows_of(request() + request()[:100])
    assert len(rows) == 1
    assert report.rejected[0].line == 2
    assert report.rejected[0].reason.startswith("torn last line")
    assert report.warnings == ["The last line is cut off; it was left out."]


def test_a_cut_last_line_of_another_metric_is_said_too() -> None:
    _, report = rows_of(request() + point("http_reqs", 1) * 2 + point("http_reqs", 1)[:60])
    assert report.warnings == ["The last line is cut off; it was left out."]


def test_a_whole_last_line_needs_no_line_end() -> None:
    rows, report = rows_of((request() + request()).rstrip("\n"))
    assert (len(rows), report.rows_rejected, report.warnings) == (2, 0, [])


def test_a_line_without_end_is_not_held_in_memory() -> None:
    rows, report = rows_of(request() + "x" * 5_000_000)
    assert len(rows) == 1
    assert report.rejected == [(2, "the line is longer than 1,000,000 bytes")]


def test_texts_are_made_fit_for_a_utf_8_file() -> None:
    [row], _ = rows_of(request().replace("Pets", r"a\u0000b\ud800c"))
    assert row.label == "ab\ufffdc"


def test_missing_or_odd_tags_do_no_harm() -> None:
    rows, _ = rows_of(point("http_req_duration", 1).replace(json.dumps(TAGS, separators=(",", ":")), "null"))
    assert [(row.label, row.success) for row in rows] == [("", True)]


def test_a_file_without_requests_names_what_it_holds() -> None:
    with pytest.raises(BadFile, match=r"no request durations\. Metrics found: iterations, vus"):
        rows_of(metric("vus") + point("vus", 1) + point("iterations", 1))


def test_very_many_metrics_are_not_remembered_without_end() -> None:
    rows, _ = rows_of("".join(point(f"custom_{n}", 1) for n in range(1_500)) + whole_request())
    assert len(rows) == 1


def test_a_file_whose_requests_are_all_rejected_is_not_called_one_without() -> None:
    rows, report = rows_of(request(-1) * 200)
    assert (rows, report.rows_rejected, len(report.rejected)) == ([], 200, 100)


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("content", [{"metrics": {"http_reqs": {"count": 1}}}, {"root_group": {"checks": {}}}])
def test_a_summary_is_refused_as_one(content: dict[str, Any], indent: int | None) -> None:
    with pytest.raises(BadFile, match=r"summary of k6 .* holds statistics, not single requests"):
        rows_of(json.dumps(content, indent=indent))


@pytest.mark.parametrize("content", ["", "\n\n", "hello", "{}", "\0" * 1_000, '{"metrics": 5}'])
def test_something_else_is_refused(content: str) -> None:
    with pytest.raises(BadFile, match=r"no request durations\. Metrics found: none"):
        rows_of(content)


def test_progress_adds_up_to_the_size_of_the_file() -> None:
    data = (whole_request() * 3_000 + "x" * 3_000_000 + "\n" + whole_request() * 3_000).encode()
    steps: list[int] = []
    for _ in k6_json.read(io.BytesIO(data), ReadReport(), steps.append):
        pass
    assert sum(steps) == len(data)
    assert len(steps) > 2


GOOD = (
    metric("http_reqs")
    + whole_request(name="a")
    + point("vus", 2)
    + point("group_duration", 9, {"group": "::b"})
    + whole_request(name="c é", status="500", expected_response="false", error_code="1500")
).encode()
TYPES = dict.fromkeys(("started_us", "elapsed_us", "sample_count", "error_count"), int)
TYPES |= {"label": str, "kind": str, "success": bool}
OPTIONAL = {"all_threads": int, "connect_ms": float, "latency_ms": float, "bytes": int, "sent_bytes": int}
OPTIONAL |= {"idle_ms": float, "group_threads": int}


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(damaged(GOOD, b"{", b'"', b"\n", b"-", b"NaN"))
def test_damage_never_breaks_the_reader_and_never_makes_a_row_of_wrong_types(data: bytes) -> None:
    report = ReadReport()
    rows: list[Row] = []
    try:
        rows.extend(k6_json.read(io.BytesIO(data), report, lambda _: None))
    except BadFile:
        return
    assert report.rows_read == len(rows)
    for row in rows:
        for name in Row._fields:
            wanted = TYPES.get(name) or OPTIONAL.get(name, str) | None
            assert isinstance(getattr(row, name), wanted), name
        assert row.kind in get_args(Kind)
        assert row.elapsed_us >= 0
        assert all("\0" not in text and text.encode() for text in row if isinstance(text, str) and text)
