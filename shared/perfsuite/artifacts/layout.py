"""Every file of a run folder, declared once: its place, the tools that write it and what it is.

Placeholders in a place are filled by `Artifact.relative`. What fills them comes from outside (host names, filters, log
types), so a value that could not be a part of a file name is replaced by a readable one that no other value gets.
"""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from hashlib import sha256
from typing import Generic, TypeVar

from perfsuite.artifacts.analyses import PerformanceAnalysis
from perfsuite.artifacts.bottlenecks import BottleneckAnalysis
from perfsuite.artifacts.correlations import CorrelationAnalysis
from perfsuite.artifacts.infrastructure import InfrastructureAnalysis
from perfsuite.artifacts.log_findings import LogAnalysis
from perfsuite.artifacts.run_id import PATTERN as RUN_ID
from perfsuite.artifacts.run_id import is_reserved, shown, slug
from perfsuite.artifacts.schemas import Document, ImportSources, RunRecord
from perfsuite.errors import BadInput, NotFound

# Two parts and a prefix must stay below the 255 bytes that file systems allow for a name.
_LONGEST_PART = 80
_PART = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_-])?")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_NARROW = {"run_id": RUN_ID, "chart_id": r"[A-Z][A-Z0-9_]*", "number": r"[0-9]+"}

M_co = TypeVar("M_co", bound=Document, covariant=True)


@dataclass(frozen=True)
class Artifact:
    """A file of a run: `place` is its path in the run folder, with `{placeholders}`."""

    key: str
    place: str
    written_by: tuple[str, ...]
    about: str
    schema: type[Document] | None = None

    def relative(self, **names: str | int) -> str:
        """The path in the run folder, with every placeholder filled by a value made safe."""
        if set(names) != self.placeholders:
            raise BadInput(
                f"The path of {self.key!r} takes {sorted(self.placeholders)}; found {sorted(names)}.",
                next_step=f"Give exactly one value for each placeholder of {self.place!r}.",
            )
        return self.place.format_map({name: _filling(name, str(value)) for name, value in names.items()})

    def match(self, relative: str) -> dict[str, str] | None:
        """The parts that fill the placeholders in this path, or None when it is another file's."""
        found = self._regex.fullmatch(relative)
        return found.groupdict() if found else None

    @property
    def placeholders(self) -> frozenset[str]:
        """The names of the parts that its path leaves open."""
        return frozenset(_PLACEHOLDER.findall(self.place))

    @property
    def makers(self) -> str:
        """The tools that write it, as a sentence names them."""
        return " or ".join(f"`{tool}`" for tool in self.written_by)

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        pieces = _PLACEHOLDER.split(self.place)
        named = (f"(?P<{name}>{_NARROW.get(name, _PART.pattern)})" for name in pieces[1::2])
        return re.compile(
            "".join(re.escape(text) + group for text, group in zip(pieces[::2], (*named, ""), strict=True))
        )


@dataclass(frozen=True)
class JsonArtifact(Artifact, Generic[M_co]):
    """A file that `RunFolder.save` and `RunFolder.load` know by its model."""

    schema: type[M_co]


def file_part(value: str) -> str:
    """The value itself if it may stand in a file name, else a readable name that ends in a part of its hash."""
    if not value:
        raise BadInput("A part of a file name is empty.", next_step="Give a name of at least one character.")
    if len(value) <= _LONGEST_PART and _PART.fullmatch(value) and ".." not in value and not is_reserved(value):
        return value
    digest = sha256(value.encode("utf-8", "surrogatepass")).hexdigest()[:10]
    return f"{slug(value)[: _LONGEST_PART - len(digest) - 1]}-{digest}".lstrip(".-")


def _filling(name: str, value: str) -> str:
    if name in _NARROW and not re.fullmatch(_NARROW[name], value):
        raise BadInput(
            f"{shown(value)} cannot be the {name} in a file name.",
            next_step=f"Give one that matches {_NARROW[name]!r} from its first character to its last.",
        )
    return file_part(value)


