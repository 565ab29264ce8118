"""The reader of k6's `--out json`, through `read`."""

import json
from typing import Any

import pytest

from fixtures import fixture
from k6_points import END, END_US, TAGS, metric, point, request, rows_of, whole_request, written
from perfsuite.errors import BadFile
from perfsuite.samples.rows import Row


def test_a_request_becomes_a_row_that_begins_before_its_time() -> None:
    [row], report = rows_of(metric("vus") + point("vus", 3) + request(6.25))
    assert row == Row(
        started_us=END_US - 6_250,
        elapsed_us=6_250,
        label="Pets",
        kind="sample",
        success=True,
        sample_count=1,
        error_count=0,
        response_code="200",
        response_message=None,
        failure_message=None,
        thread=None,
        engine=None,
        bytes=None,
        sent_bytes=None,
        connect_ms=None,
        latency_ms=None,
        idle_ms=None,
        group_threads=None,
        all_threads=3,
        url="http://x/pets",
    )
    assert (report.rows_read, report.rows_rejected, report.warnings) == (1, 0, [])
    assert {"started_at", "elapsed_us", "label", "success", "all_threads", "url"} <= report.columns
    assert report.dialect == {"timestamps": "ends, turned into starts"}


def test_the_phases_of_a_request_are_joined_to_it() -> None:
    rows, report = rows_of(whole_request() + whole_request(time="2026-11-21T04:17:31Z", name="Other") + request())
    assert [(row.label, row.connect_ms, row.latency_ms) for row in rows] == [
        ("Pets", 1.75, 5.25),
        ("Other", 1.75, 5.25),
        ("Pets", None, None),
    ]
    assert {"connect_ms", "latency_ms"} <= report.columns


@pytest.mark.parametrize(
    "stray",
    [
        point("http_req_waiting", 5, TAGS | {"name": "Other"}),
        point("http_req_waiting", 5, time="2026-11-21T04:17:31Z"),
        point("http_req_waiting", 5).replace('"time"', '"when"'),
    ],
)
def test_a_phase_of_another_request_is_not_joined(stray: str) -> None:
    [row], report = rows_of(request() + point("http_req_sending", 1) + stray)
    assert (row.latency_ms, report.rows_rejected) == (None, 0)


def test_a_phase_before_any_request_is_passed_over() -> None:
    rows, report = rows_of(point("http_req_waiting", 5) * 2 + request())
    assert (len(rows), report.rows_rejected) == (1, 0)


def test_the_older_layout_with_the_metric_at_the_end_is_read() -> None:
    lines = [json.loads(line) for line in (whole_request() + point("vus", 2) + whole_request()).splitlines()]
    older = "".join(written({"type": line["type"], "data": line["data"], "metric": line["metric"]}) for line in lines)
    rows, _ = rows_of(older)
    assert [(row.connect_ms, row.latency_ms, row.all_threads) for row in rows] == [(1.75, 5.25, None), (1.75, 5.25, 2)]


def test_lines_with_blanks_and_a_byte_order_mark_are_read() -> None:
    spaced = "".join(json.dumps(json.loads(line)) + "\r\n\r\n" for line in whole_request().splitlines())
    rows, report = rows_of(b"\xef\xbb\xbf" + spaced.encode())
    assert (len(rows), report.rows_rejected) == (1, 0)


def test_users_are_those_that_were_last_written() -> None:
    rows, _ = rows_of(request() + point("vus", 3) + request() + request() + point("vus", 7.0) + request())
    assert [row.all_threads for row in rows] == [None, 3, 3, 7]


def test_groups_are_transactions() -> None:
    group = point("group_duration", 1_500, {"group": "::Login::form"})
    rows, _ = rows_of(request() + group + request())
    assert [(row.label, row.kind, row.success, row.elapsed_us) for row in rows] == [
        ("Pets", "sample", True, 6_250),
        ("Login::form", "transaction", True, 1_500_000),
        ("Pets", "sample", True, 6_250),
    ]


def test_the_label_is_the_name_or_else_the_url() -> None:
    rows, _ = rows_of(request() + request(name=None) + request(name="", url="http://y") + request(name=None, url=None))
    assert [row.label for row in rows] == ["Pets", "http://x/pets", "http://y", ""]


