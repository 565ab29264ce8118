"""Every file of a run is declared once, and no name from outside can move it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfsuite.artifacts import layout
from perfsuite.errors import BadInput, NotFound

# The files of the contract, with one value for each placeholder.
CONTRACT = (
    "run.json",
    "samples.parquet",
    "import/sources.json",
    "import/aggregate_performance_report.csv",
    "import/jmeter.log",
    "blazemeter/test_config.json",
    "blazemeter/aggregate_performance_report.csv",
    "blazemeter/test-results.csv",
    "blazemeter/jmeter.log",
    "blazemeter/jmeter-2.log",
    "blazemeter/bzt-1.log",
    "blazemeter/errors-1.jtl",
    "blazemeter/sessions.json",
    "jmeter/test-results.csv",
    "jmeter/aggregate_performance_report.csv",
    "jmeter/jmeter.log",
    "jmeter/plan.jmx",
    "jmeter/run-spec.json",
    "jmeter/state.json",
    "jmeter/console.log",
    "jmeter/generator_health.csv",
    "jmeter/attempts/1/state.json",
    "datadog/host_metrics_web01.example.com.csv",
    "datadog/k8s_metrics_checkout.csv",
    "datadog/kpi_metrics_orders.csv",
    "datadog/logs_error_staging.csv",
    "datadog/apm_traces_web_staging.csv",
    "datadog/collection.json",
    "analysis/performance_analysis.json",
    "analysis/infrastructure_analysis.json",
    "analysis/correlation_analysis.json",
    "analysis/log_analysis.json",
    "analysis/bottleneck_analysis.json",
    "charts/CPU_UTILIZATION.png",
    "charts/CPU_UTILIZATION-web01.png",
    "reports/performance_report_r1.md",
    "reports/performance_report_r1.html",
    "reports/performance_report_r1.docx",
    "reports/report_metadata_r1.json",
    "reports/performance_report_r1.storage.xml",
    "confluence/publish.json",
)


@pytest.mark.parametrize("relative", CONTRACT)
def test_each_file_of_the_contract_is_declared_by_exactly_one_artifact(relative: str) -> None:
    matching = [artifact for artifact in layout.ALL if artifact.match(relative) is not None]
    assert len(matching) == 1
    assert layout.by_path(relative) is matching[0]
    assert layout.by_key(matching[0].key) is matching[0]


def test_every_declared_artifact_is_in_the_contract_and_says_who_writes_it() -> None:
    assert {layout.by_path(relative) for relative in CONTRACT} == set(layout.ALL)
    assert len({artifact.key for artifact in layout.ALL}) == len(layout.ALL)
    assert all(artifact.written_by and artifact.about for artifact in layout.ALL)


def test_the_makers_of_an_artifact_read_as_a_sentence() -> None:
    assert layout.SAMPLES.makers == "`perfsuite import` or `process_session_artifacts` or `collect_jmeter_results`"


@pytest.mark.parametrize("relative", ["", "run.jsonx", "x/run.json", "../run.json", "charts/../run.json", "run_json"])
def test_a_path_that_nobody_declared_belongs_to_nothing(relative: str) -> None:
    assert layout.by_path(relative) is None


def test_an_unknown_key_names_the_nearest() -> None:
    with pytest.raises(NotFound, match="import_sources"):
        layout.by_key("import_source")
    with pytest.raises(NotFound, match="run_record"):
        layout.by_key("")


def test_harmless_names_stay_readable() -> None:
    assert layout.HOST_METRICS.relative(host="web-01.example.com") == "datadog/host_metrics_web-01.example.com.csv"
    assert layout.BLAZEMETER_ENGINE_LOG.relative(number=12) == "blazemeter/jmeter-12.log"


def test_a_path_has_the_parts_that_it_was_made_of() -> None:
    relative = layout.RESOURCE_CHART.relative(chart_id="CPU_USERS", resource="web-01")
    assert layout.RESOURCE_CHART.match(relative) == {"chart_id": "CPU_USERS", "resource": "web-01"}
    assert layout.CHART.match(relative) is None


@pytest.mark.parametrize("host", ["../../x", "/etc/passwd", "a\0b", "nul", "..", ".", "*", "日本", "x" * 300, "\ud800"])
def test_a_hostile_host_gets_a_harmless_name(host: str) -> None:
    assert re.fullmatch(
        r"datadog/host_metrics_[A-Za-z0-9][A-Za-z0-9._-]{0,79}\.csv", layout.HOST_METRICS.relative(host=host)
    )


@given(st.lists(st.text(min_size=1), min_size=2, max_size=5, unique=True))
def test_different_names_never_meet_in_one_file_and_every_file_is_found_again(values: list[str]) -> None:
    paths = [layout.K8S_METRICS.relative(filter=value) for value in values]
    assert len(set(paths)) == len(values)
    for path in paths:
        assert layout.by_path(path) is layout.K8S_METRICS
        assert path.count("/") == 1
        assert ".." not in path


@pytest.mark.parametrize(
    ("artifact", "names"),
    [
        (layout.CHART, {"chart_id": "../x"}),
        (layout.CHART, {"chart_id": "CPU_USERS\n"}),
        (layout.BLAZEMETER_ENGINE_LOG, {"number": "1/2"}),
        (layout.REPORT_HTML, {"run_id": "a/b"}),
        (layout.HOST_METRICS, {"host": ""}),
        (layout.HOST_METRICS, {}),
        (layout.HOST_METRICS, {"host": "a", "filter": "b"}),
        (layout.SAMPLES, {"host": "a"}),
    ],
)
def test_wrong_or_missing_names_are_refused(artifact: layout.Artifact, names: dict[str, str]) -> None:
    with pytest.raises(BadInput) as caught:
        artifact.relative(**names)
    assert "Give" in caught.value.next_step
