"""JMeter XML result files of other projects, and what is known about their content."""

import csv
import re
from collections import Counter
from pathlib import Path

import pytest

from fixtures import fixture
from jtl_xml import T0, rows_of, rows_of_file, warned
from perfsuite.errors import BadFile
from perfsuite.samples.rows import Row


def test_the_csv_of_the_same_run_has_the_same_rows() -> None:
    rows, report = rows_of_file("jtl/jmeter-5.6.3/nested_subresults.xml")
    kinds = Counter(row.kind for row in rows)
    assert kinds == {"sample": 1_840, "transaction": 244, "sub": 960}
    assert (len(rows), report.rows_rejected, report.warnings) == (3_044, 0, [])
    with fixture("jtl/jmeter-5.6.3/default_with_sample_variables.csv").open(newline="", encoding="utf-8") as file:
        expected = Counter(_from_csv(record) for record in csv.DictReader(file))
    # Two listeners write when it suits them, so that the order of threads differs between the files.
    assert (
        Counter(
            _comparable(row, set(Row._fields) - {"sent_bytes", "engine", "sample_count", "error_count"}) for row in rows
        )
        == expected
    )


CSV_COLUMNS = {
    "timeStamp": "started_us",
    "elapsed": "elapsed_us",
    "label": "label",
    "responseCode": "response_code",
    "responseMessage": "response_message",
    "threadName": "thread",
    "success": "success",
    "failureMessage": "failure_message",
    "bytes": "bytes",
    "grpThreads": "group_threads",
    "allThreads": "all_threads",
    "URL": "url",
    "Latency": "latency_ms",
    "IdleTime": "idle_ms",
    "Connect": "connect_ms",
    "SampleCount": "sample_count",
    "ErrorCount": "error_count",
}


