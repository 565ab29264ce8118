"""Real files of other projects, with the numbers that those who made them say they hold."""

from contextlib import suppress
from pathlib import Path

import pytest

from fixtures import fixture
from perfsuite.errors import BadFile, PerfsuiteError
from perfsuite.samples.engine import Engine
from perfsuite.samples.options import ReadOptions
from perfsuite.samples.sources import Sources
from perfsuite.samples.summary import Summary, summarise

JMETER = "jtl/jmeter-5.6.3"
JENKINS = "jtl/jenkins-performance-plugin"
NO_HEADER = (
    "timeStamp", "elapsed", "label", "responseCode", "responseMessage", "threadName", "dataType", "success", "bytes",
    "grpThreads", "allThreads", "Latency", "IdleTime", "Connect", "version", "tenant",
)  # fmt: skip


def stats(name: str, **options: str) -> Summary:
    return summarise([fixture(name)], options=ReadOptions(**options))  # type: ignore[arg-type]


def kinds(found: Summary) -> dict[str, int]:
    counted = dict.fromkeys(("sample", "transaction", "sub"), 0)
    for one in found.labels:
        counted[one.kind] += one.samples
    return counted


@pytest.mark.parametrize("name", ["default_with_sample_variables.csv", "nested_subresults.xml"])
def test_a_real_run_counts_as_jmeters_summariser_did(name: str) -> None:
    found = stats(f"{JMETER}/{name}")
    total = found.total
    assert (total.samples, total.errors, int(total.mean_ms or 0), total.min_ms, total.max_ms) == (
        1_840,
        725,
        49,
        0,
        219,
    )
    assert total.error_rate == pytest.approx(0.3940, abs=5e-5)
    assert total.throughput_per_s == pytest.approx(94.6, abs=1)
    assert found.rows_read == 3_044
    assert kinds(found) == {"sample": 1_840, "transaction": 244, "sub": 960}
    assert found.files[0].rows_rejected == 0


def test_the_csv_and_the_xml_of_one_run_agree_label_by_label() -> None:
    by_csv = stats(f"{JMETER}/default_with_sample_variables.csv")
    by_xml = stats(f"{JMETER}/nested_subresults.xml")
    numbers = [{(one.kind, one.label): (one.samples, one.errors) for one in found.labels} for found in (by_csv, by_xml)]
    assert numbers[0] == numbers[1]
    assert "sample_variables" in by_csv.files[0].dialect


def test_a_file_without_a_header_is_refused_and_read_when_its_columns_are_named() -> None:
    with pytest.raises(BadFile, match="has no header row: its first row is data with 16 fields"):
        stats(f"{JMETER}/noheader.csv")
    found = summarise([fixture(f"{JMETER}/noheader.csv")], options=ReadOptions(columns=NO_HEADER))
    # The same plan as in the file with a header.
    assert (found.rows_read, found.total.samples) == (3_044, 1_840)
    assert found.files[0].rows_rejected == 0
    assert found.files[0].dialect["header"] == "none; the columns were given"


def test_times_without_a_date_are_read_and_said() -> None:
    found = stats(f"{JMETER}/timestamp_HHmmss_only.csv")
    assert found.rows_read > 100
    assert found.files[0].rows_rejected == 0
    assert any("The times have no date" in warning for warning in found.warnings)
    assert 0 <= found.first_us < 86_400_000_000


def test_an_xml_file_that_a_kill_cut_off_is_read_to_its_end_and_said() -> None:
    found = stats(f"{JMETER}/with_response_data_truncated.xml")
    assert found.total.samples > 100
    assert any("cut off" in warning or "ends" in warning for warning in found.warnings)


def test_a_file_that_jmeters_report_refuses_is_read_and_what_is_missing_is_named() -> None:
    """JMeter's dashboard needs the codes; the counts and times do not."""
    found = stats("jtl/apache-jmeter/HTMLReportFalseTestFile.csv")
    assert found.rows_read > 0
    assert any(w.startswith("Not in the file, and so unknown:") and "response_code" in w for w in found.warnings)


def test_the_jenkins_plugins_own_tests_agree() -> None:
    uris = stats(f"{JENKINS}/JMeterResults.jtl")
    assert (uris.total.samples, len(uris.labels)) == (8, 2)
    assert uris.first_us == 1_296_846_792_004_000
    ten = stats(f"{JENKINS}/JMeterResultsTenSamples.jtl").total
    assert (ten.samples, ten.min_ms, ten.max_ms) == (10, 1, 10)
    three = stats(f"{JENKINS}/JMeterResultsThreeSamples.jtl").total
    assert (three.min_ms, three.max_ms) == (1, 3)
    one = stats(f"{JENKINS}/JMeterResultsOneSample.jtl").total
    assert (one.min_ms, one.max_ms, one.percentiles_ms["p99_ms"], one.stdev_ms) == (2, 2, 2, 0)
    several = stats(f"{JENKINS}/JMeterResultsMultiThread.jtl").total
    assert (several.samples, several.min_ms, several.max_ms) == (5, 894, 1_581)
    assert several.mean_ms == pytest.approx((894 + 1_508 + 1_384 + 1_581 + 996) / 5)
    nested = stats(f"{JENKINS}/JMeterResultsMultiLevel.jtl")
    assert len([label for label in nested.labels if label.kind == "sample"]) == 2
    assert stats(f"{JENKINS}/whitespace-followed-by-xml.jtl").files[0].format == "jtl-xml"


