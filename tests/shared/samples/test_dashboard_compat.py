"""The numbers of JMeter's own dashboard, one by one."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

import jtl
from fixtures import fixture
from perfsuite.samples.dashboard import WINDOW
from perfsuite.samples.definitions import Apdex, Choice
from perfsuite.samples.statistics import Statistics
from perfsuite.samples.summary import Summary, summarise

CHOICE = Choice(percentiles=(50.0, 90.0, 95.0, 99.0), method="jmeter-dashboard")
ORACLES = [
    ("jtl/apache-jmeter/HTMLReportTestFile.csv", "jtl/apache-jmeter/HTMLReportExpect.json"),
    ("jtl/cedric-ko/results.jtl", "jtl/cedric-ko/statistics.json"),
    (
        "jtl/jenkins-performance-plugin/filewithtransactions.csv",
        "jtl/jenkins-performance-plugin/filewithtransactions_oracle_statistics_jm563.json",
    ),
    ("jtl/jmeter-5.6.3/default_with_sample_variables.csv", "jtl/jmeter-5.6.3/oracle_statistics_default.json"),
]


def as_jmeter(one: Statistics) -> dict[str, Any]:
    rate = None if one.error_rate is None else one.error_rate * 100
    p50, p90, p95, p99 = (one.percentiles_ms[f"p{p}_ms"] for p in (50, 90, 95, 99))
    return {
        "sampleCount": one.samples, "errorCount": one.errors, "errorPct": rate, "meanResTime": one.mean_ms,
        "medianResTime": p50, "minResTime": one.min_ms, "maxResTime": one.max_ms, "pct1ResTime": p90,
        "pct2ResTime": p95, "pct3ResTime": p99, "throughput": one.throughput_per_s,
        "receivedKBytesPerSec": one.received_kb_per_s, "sentKBytesPerSec": one.sent_kb_per_s,
    }  # fmt: skip


def known(value: Any) -> Any:
    """What JMeter writes for an unknown number is NaN, as a word, or the extremes of a long; here it is None."""
    is_unknown = value == "NaN" or abs(value) >= 2**63 - 1025 or math.isnan(value)
    return None if is_unknown else value


def dashboard(path: Path, choice: Choice = CHOICE) -> Summary:
    return summarise([path], choice=choice, compat="jmeter-dashboard")


@pytest.mark.parametrize(("results", "oracle"), ORACLES, ids=[results.rpartition("/")[2] for results, _ in ORACLES])
def test_every_number_of_jmeters_statistics_is_reproduced(results: str, oracle: str) -> None:
    expected = json.loads(fixture(oracle).read_text(encoding="utf-8"))
    found = dashboard(fixture(results))
    by_label = {one.label: one for one in found.labels} | {"Total": found.total}
    assert by_label.keys() == expected.keys()
    for label, numbers in expected.items():
        ours = as_jmeter(by_label[label])
        if numbers["sampleCount"] == 0:
            assert ours == {"sampleCount": 0, "errorCount": 0} | dict.fromkeys(list(ours)[2:]), label
            continue
        for name, value in ours.items():
            assert value == pytest.approx(known(numbers[name]), rel=1e-6), (label, name)


def test_a_kind_of_counting_that_is_not_ours_says_so() -> None:
    found = dashboard(fixture("jtl/jmeter-5.6.3/default_with_sample_variables.csv"))
    assert found.percentile_method == "jmeter-dashboard"
    assert found.counting.startswith("as JMeter's dashboard")
    assert (found.rows_read, found.total.samples, found.total.errors) == (3_044, 2_800, 910)


def test_only_the_last_values_of_a_label_enter_its_percentiles(tmp_path: Path) -> None:
    early = [jtl.sample(timeStamp=jtl.START_MS + i, elapsed=9_000) for i in range(5)]
    late = [jtl.sample(timeStamp=jtl.START_MS + 10 + i, elapsed=i % 100) for i in range(WINDOW)]
    columns = ("timeStamp", "elapsed", "label", "success")
    found = dashboard(jtl.put(tmp_path, jtl.text(early + late, columns)))
    assert found.total.samples == WINDOW + 5
    assert found.total.max_ms == 9_000
    assert dashboard(tmp_path / "results.jtl", Choice((100.0,))).total.percentiles_ms == {"p100_ms": 99.0}


def test_transactions_are_left_out_of_the_total_and_empty_ones_have_no_numbers(tmp_path: Path) -> None:
    message = "Number of samples in transaction : {0}, number of failing samples : 0"
    rows = [
        *jtl.samples(10, 20),
        jtl.sample(label="Checkout", elapsed=30, responseMessage=message.format(2), URL="null"),
        jtl.sample(label="Nothing", elapsed=0, responseMessage=message.format(0), URL="null"),
    ]
    found = dashboard(jtl.put(tmp_path, jtl.text(rows)), Choice(apdex=Apdex(15, 25)))
    assert [(one.label, one.kind, one.samples) for one in found.labels] == [
        ("Checkout", "transaction", 1),
        ("Home", "sample", 2),
        ("Nothing", "transaction", 0),
    ]
    assert (found.total.samples, found.total.mean_ms, found.total.apdex) == (2, 15.0, 0.75)
    assert set(found.labels[2].flat().values()) == {"Nothing", "transaction", 0, None}


def test_a_file_of_nothing_but_transactions_has_a_total_without_numbers(tmp_path: Path) -> None:
    row = jtl.sample(responseMessage="Number of samples in transaction : 1, number of failing samples : 0")
    found = dashboard(jtl.put(tmp_path, jtl.text([row])))
    assert (found.total.samples, found.total.mean_ms, found.total.percentiles_ms["p99_ms"]) == (0, None, None)