def _comparable(row: Row, columns: set[str]) -> tuple[tuple[str, str], ...]:
    """The row as the CSV file would have written it."""
    values = row._asdict() | {"started_us": row.started_us // 1000, "elapsed_us": row.elapsed_us // 1000}
    values["success"] = str(row.success).lower()
    written = {
        name: f"{value:g}" if isinstance(value, float) else str(value or "") if value != 0 else "0"
        for name, value in values.items()
    }
    return tuple(sorted((name, written[name]) for name in CSV_COLUMNS.values() if name in columns))


def _from_csv(record: dict[str, str]) -> tuple[tuple[str, str], ...]:
    known = {CSV_COLUMNS[name]: value for name, value in record.items() if name in CSV_COLUMNS}
    if known.get("url") == "null":
        known["url"] = ""
    known.pop("sent_bytes", None)
    return tuple(sorted(known.items()))


@pytest.mark.parametrize(
    "name",
    [
        "BatchTestLocal",
        "Bug52968",
        "Bug54685",
        "Bug56811",
        "JDBC_TESTS",
        "TEST_HTTP_HttpClient4",
        "TestResultStatusAction",
    ],
)
def test_jmeters_own_pairs_of_files_have_the_same_rows(name: str) -> None:
    # JMeter leaves times out of these files, so that its own tests can compare them; here they are put in.
    data = fixture(f"jtl/apache-jmeter/{name}.xml").read_bytes()
    timed = re.sub(rb"<(httpSample|sample) ", rb'<\1 t="1" ts="%d" ' % T0, data)
    rows, report = rows_of(timed)
    expected = _apache_csv(fixture(f"jtl/apache-jmeter/{name}.csv"), report.columns)
    columns = set(dict(expected[0]))
    assert [_comparable(row, columns) for row in _without_nested(rows, len(expected))] == expected


def _without_nested(rows: list[Row], count: int) -> list[Row]:
    """Files of JMeter before 5.0 do not list sub-results in CSV."""
    return rows if len(rows) == count else [row for row in rows if row.kind != "sub"]


HEADERLESS = {
    "Bug52968": ["label", "responseCode", "responseMessage", "threadName", "dataType", "success"],
    "TEST_HTTP_HttpClient4": ["label", "responseCode", "threadName", "dataType", "success"],
}
COUNTS = ["grpThreads", "allThreads", "SampleCount", "ErrorCount"]
ONLY_IN_CSV = "NAME USER1"


def _apache_csv(path: Path, columns: set[str]) -> list[tuple[tuple[str, str], ...]]:
    with path.open(newline="", encoding="utf-8") as file:
        names = [*HEADERLESS[path.stem], *COUNTS] if path.stem in HEADERLESS else None
        records = [record for record in csv.DictReader(file, names) if record["label"] != ONLY_IN_CSV]
    written = ({name: value for name, value in record.items() if value is not None} for record in records)
    return [tuple((key, value) for key, value in _from_csv(record) if key in columns) for record in written]


def test_jmeters_pairs_without_times_are_refused_as_they_are() -> None:
    with pytest.raises(BadFile, match=r"No sample has the attribute ts or t"):
        rows_of_file("jtl/apache-jmeter/Bug54685.xml")


def test_a_real_file_of_a_killed_run_is_read_to_its_cut() -> None:
    rows, report = rows_of_file("jtl/jmeter-5.6.3/with_response_data_truncated.xml")
    whole, _ = rows_of_file("jtl/jmeter-5.6.3/nested_subresults.xml")
    assert (len(rows), report.rows_rejected) == (215, 0)
    assert {row[:3] for row in rows} <= {row[:3] for row in whole}
    assert warned(report, "cut off before </testResults>")


@pytest.mark.parametrize("name", ["JMeterResults.jtl", "whitespace-followed-by-xml.jtl"])
def test_the_samples_of_jenkins_are_read(name: str) -> None:
    rows, report = rows_of_file(f"jtl/jenkins-performance-plugin/{name}")
    assert (len(rows), report.warnings) == (8, [])
    assert {row.label for row in rows} == {"Home", "Workgroup"}
    assert rows[0].elapsed_us == 14_720_000
    assert min(row.started_us for row in rows) == 1_296_846_792_004_000
    assert 278_000 in {row.elapsed_us for row in rows if row.label == "Workgroup"}


@pytest.mark.parametrize(
    ("name", "elapsed"),
    [
        ("OneSample", [2]),
        ("ThreeSamples", [1, 2, 3]),
        ("TenSamples", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
        ("MultiThread", [894, 996, 1381, 1508, 1581]),
    ],
)
def test_the_durations_jenkins_asserts_are_read(name: str, elapsed: list[int]) -> None:
    rows, _ = rows_of_file(f"jtl/jenkins-performance-plugin/JMeterResults{name}.jtl")
    found = sorted(row.elapsed_us // 1000 for row in rows)
    assert len(found) == len(elapsed)
    assert (found[0], found[-1]) == (elapsed[0], elapsed[-1])


def test_nested_samples_of_jenkins_are_sub_results() -> None:
    rows, _ = rows_of_file("jtl/jenkins-performance-plugin/JMeterResultsMultiLevel.jtl")
    assert len({row.label for row in rows if row.kind == "sample"}) == 2


@pytest.mark.parametrize("name", ["TaurusXMLReport.xml", "TaurusPreviousBuildReport.xml", "aggregate-results.xml"])
def test_statistics_of_taurus_are_refused_as_what_they_are(name: str) -> None:
    with pytest.raises(BadFile, match=r"final statistics of Taurus: they are aggregated and hold no samples"):
        rows_of_file(f"jtl/jenkins-performance-plugin/{name}")


def test_every_xml_file_of_taurus_is_read() -> None:
    files = [
        path for path in sorted(fixture("jtl/bzm").glob("*.jtl")) if path.read_bytes().lstrip().startswith(b"<?xml")
    ]
    assert len(files) > 15
    for path in files:
        data = path.read_bytes()
        rows, report = rows_of(data)
        assert len(rows) == len(re.findall(rb"^\s*<(?:httpSample|sample) ", data, re.MULTILINE)), path.name
        assert report.rows_rejected == 0, path.name


def test_taurus_files_keep_what_failed() -> None:
    rows, report = rows_of_file("jtl/bzm/resource-errors-no-fail.jtl")
    assert [row.success for row in rows if row.kind == "sample"] == [True, False]
    assert rows[0].started_us // 1_000_000 == 1_440_764_640
    assert rows[0].elapsed_us == 419_000
    assert report.dialect["timestamps"] == "probably ends"
    rows, _ = rows_of_file("jtl/bzm/error-mix.jtl")
    assert rows[0].failure_message
