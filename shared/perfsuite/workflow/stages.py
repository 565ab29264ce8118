"""The stages of a run and their steps, declared once.

The first stage is whichever source brings the results; the others follow in this order. A gate names the file that a
step must leave behind. A step without a gate is finished when its tool says so.
"""

from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Literal

from perfsuite.artifacts import layout
from perfsuite.artifacts.layout import Artifact
from perfsuite.artifacts.schemas import Source
from perfsuite.errors import NotFound

Needs = Literal["environment", "confluence"]


@dataclass(frozen=True)
class Gate:
    """A file that must exist and parse: any one of `artifacts`, with these `names` in its path.

    `keys` must stand in it, if it is JSON, with one of the values given, or with any value where none is given.
    """

    artifacts: tuple[Artifact, ...]
    names: tuple[tuple[str, str], ...] = ()
    keys: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def place(self) -> str:
        """The path of the first of the files, for an error or a list of what is missing."""
        place = self.artifacts[0].place
        for name, value in self.names:
            place = place.replace(f"{{{name}}}", value)
        return place


@dataclass(frozen=True)
class Step:
    """A task of the ledger and the tool that carries it out; `others` carry out further parts of it."""

    id: str
    title: str
    tool: str
    others: tuple[str, ...] = ()
    gates: tuple[Gate, ...] = ()
    # Charts of CPU and memory cannot be drawn, and need not be, when no metrics were collected.
    of_metrics: bool = False

    @property
    def charts(self) -> tuple[str, ...]:
        """The charts that it is about; it keeps all others, too, which do not decide whether it is done."""
        return tuple(value for gate in self.gates for name, value in gate.names if name == "chart_id")


@dataclass(frozen=True)
class Stage:
    """Steps that belong together. `retries` is how often the client of its API tries again; code never does."""

    id: str
    title: str
    steps: tuple[Step, ...] = field(repr=False)
    retries: int = 0
    needs: Needs | None = None

    def step(self, step_id: str) -> Step:
        """The step of this id."""
        for step in self.steps:
            if step.id == step_id:
                return step
        raise _unknown(f"step of stage {self.id!r}", step_id, [step.id for step in self.steps])


_API_RETRIES = 3
_ANALYSED = (("status", ("complete", "partial", "not_available")),)


def _file(artifact: Artifact, *others: Artifact, **names: str) -> tuple[Gate]:
    return (Gate((artifact, *others), tuple(names.items())),)


def _analysis(artifact: Artifact) -> tuple[Gate]:
    return (Gate((artifact,), keys=_ANALYSED),)


def _chart(chart_id: str) -> Gate:
    return Gate((layout.CHART, layout.RESOURCE_CHART), (("chart_id", chart_id),))