_IMPORT = ("perfsuite import",)
_FETCH = ("process_session_artifacts",)
_COLLECT = ("collect_jmeter_results",)
_START = ("start_jmeter_test",)
_ANALYSES = "model with status, inputs and percentile method"
_REPORT = ("create_performance_test_report",)
_PUBLISH = ("publish_report",)
_CHART = ("create_chart",)

RUN_RECORD = JsonArtifact(
    "run_record", "run.json", (*_IMPORT, "get_run_results", *_START), "what the run is, and its ledger", RunRecord
)
SAMPLES = Artifact("samples", "samples.parquet", (*_IMPORT, *_FETCH, *_COLLECT), "canonical samples")

IMPORT_SOURCES = JsonArtifact(
    "import_sources", "import/sources.json", _IMPORT, "what was imported, and what was assumed about it", ImportSources
)
IMPORT_AGGREGATE = Artifact(
    "import_aggregate", "import/aggregate_performance_report.csv", _IMPORT, "statistics by label"
)
IMPORT_LOG = Artifact("import_log", "import/jmeter.log", _IMPORT, "the log that was imported with the results")

BLAZEMETER_CONFIG = Artifact("blazemeter_config", "blazemeter/test_config.json", ("get_run_results",), "test and run")
BLAZEMETER_AGGREGATE = Artifact(
    "blazemeter_aggregate",
    "blazemeter/aggregate_performance_report.csv",
    ("get_aggregate_report",),
    "statistics by label",
)
BLAZEMETER_RESULTS = Artifact("blazemeter_results", "blazemeter/test-results.csv", _FETCH, "results of all engines")
BLAZEMETER_LOG = Artifact("blazemeter_log", "blazemeter/jmeter.log", _FETCH, "the log of the first engine")
BLAZEMETER_ENGINE_LOG = Artifact(
    "blazemeter_engine_log", "blazemeter/jmeter-{number}.log", _FETCH, "the log of a further engine"
)
BLAZEMETER_BZT_LOG = Artifact("blazemeter_bzt_log", "blazemeter/bzt-{number}.log", _FETCH, "the log of Taurus")
BLAZEMETER_ERRORS = Artifact(
    "blazemeter_errors", "blazemeter/errors-{number}.jtl", _FETCH, "failed samples in detail, as JMeter wrote them"
)
BLAZEMETER_SESSIONS = Artifact("blazemeter_sessions", "blazemeter/sessions.json", _FETCH, "what came from each session")

JMETER_PLAN = Artifact("jmeter_plan", "jmeter/plan.jmx", _START, "the plan that ran")
JMETER_SPEC = Artifact("jmeter_spec", "jmeter/run-spec.json", _START, "what was asked of the runner")
JMETER_STATE = Artifact("jmeter_state", "jmeter/state.json", _START, "the state of the runner")
JMETER_CONSOLE = Artifact("jmeter_console", "jmeter/console.log", _START, "what JMeter printed")
JMETER_LOG = Artifact("jmeter_log", "jmeter/jmeter.log", _START, "JMeter's log")
JMETER_HEALTH = Artifact("jmeter_health", "jmeter/generator_health.csv", _START, "load of the generator over time")
JMETER_RESULTS = Artifact("jmeter_results", "jmeter/test-results.csv", _START, "results as JMeter wrote them")
JMETER_AGGREGATE = Artifact(
    "jmeter_aggregate", "jmeter/aggregate_performance_report.csv", _COLLECT, "statistics by label"
)
JMETER_ATTEMPT = Artifact("jmeter_attempt", "jmeter/attempts/{number}/{file}", _START, "a file of an earlier attempt")

