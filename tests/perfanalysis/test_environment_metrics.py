"""analyze_environment_metrics: what is told of hosts, services and containers."""

from pathlib import Path

import numpy as np
import pytest

from perfsuite.artifacts import RunFolder, layout
from perfsuite.artifacts.infrastructure import InfrastructureAnalysis, Resource
from perfsuite.errors import NotReady
from perfsuite_perfanalysis.service.cause_digests import environment_digest
from perfsuite_perfanalysis.service.environment import analyze_environment_metrics

from .analysing import runs_in
from .collecting import container_rows, moment, reading, write_collection, write_rows, write_text
from .synthetic import Scenario, ar1, leak, one_saturated_host, steady, with_gap, write_metrics, write_run

SECONDS = 600


def analysed(folder: Path, run_id: str = "run-1") -> InfrastructureAnalysis:
    return analyze_environment_metrics(runs_in(folder), run_id)


def run_of(folder: Path, scenario: Scenario | None = None) -> RunFolder:
    return write_run(runs_in(folder), scenario or steady(seconds=SECONDS))


def named(found: InfrastructureAnalysis, name: str) -> Resource:
    [one] = [one for one in found.resources if one.name == name]
    return one


def test_the_one_saturated_host_of_ten_is_named_and_since_when(tmp_path: Path) -> None:
    scenario = one_saturated_host()
    run_of(tmp_path, scenario)
    found = analysed(tmp_path)
    [finding] = [one for one in found.findings if one.kind == "saturated"]
    assert finding.subject == scenario.truth.saturated_host
    assert finding.evidence["from_s"] == pytest.approx(460, abs=20)
    assert found.hosts == 10
    assert found.status == "complete"


def test_numbers_of_a_metric_are_those_of_numpy(tmp_path: Path) -> None:
    scenario = steady(seconds=SECONDS)
    run_of(tmp_path, scenario)
    values = np.round(scenario.metrics["web-1"]["cpu_util_pct"], 4)
    [metric] = [one for one in named(analysed(tmp_path), "web-1").metrics if one.metric == "cpu_util_pct"]
    assert metric.whole.average == pytest.approx(values.mean())
    assert metric.whole.p95 == pytest.approx(np.percentile(values, 95))
    assert metric.whole.maximum == pytest.approx(values.max())
    assert metric.headroom == pytest.approx(100 - metric.whole.p95)
    assert (metric.interval_s, metric.whole.above_threshold_s) == (20, 0)


def test_memory_that_fills_under_constant_load_is_suspected_of_a_leak(tmp_path: Path) -> None:
    run_of(tmp_path, leak(seconds=2400))
    found = analysed(tmp_path)
    assert (named(found, "app-1").leak, named(found, "web-1").leak) == ("suspected", "not_seen")
    assert [one.subject for one in found.findings if one.kind == "leak_suspect"] == ["app-1"]


def test_a_cache_that_fills_and_then_stays_is_no_leak(tmp_path: Path) -> None:
    run = run_of(tmp_path, steady(seconds=2400))
    filled = 40 + 30 * np.minimum(1, np.arange(120) / 50) + ar1(np.random.default_rng(1), 120, 0.5, 0.5)
    write_metrics(run, "cache-1", {"mem_util_pct": filled})
    assert named(analysed(tmp_path), "cache-1").leak == "not_seen"


def test_a_leak_is_not_looked_for_in_a_short_run(tmp_path: Path) -> None:
    run_of(tmp_path)
    one = named(analysed(tmp_path), "web-1")
    assert one.leak == "not_evaluable"
    assert "1800 s are needed" in one.leak_reason


