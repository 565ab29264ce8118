"""How far the analyses of a run are."""

import json
from typing import Any, Final

from perfsuite import samples
from perfsuite.artifacts import RunFolder, RunStore, layout
from perfsuite.artifacts.folder import LARGEST_JSON
from perfsuite.artifacts.layout import Artifact, JsonArtifact
from perfsuite.errors import NotReady, PerfsuiteError
from perfsuite.samples.rows import printable
from perfsuite.workflow.ledger import Ledger
from perfsuite.workflow.stages import PERFANALYSIS
from perfsuite.workflow.status import StepStatus
from perfsuite_perfanalysis.models.standing import AnalysisState, AnalysisStatus

_FILES: Final[tuple[tuple[JsonArtifact[Any], str, str], ...]] = (
    (layout.PERFORMANCE_ANALYSIS, "analyze_test_results", "test_results"),
    (layout.INFRASTRUCTURE_ANALYSIS, "analyze_environment_metrics", "environment_metrics"),
    (layout.CORRELATION_ANALYSIS, "correlate_test_results", "correlation_and_bottlenecks"),
    (layout.BOTTLENECK_ANALYSIS, "identify_bottlenecks", "correlation_and_bottlenecks"),
    (layout.LOG_ANALYSIS, "analyze_logs", "logs"),
)
_MOST_REASONS: Final = 3
_LONGEST_REASON: Final = 250


def analysis_status(runs: RunStore, run_id: str) -> AnalysisStatus:
    """Of every analysis: whether its file is there and whole, and whether its inputs have changed since."""
    run = runs.open(run_id)
    [stage] = [one for one in Ledger(run).status().stages if one.stage == PERFANALYSIS.id]
    steps = {one.step: one for one in stage.steps}
    states = [_state(run, artifact, tool, steps[step]) for artifact, tool, step in _FILES]
    has_samples, repair = run.path(layout.SAMPLES).is_file(), _repair(run)
    return AnalysisStatus(
        run_id=run.run_id, has_samples=has_samples, analyses=states, next_step=repair or _next_step(states)
    )


def _state(run: RunFolder, artifact: JsonArtifact[Any], tool: str, step: StepStatus) -> AnalysisState:
    content = _content(run, artifact)
    is_there = content is not None
    reasons = list(dict.fromkeys(step.reasons))
    if is_there and content == {}:
        reasons.insert(0, f"{artifact.place} is not the JSON that it should be.")
    elif content and (other := _other_version(artifact, content)):
        reasons.insert(0, f"{artifact.place} has schema version {other}: call `{tool}` again, or update perfsuite.")
        content = {}
    findings = content.get("findings") if content else None
    status = content.get("status") if content else None
    return AnalysisState(
        tool=tool,
        file=artifact.place,
        state="not_started" if not is_there and step.state in ("done", "partial") else step.state,
        status=printable(status, 20) if isinstance(status, str) else None,
        findings=len(findings) if isinstance(findings, list) else None,
        reasons=[printable(one, _LONGEST_REASON) for one in reasons[:_MOST_REASONS]],
    )


def _content(run: RunFolder, artifact: Artifact) -> dict[str, Any] | None:
    """What the file says; nothing where it cannot be read, None where there is none."""
    path = run.file_or_none(artifact.place)
    if path is None:
        return None
    try:
        found = json.loads(path.read_bytes()) if path.stat().st_size <= LARGEST_JSON else {}
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _other_version(artifact: JsonArtifact[Any], content: dict[str, Any]) -> str:
    """The version of a file that this perfsuite does not read; empty where it does."""
    version = str(content.get("schema_version"))
    return "" if version.partition(".")[0] == str(artifact.schema.major) else printable(version, 20)


def _repair(run: RunFolder) -> str:
    """What to do about samples that are not there or cannot be read; empty where they can."""
    try:
        samples.open(run)
    except NotReady:
        return f"There are no samples yet: call {layout.SAMPLES.makers} first."
    except PerfsuiteError as error:
        return f"The samples cannot be used. {error.next_step}"
    return ""


def _next_step(states: list[AnalysisState]) -> str:
    todo = [one.tool for one in states if one.status is None or one.state not in ("done", "running")]
    if todo:
        return f"Call `{todo[0]}`."
    return "All analyses are done: call `create_performance_test_report`."