HOST_METRICS = Artifact("host_metrics", "datadog/host_metrics_{host}.csv", ("get_host_metrics",), "metrics of a host")
K8S_METRICS = Artifact(
    "k8s_metrics", "datadog/k8s_metrics_{filter}.csv", ("get_kubernetes_metrics",), "metrics of containers or pods"
)
KPI_METRICS = Artifact("kpi_metrics", "datadog/kpi_metrics_{entity}.csv", ("get_kpi_timeseries",), "custom metrics")
LOGS = Artifact("logs", "datadog/logs_{type}_{env}.csv", ("get_logs",), "one row a log event")
APM_TRACES = Artifact("apm_traces", "datadog/apm_traces_{type}_{env}.csv", ("get_apm_traces",), "one row a span")
COLLECTION = Artifact(
    "collection",
    "datadog/collection.json",
    ("get_host_metrics", "get_kubernetes_metrics", "get_kpi_timeseries", "get_logs", "get_apm_traces"),
    "every query that was sent, and whether its answer is complete",
)

PERFORMANCE_ANALYSIS = JsonArtifact(
    "performance_analysis",
    "analysis/performance_analysis.json",
    ("analyze_test_results",),
    _ANALYSES,
    PerformanceAnalysis,
)
INFRASTRUCTURE_ANALYSIS = JsonArtifact(
    "infrastructure_analysis",
    "analysis/infrastructure_analysis.json",
    ("analyze_environment_metrics",),
    _ANALYSES,
    InfrastructureAnalysis,
)
CORRELATION_ANALYSIS = JsonArtifact(
    "correlation_analysis",
    "analysis/correlation_analysis.json",
    ("correlate_test_results",),
    _ANALYSES,
    CorrelationAnalysis,
)
LOG_ANALYSIS = JsonArtifact("log_analysis", "analysis/log_analysis.json", ("analyze_logs",), _ANALYSES, LogAnalysis)
BOTTLENECK_ANALYSIS = JsonArtifact(
    "bottleneck_analysis",
    "analysis/bottleneck_analysis.json",
    ("identify_bottlenecks",),
    _ANALYSES,
    BottleneckAnalysis,
)

CHART = Artifact("chart", "charts/{chart_id}.png", _CHART, "a chart of the whole run")
RESOURCE_CHART = Artifact("resource_chart", "charts/{chart_id}-{resource}.png", _CHART, "a chart of one host or pod")

REPORT_MARKDOWN = Artifact("report_markdown", "reports/performance_report_{run_id}.md", _REPORT, "the report's prose")
REPORT_HTML = Artifact("report_html", "reports/performance_report_{run_id}.html", _REPORT, "the report as a web page")
REPORT_DOCX = Artifact("report_docx", "reports/performance_report_{run_id}.docx", _REPORT, "the report for Word")
REPORT_METADATA = Artifact(
    "report_metadata", "reports/report_metadata_{run_id}.json", _REPORT, "the report's tables, series and findings"
)
REPORT_STORAGE = Artifact(
    "report_storage", "reports/performance_report_{run_id}.storage.xml", _PUBLISH, "the page as it was sent"
)
PUBLISHED = Artifact("published", "confluence/publish.json", _PUBLISH, "page id, version, URL and hash of the content")

ALL: tuple[Artifact, ...] = tuple(value for value in dict(globals()).values() if isinstance(value, Artifact))
_BY_KEY = {artifact.key: artifact for artifact in ALL}


def by_key(key: str) -> Artifact:
    """The artifact of this key."""
    if found := _BY_KEY.get(key):
        return found
    near = get_close_matches(key, _BY_KEY, n=3) or sorted(_BY_KEY)
    raise NotFound(f"There is no artifact {shown(key)}.", next_step=f"Name one of {', '.join(near)}.")


def by_path(relative: str) -> Artifact | None:
    """The artifact that has this path in the run folder, or None when it is none of ours."""
    return next((artifact for artifact in ALL if artifact.match(relative) is not None), None)