@pytest.mark.parametrize(
    ("tags", "success", "code", "message", "failure"),
    [
        ({"expected_response": "false", "status": "200"}, False, "200", None, None),
        ({"expected_response": "true", "status": "404", "error_code": "1404"}, True, "404", "1404", None),
        ({"expected_response": None}, True, "200", None, None),
        ({"expected_response": None, "status": "399"}, True, "399", None, None),
        ({"expected_response": None, "status": "400"}, False, "400", None, None),
        ({"expected_response": None, "status": "0"}, False, None, None, None),
        ({"expected_response": None, "status": "teapot"}, False, "teapot", None, None),
        ({"expected_response": None, "status": None}, True, None, None, None),
        ({"expected_response": None, "error_code": "1500"}, False, "200", "1500", None),
        (
            {"expected_response": "false", "status": "0", "error_code": "1050", "error": "request timeout"},
            False,
            None,
            "request timeout",
            "request timeout",
        ),
        ({"expected_response": True, "status": 404, "error": {}}, True, "404", None, None),
    ],
)
def test_what_k6_expected_decides_and_otherwise_error_and_status(
    tags: dict[str, Any], success: bool, code: str | None, message: str | None, failure: str | None
) -> None:
    [row], _ = rows_of(request(**tags))
    assert (row.success, row.error_count) == (success, 0 if success else 1)
    assert (row.response_code, row.response_message, row.failure_message) == (code, message, failure)


@pytest.mark.parametrize(("status", "success"), [("0", True), (None, True), ("5", False), ("14", False)])
def test_the_status_of_grpc_is_not_one_of_http(status: str | None, success: bool) -> None:
    tags = {"name": "/pets.Pets/Get", "url": "http://x/pets.Pets/Get"} | ({"status": status} if status else {})
    [row], _ = rows_of(point("grpc_req_duration", 3, tags))
    assert (row.success, row.label) == (success, "/pets.Pets/Get")


@pytest.mark.parametrize(
    ("time", "ended_us"),
    [
        ("2026-11-21T04:17:30Z", 1_795_234_650_000_000),
        ("2026-11-21T04:17:30.5z", 1_795_234_650_500_000),
        ("2026-11-21T04:17:30.630560999+00:00", 1_795_234_650_630_560),
        ("2026-11-21T06:17:30.630560313+02:00", 1_795_234_650_630_560),
        ("2026-11-20T20:47:30.630-07:30", 1_795_234_650_630_000),
    ],
)
def test_times_are_read_with_any_offset_and_precision(time: str, ended_us: int) -> None:
    rows, _ = rows_of(request(0, END) + request(0, time))
    assert [row.started_us for row in rows] == [END_US, ended_us]


def test_a_real_run_agrees_with_the_summary_of_k6() -> None:
    rows, report = rows_of(fixture("jmx/k6_out_sample.ndjson").read_bytes())
    metrics = json.loads(fixture("jmx/k6_summary_export.json").read_text())["metrics"]
    assert (report.rows_rejected, report.warnings) == (0, [])
    assert len(rows) == metrics["http_reqs"]["count"]
    # What --summary-export calls passes of http_req_failed are the requests that failed.
    assert sum(not row.success for row in rows) == metrics["http_req_failed"]["passes"]
    elapsed = [row.elapsed_us / 1_000 for row in rows]
    duration = metrics["http_req_duration"]
    assert [min(elapsed), max(elapsed)] == pytest.approx([duration["min"], duration["max"]], abs=0.001)
    assert sum(elapsed) / len(rows) == pytest.approx(duration["avg"], abs=0.001)
    connect = metrics["http_req_connecting"]["avg"] + metrics["http_req_tls_handshaking"]["avg"]
    assert sum(row.connect_ms or 0 for row in rows) / len(rows) == pytest.approx(connect)
    latency = metrics["http_req_sending"]["avg"] + metrics["http_req_waiting"]["avg"]
    assert sum(row.latency_ms or 0 for row in rows) / len(rows) == pytest.approx(latency)
    assert {row.label for row in rows} == {"GET /pets/{id}"}
    assert {row.all_threads for row in rows} <= {None, *range(metrics["vus"]["min"], metrics["vus"]["max"] + 1)}


@pytest.mark.parametrize(
    "path",
    [
        "jmx/k6_summary_export.json",
        "k6/k6-reporter/simple.json",
        "k6/k6-reporter/grpc.json",
        "k6/k6-example-circleci-orb/summary.json",
    ],
)
def test_real_summaries_are_refused_as_what_they_are(path: str) -> None:
    with pytest.raises(BadFile, match=r"This is a summary of k6"):
        rows_of(fixture(path).read_bytes())
