"""k6's `--out csv`."""

from pathlib import Path

import pytest

import jtl
from perfsuite.errors import BadFile

NAMES = "metric_name,timestamp,metric_value,error,error_code,expected_response,group,name,status,url"


def line(metric: str = "http_req_duration", value: object = 12.5, **fields: object) -> str:
    row = dict.fromkeys(NAMES.split(","), "") | {
        "metric_name": metric,
        "timestamp": 1_633_706_790,
        "metric_value": value,
    }
    if metric == "http_req_duration":
        row |= {"expected_response": "true", "name": "Pets", "status": 200, "url": "https://x/pets"}
    return ",".join(str(value) for value in (row | fields).values()) + "\n"


def content(*lines: str) -> str:
    return NAMES + "\n" + "".join(lines)


def test_durations_are_samples_that_end_at_their_time_stamp(tmp_path: Path) -> None:
    found = jtl.stats(tmp_path, content(line("http_reqs", 1), line(), line("http_req_waiting", 9), line(value=1_000)))
    assert (found.files[0].format, found.total.samples, found.total.mean_ms) == ("k6-csv", 2, 506.25)
    assert jtl.as_json(found)["window"] == {
        "start": "2021-10-08T15:26:29.000Z",
        "end": "2021-10-08T15:26:30.000Z",
        "seconds": 1.0,
    }


def test_groups_are_transactions_and_users_come_from_their_own_metric(tmp_path: Path) -> None:
    group = line("group_duration", 80, group="::Login::form")
    found = jtl.stats(
        tmp_path, content(line("vus", "7.000000"), line(), group, line("grpc_req_duration", 3, name="Say"))
    )
    assert [(one.kind, one.label) for one in found.labels] == [
        ("sample", "Pets"), ("sample", "Say"), ("transaction", "Login::form")
    ]  # fmt: skip
    assert found.concurrency == 7


@pytest.mark.parametrize(
    ("fields", "failed"),
    [
        ({}, 0),
        ({"expected_response": "false"}, 1),
        ({"expected_response": "", "status": 404}, 1),
        ({"expected_response": "", "status": 302}, 0),
        ({"expected_response": "", "status": 0, "error_code": 1212, "error": "no route"}, 1),
        ({"expected_response": "true", "status": 404}, 0),
    ],
)
def test_a_request_failed_where_k6_says_so_or_its_answer_does(
    tmp_path: Path, fields: dict[str, object], failed: int
) -> None:
    assert jtl.stats(tmp_path, content(line(**fields))).total.errors == failed


def test_the_columns_may_stand_in_any_order_and_the_header_again(tmp_path: Path) -> None:
    names = NAMES.split(",")[::-1]
    good = ",".join(line().strip().split(",")[::-1])
    found = jtl.stats(tmp_path, "\n".join([",".join(names), good, ",".join(names), good, ""]))
    assert (found.total.samples, found.files[0].rows_rejected) == (2, 0)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (line(value="soon"), "metric_value is 'soon', which is not a number"),
        (line(value=-1), "metric_value is negative: '-1'"),
        (line(value=10**11), "which is more than a year"),
        (line(timestamp="never"), "timeStamp 'never' is neither"),
        (line("vus", 10**12), "vus is '1000000000000', which is more than it can be"),
        ("http_req_duration,1\n", "2 fields where the header has 10"),
    ],
)
def test_a_line_that_cannot_be_is_rejected_with_the_reason(tmp_path: Path, bad: str, reason: str) -> None:
    found = jtl.stats(tmp_path, content(line(), bad, line()))
    assert found.total.samples == 2
    [rejected] = found.files[0].rejected
    assert rejected.line == 3
    assert reason in rejected.reason


def test_a_torn_last_line_is_left_out_and_said(tmp_path: Path) -> None:
    found = jtl.stats(tmp_path, content(line(), line()[:30]))
    assert found.total.samples == 1
    assert found.files[0].rejected[0].reason.startswith("torn last row: ")
    assert any("ends in the middle of a row" in warning for warning in found.warnings)


def test_a_file_without_requests_names_the_metrics_it_has(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=r"no request durations\. Metrics found: http_reqs, iterations") as caught:
        jtl.stats(tmp_path, content(line("iterations", 1), line("http_reqs", 1)))
    assert "http_req_duration" in caught.value.next_step
