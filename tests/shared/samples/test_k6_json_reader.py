"""The reader of k6's `--out json`, through `read`."""

import io
import json
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixtures import fixture
from perfsuite.errors import BadFile
from perfsuite.samples.readers import k6_json
from perfsuite.samples.rows import Kind, ReadReport, Row

END = "2026-11-21T04:17:30.630560313Z"
END_US = 1_795_234_650_630_560
TAGS = {
    "expected_response": "true",
    "group": "",
    "method": "GET",
    "name": "Pets",
    "status": "200",
    "url": "http://x/pets",
}


def written(content: Any) -> str:
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False) + "\n"


def metric(name: str) -> str:
    return written({"type": "Metric", "data": {"name": name, "type": "trend"}, "metric": name})


def point(name: str, value: Any, tags: dict[str, Any] | None = None, time: Any = END) -> str:
    return written({"metric": name, "type": "Point", "data": {"time": time, "value": value, "tags": tags or TAGS}})


def request(value: Any = 6.25, time: Any = END, **tags: Any) -> str:
    """A duration alone. A tag of None is left out."""
    merged = {name: tag for name, tag in (TAGS | tags).items() if tag is not None}
    return point("http_req_duration", value, merged, time)


def whole_request(time: str = END, **tags: Any) -> str:
    """All that k6 writes about one request."""
    values = {"http_reqs": 1, "http_req_duration": 6.25, "http_req_blocked": 3.5, "http_req_connecting": 0.5}
    values |= {
        "http_req_tls_handshaking": 1.25,
        "http_req_sending": 0.25,
        "http_req_waiting": 5,
        "http_req_receiving": 1,
    }
    return "".join(point(name, value, TAGS | tags, time) for name, value in values.items())


def rows_of(data: str | bytes) -> tuple[list[Row], ReadReport]:
    report = ReadReport()
    stream = io.BytesIO(data.encode() if isinstance(data, str) else data)
    return list(k6_json.read(stream, report, lambda _: None)), report


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


# Whatever is done to a file.

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


@st.composite
def damaged(draw: st.DrawFn, good: bytes) -> bytes:
    data = bytearray(good)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        match draw(st.sampled_from(["flip", "cut", "insert", "duplicate", "remove"])):
            case "flip" if at < len(data):
                data[at] ^= draw(st.integers(1, 255))
            case "cut":
                del data[at:]
            case "insert":
                data[at:at] = draw(
                    st.one_of(st.binary(max_size=20), st.sampled_from([b"{", b'"', b"\n", b"-", b"NaN"]))
                )
            case "duplicate":
                data[at:at] = data[at : at + draw(st.integers(0, 400))]
            case _:
                del data[at : at + draw(st.integers(0, 60))]
    return bytes(data)


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(damaged(GOOD))
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


# A real file.


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