BLAZEMETER = Stage(
    "blazemeter",
    "Results from BlazeMeter",
    (
        Step("find_workspace", "Find the workspace", "get_workspaces"),
        Step("read_run_results", "Read the run's results", "get_run_results"),
        Step("confirm_run_ended", "Confirm that the run ended", "check_test_status"),
        Step("list_session_artifacts", "List the sessions' artifacts", "get_artifact_file_list"),
        Step("download", "Download", "process_session_artifacts"),
        Step("extract", "Extract", "process_session_artifacts", gates=_file(layout.BLAZEMETER_LOG)),
        Step(
            "merge", "Merge the engines' results", "process_session_artifacts", gates=_file(layout.BLAZEMETER_RESULTS)
        ),
        Step("aggregate_report", "Aggregate report", "get_aggregate_report", gates=_file(layout.BLAZEMETER_AGGREGATE)),
        Step("validate", "Validate the files", "get_aggregate_report"),
    ),
    retries=_API_RETRIES,
)
JMETER = Stage(
    "jmeter",
    "Results from JMeter",
    (
        Step("validate_plan", "Validate the plan", "validate_test_plan"),
        Step("check_guard_rails", "Check the guard rails", "start_jmeter_test"),
        Step("start", "Start", "start_jmeter_test"),
        Step("wait", "Wait for the end", "get_jmeter_run_status"),
        Step(
            "collect",
            "Collect the results",
            "collect_jmeter_results",
            gates=_file(layout.JMETER_RESULTS) + _file(layout.JMETER_LOG),
        ),
        Step("aggregate_report", "Aggregate report", "collect_jmeter_results", gates=_file(layout.JMETER_AGGREGATE)),
        Step("validate", "Validate the files", "collect_jmeter_results"),
    ),
)
IMPORT = Stage(
    "import",
    "Results from files",
    (
        # The files stay where they are: a copy of gigabytes would add nothing to their samples and hashes.
        Step("collect", "Read the files into samples", "perfsuite import", gates=_file(layout.SAMPLES)),
        Step("aggregate_report", "Aggregate report", "perfsuite import", gates=_file(layout.IMPORT_AGGREGATE)),
        Step("validate", "Validate the files", "perfsuite import"),
    ),
)
DATADOG = Stage(
    "datadog",
    "Metrics and logs from Datadog",
    (
        Step("load_environment", "Load the environment", "load_environment"),
        Step(
            "metrics",
            "Host or Kubernetes metrics",
            "get_host_metrics",
            ("get_kubernetes_metrics",),
            gates=_file(layout.HOST_METRICS, layout.K8S_METRICS),
        ),
        Step("logs", "Logs", "get_logs", gates=_file(layout.LOGS)),
    ),
    retries=_API_RETRIES,
    needs="environment",
)
PERFANALYSIS = Stage(
    "perfanalysis",
    "Analysis",
    (
        Step("test_results", "Test results", "analyze_test_results", gates=_analysis(layout.PERFORMANCE_ANALYSIS)),
        Step(
            "environment_metrics",
            "Environment metrics",
            "analyze_environment_metrics",
            gates=_analysis(layout.INFRASTRUCTURE_ANALYSIS),
        ),
        Step(
            "correlation_and_bottlenecks",
            "Correlation and bottlenecks",
            "correlate_test_results",
            ("identify_bottlenecks",),
            gates=_analysis(layout.CORRELATION_ANALYSIS) + _analysis(layout.BOTTLENECK_ANALYSIS),
        ),
        Step("logs", "Logs", "analyze_logs", gates=_analysis(layout.LOG_ANALYSIS)),
    ),
)
PERFREPORT = Stage(
    "perfreport",
    "Report",
    (
        Step("report", "Report", "create_performance_test_report", gates=_file(layout.REPORT_MARKDOWN)),
        Step("list_chart_types", "List the chart types", "list_chart_types"),
        Step(
            "infrastructure_charts",
            "CPU and memory charts",
            "create_chart",
            gates=(_chart("CPU_UTILIZATION"), _chart("MEMORY_UTILIZATION")),
            of_metrics=True,
        ),
        Step("p90_chart", "P90 chart", "create_chart", gates=(_chart("P90_USERS"),)),
    ),
)
CONFLUENCE = Stage(
    "confluence",
    "Publishing on Confluence",
    (
        Step("find_space", "Find the space", "list_spaces"),
        Step("space_details", "Read the space's details", "get_space_details"),
        Step("find_parent_page", "Find the parent page", "list_pages", ("search_pages",)),
        Step("choose_report", "Choose the report", "get_available_reports"),
        Step(
            "publish",
            "Publish",
            "publish_report",
            gates=(Gate((layout.PUBLISHED,), keys=(("page_id", ()), ("url", ()))),),
        ),
    ),
    retries=_API_RETRIES,
    needs="confluence",
)

SOURCES: dict[Source, Stage] = {"blazemeter": BLAZEMETER, "jmeter": JMETER, "import": IMPORT}
FOLLOWING: tuple[Stage, ...] = (DATADOG, PERFANALYSIS, PERFREPORT, CONFLUENCE)
ALL: tuple[Stage, ...] = (*SOURCES.values(), *FOLLOWING)


def by_id(stage_id: str) -> Stage:
    """The stage of this id."""
    for stage in ALL:
        if stage.id == stage_id:
            return stage
    raise _unknown("stage", stage_id, [stage.id for stage in ALL])


def _unknown(what: str, found: str, known: list[str]) -> NotFound:
    near = get_close_matches(found, known, n=1) or known
    return NotFound(f"There is no {what} called {found!r}.", next_step=f"Name {' or '.join(near)}.")