def test_a_container_without_a_limit_is_told_as_it_is_with_the_reason(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    used = np.full(30, 4e8)
    rows = container_rows("cart", "cart-1", {"kubernetes.cpu.usage.total": used, "cpu_util_pct": np.full(30, np.nan)})
    noted = [row | {"note": "no limit" if row["metric"] == "cpu_util_pct" else "", "unit": "nanocore"} for row in rows]
    write_rows(run, layout.K8S_METRICS, noted, (*noted[0],), filter="cart")
    one = named(analysed(tmp_path), "cart-1")
    assert [(part.metric, part.reason, part.average) for part in one.not_rated] == [
        ("cpu_util_pct", "no limit", 4e8),
        ("cpu_request_pct", "no request", 4e8),
    ]
    assert all(part.metric != "cpu_util_pct" for part in one.metrics)


def test_throttling_and_restarts_are_told_by_container_and_service(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    calm = {"cpu_throttled_pct": np.full(30, 1.0), "kubernetes.containers.restarts": np.full(30, 7.0)}
    hot = {
        "cpu_throttled_pct": np.full(30, 40.0),
        "cpu_util_pct": np.full(30, 99.0),
        "cpu_request_pct": np.full(30, 180.0),
        "kubernetes.containers.restarts": [2.0] * 15 + [4.0] * 15,
    }
    rows = [*container_rows("cart", "cart-1", calm), *container_rows("cart", "cart-2", hot)]
    write_rows(run, layout.K8S_METRICS, rows, filter="cart")
    found = analysed(tmp_path)
    assert (named(found, "cart-1").restarts, named(found, "cart-2").restarts) == (0, 2)
    assert named(found, "cart-2").throttled_pct == 40
    [request] = [one for one in named(found, "cart-2").metrics if one.metric == "cpu_request_pct"]
    assert (request.headroom, request.headroom_to) == (-80, "request")
    [service] = found.services
    [throttled] = [one for one in service.metrics if one.metric == "cpu_throttled_pct"]
    assert (service.name, service.containers, service.restarts) == ("cart", 2, 2)
    assert (throttled.mean, throttled.worst, throttled.worst_container) == (20.5, 40, "cart-2")
    assert {"saturated", "restarts"} <= {one.kind for one in found.findings}


def test_an_environment_of_hosts_and_containers_is_told_together(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    write_rows(run, layout.K8S_METRICS, container_rows("cart", "cart-1", {"cpu_util_pct": np.full(30, 50)}), filter="c")
    found = analysed(tmp_path)
    # What the ledger knows of comes first; files that nobody noted are taken where it knows of none of their kind.
    assert (found.hosts, found.containers) == (1, 1)


def test_missing_readings_are_counted_and_end_a_stretch_above_a_threshold(tmp_path: Path) -> None:
    run = run_of(tmp_path, with_gap(seconds=900))
    values = np.full(45, 95.0)
    values[20:24] = np.nan
    write_metrics(run, "hot-1", {"cpu_util_pct": values})
    [metric] = named(analysed(tmp_path), "hot-1").metrics
    assert (metric.whole.missing, metric.whole.readings) == (4, 41)
    assert (metric.whole.above_threshold_s, metric.whole.longest_above_s) == (820, 420)


def test_without_metrics_the_file_is_written_and_says_which_tool_collects_them(tmp_path: Path) -> None:
    run = run_of(tmp_path, Scenario(steady(seconds=60).samples, 60, steady().truth))
    found = analysed(tmp_path)
    assert found.status == "not_available"
    assert "get_host_metrics" in found.reasons[0]
    assert run.load(layout.INFRASTRUCTURE_ANALYSIS) == found


def test_a_run_without_samples_names_the_tool_to_call_first(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    run.path(layout.SAMPLES).unlink()
    with pytest.raises(NotReady, match="perfsuite import"):
        analysed(tmp_path)


def test_the_same_files_give_the_same_bytes_whatever_the_order_of_their_rows(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    rows = container_rows("cart", "cart-1", {"cpu_util_pct": np.arange(30.0), "mem_util_pct": np.arange(30.0)})
    write_rows(run, layout.K8S_METRICS, rows, filter="cart")
    first = analysed(tmp_path)
    file = run.path(layout.INFRASTRUCTURE_ANALYSIS)
    before = file.read_bytes()
    analysed(tmp_path)
    assert file.read_bytes() == before
    np.random.default_rng(1).shuffle(rows)
    write_rows(run, layout.K8S_METRICS, rows, filter="cart")
    assert analysed(tmp_path).resources == first.resources


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "not a CSV file"),
        ("time,host,cpu\n1,a,2\n", "no column timestamp_utc and metric and value"),
        ('"a\n', "not a CSV file"),
        ("\0\0\0PK\x03\x04", "no column"),
    ],
)
def test_a_file_of_another_tool_is_named_with_what_was_found(tmp_path: Path, text: str, problem: str) -> None:
    run = run_of(tmp_path)
    write_text(run, layout.K8S_METRICS, text, filter="cart")
    found = analysed(tmp_path)
    assert found.status == "partial"
    [reason] = found.reasons
    assert "k8s_metrics_cart.csv" in reason
    assert problem in reason


def test_metrics_outside_the_time_of_the_test_are_left_out_and_told(tmp_path: Path) -> None:
    run = run_of(tmp_path, Scenario(steady(seconds=60).samples, 60, steady().truth))
    rows = [reading(86_400 + 20 * n, "cpu_util_pct", 50, hostname="web-1") for n in range(30)]
    write_rows(run, layout.HOST_METRICS, rows, host="web-1")
    found = analysed(tmp_path)
    assert found.status == "not_available"
    assert "30 readings lie outside the time of the test" in found.reasons[0]


def test_words_infinities_and_bad_times_are_no_readings(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    values = ["50", "NaN", "inf", "-inf", "", "n/a", "1e999", "60"]
    rows = [reading(20 * n, "cpu_util_pct", value, hostname="odd-1") for n, value in enumerate(values)]
    rows.append(reading(0, "cpu_util_pct", "70", hostname="odd-1") | {"timestamp_utc": "yesterday"})
    write_rows(run, layout.K8S_METRICS, rows, filter="odd")
    found = analysed(tmp_path)
    [metric] = named(found, "odd-1").metrics
    assert (metric.whole.readings, metric.whole.average) == (2, 55)
    assert any("1 readings have no time" in reason for reason in found.reasons)


def test_a_constant_metric_has_no_trend_and_no_leak(tmp_path: Path) -> None:
    run = run_of(tmp_path, steady(seconds=2400))
    write_metrics(run, "flat-1", {"mem_util_pct": np.full(120, 50.0)})
    one = named(analysed(tmp_path), "flat-1")
    assert (one.leak, one.metrics[0].trend.verdict) == ("not_seen", "none")


def test_hostile_names_are_cut_and_cleaned(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    name = "evil\n\x1b[31m" + "x" * 5_000
    rows = [reading(20 * n, "cpu_util_pct", 95, hostname=name) for n in range(30)]
    write_rows(run, layout.K8S_METRICS, rows, filter="evil")
    found = analysed(tmp_path)
    [other] = [one for one in found.resources if one.name.startswith("evil")]
    assert len(other.name) <= 300
    assert other.name.isprintable()


def test_what_collecting_left_out_is_told(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    write_collection(run, {"complete": False, "subject": "host web-2", "reason": "403 Forbidden", "kind": "metrics"})
    found = analysed(tmp_path)
    assert (found.status, found.reasons) == (
        "partial",
        ("Collecting host web-2 was not complete: 403 Forbidden.",),
    )


def test_notes_of_collecting_that_are_no_json_are_told_and_not_fatal(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    write_text(run, layout.COLLECTION, "[[[[{")
    assert "cannot be read" in analysed(tmp_path).reasons[0]


def test_values_that_cannot_be_are_counted_and_left_out(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    values = ["50", "-50", "250", "abc", "60", "70"]
    rows = [reading(20 * n, "cpu_util_pct", value, hostname="odd-1") for n, value in enumerate(values)]
    write_rows(run, layout.K8S_METRICS, rows, filter="odd")
    found = analysed(tmp_path)
    [metric] = named(found, "odd-1").metrics
    assert (metric.whole.readings, metric.whole.average, metric.whole.minimum) == (3, 60, 50)
    assert found.status == "partial"
    assert any("1 values are no numbers" in reason for reason in found.reasons)
    assert any("2 values cannot be" in reason for reason in found.reasons)


@pytest.mark.parametrize("metric", ["cpu_request_pct", "cpu_util_pct", "kubernetes.cpu.usage.total"])
def test_a_container_may_use_more_than_it_was_promised(tmp_path: Path, metric: str) -> None:
    run = run_of(tmp_path)
    write_rows(run, layout.K8S_METRICS, container_rows("cart", "cart-1", {metric: np.full(30, 180.0)}), filter="cart")
    assert analysed(tmp_path).status == "complete"


def test_readings_outside_the_test_say_where_they_lie(tmp_path: Path) -> None:
    run = run_of(tmp_path, Scenario(steady(seconds=60).samples, 60, steady().truth))
    rows = [reading(86_400 + 20 * n, "cpu_util_pct", 50, hostname="web-1") for n in range(30)]
    write_rows(run, layout.HOST_METRICS, rows, host="web-1")
    [reason] = analysed(tmp_path).reasons
    first, last = (moment(at_s)[:19].replace("T", " ") for at_s in (86_400, 86_400 + 20 * 29))
    assert f"of {first} UTC to {last} UTC" in reason
    assert "collect the metrics again" in reason


def test_bytes_that_are_no_table_are_not_told_as_columns(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    with run.staged(layout.K8S_METRICS, filter="cart") as target:
        target.write_bytes(bytes(range(128, 256)) * 3 + b"\nPK\x03\x04,\xff\n")
    [reason] = analysed(tmp_path).reasons
    assert "does not hold the names of columns" in reason
    assert "\ufffd" not in reason


def test_metrics_that_were_collected_before_the_test_ended_are_partial_with_the_share(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    write_metrics(run, "early-1", {"cpu_util_pct": np.full(6, 20.0)})
    found = analysed(tmp_path)
    assert found.status == "partial"
    [reason] = found.reasons
    assert "do not cover the whole test: 'early-1' 20% (120 of 600 s)" in reason


def test_containers_of_a_service_that_come_and_go_cover_the_test_together(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    old = container_rows("cart", "cart-1", {"cpu_util_pct": [50.0] * 15 + [np.nan] * 15})
    new = container_rows("cart", "cart-2", {"cpu_util_pct": [np.nan] * 15 + [50.0] * 15})
    write_rows(run, layout.K8S_METRICS, [*old, *new], filter="cart")
    assert analysed(tmp_path).status == "complete"


def test_the_peak_is_the_highest_value_within_an_interval_where_that_was_collected(tmp_path: Path) -> None:
    run = run_of(tmp_path)
    peaks = np.full(30, 55.0)
    peaks[15] = 97.0
    write_metrics(run, "app-9", {"cpu_util_pct": np.full(30, 50.0), "cpu_util_pct_max": peaks})
    metric = next(one for one in named(analysed(tmp_path), "app-9").metrics if one.metric == "cpu_util_pct")
    assert (metric.whole.average, metric.whole.maximum, metric.whole.maximum_at_s) == (
        50,
        97,
        pytest.approx(300, abs=1),
    )


def test_the_answer_has_the_numbers_of_the_steady_state_and_says_so(tmp_path: Path) -> None:
    run_of(tmp_path)
    found = analysed(tmp_path)
    row = next(one for one in environment_digest(found).rows if one["name"] == "web-1")
    metric = next(one for one in named(found, "web-1").metrics if one.metric == "cpu_util_pct")
    seen = metric.steady or metric.whole
    assert row["numbers_are_of"] == ("steady state" if metric.steady else "whole run")
    assert row["cpu_avg_pct"] == pytest.approx(seen.average, rel=1e-3)