def test_a_label_of_three_lines_is_one_of_two_samples() -> None:
    found = stats(f"{JENKINS}/multiLineCSV.jtl")
    assert (found.rows_read, found.files[0].rows_rejected) == (2, 0)
    assert max(one.label.count("\n") for one in found.labels) == 2


def test_impossible_dates_are_rejected_with_line_and_reason() -> None:
    assert stats(f"{JENKINS}/JMeterCsvResults.csv").rows_read == 3
    for number in (2, 3):
        try:
            rejected = stats(f"{JENKINS}/JMeterCsvResults{number}.csv").files[0].rejected
            assert [row.line for row in rejected]
            reasons = " ".join(row.reason for row in rejected)
        except BadFile as error:
            reasons = error.message
            assert "none of the 3 rows can be read. Line 2: timeStamp " in reasons
        assert "does not exist" in reasons


def test_a_headerless_file_named_like_xml_and_an_empty_file_are_refused() -> None:
    with pytest.raises(BadFile, match=r"no header row.*Needed: timeStamp, elapsed, label, success"):
        stats(f"{JENKINS}/JENKINS-16627_CSV_instead_of_XML.jtl")
    with pytest.raises(BadFile, match="is empty"):
        stats(f"{JENKINS}/emptyfile.jtl")


def test_a_file_of_statistics_is_said_to_hold_no_samples() -> None:
    with pytest.raises(BadFile, match="it is the final statistics of Taurus: they are aggregated and hold no samples"):
        stats(f"{JENKINS}/TaurusXMLReport.xml")


@pytest.mark.parametrize(
    ("name", "rows", "failed"),
    [
        ("tabs.jtl", 4, 0),
        ("tranctl.jtl", 2, 1),
        ("500-success__kpi.jtl", 1, 0),
        ("unicode.jtl", 13, 13),
        ("doublequoting.jtl", 2, 2),
        ("quote-guessing-crash.jtl", 10, 0),
        ("non-http__kpi.jtl", 11, 8),
        ("simple.kpi.jtl", 6, 3),
        ("smart-aggregation__kpi.jtl", 4, 2),
        ("unicode-reqs.jtl", 2, 0),
        ("locust-kpi.jtl", 1, 1),
        ("slow-stdev.jtl", 599, 63),
    ],
)
def test_every_row_of_a_taurus_file_is_read(name: str, rows: int, failed: int) -> None:
    found = stats(f"jtl/bzm/{name}")
    assert (found.rows_read, sum(one.errors for one in found.labels)) == (rows, failed)
    assert found.files[0].rows_rejected == 0


def test_a_failed_code_with_success_true_is_a_success() -> None:
    assert stats("jtl/bzm/500-success__kpi.jtl").total.errors == 0


def test_the_users_of_a_distributed_run_are_those_of_all_engines() -> None:
    found = stats("jmx/sample_distributed.jtl")
    with Engine() as engine:
        rows = Sources(engine, [fixture("jmx/sample_distributed.jtl")], ReadOptions()).relation()
        by_engine = engine.rows(f"SELECT engine, max(all_threads) FROM {rows} GROUP BY engine")
    assert len(by_engine) > 1
    assert all(name for name, _ in by_engine)
    assert found.concurrency == sum(users for _, users in by_engine)


@pytest.mark.parametrize("name", ["k6/taurus/k6_kpi.csv", "jtl/bzm/k6_kpi.csv"])
def test_k6_csv_holds_four_requests_of_which_two_failed(name: str) -> None:
    found = stats(name)
    assert (found.files[0].format, found.total.samples, found.total.errors) == ("k6-csv", 4, 2)


def test_k6_json_is_read_whole() -> None:
    path = fixture("jmx/k6_out_sample.ndjson")
    requests = path.read_text(encoding="utf-8").count('{"metric":"http_req_duration","type":"Point"')
    found = summarise([path])
    assert (found.files[0].format, found.total.samples) == ("k6-json", requests)


def test_every_result_file_there_is_either_gives_numbers_or_says_why_not() -> None:
    root = fixture("jtl")
    files: list[Path] = sorted(path for path in root.rglob("*") if path.suffix in {".jtl", ".csv", ".xml"})
    assert len(files) > 50
    for path in files:
        with suppress(PerfsuiteError):
            assert summarise([path]).rows_read > 0, path
