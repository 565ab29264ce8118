"""Comparisons of runs: their file, which lies beside the run folders, and its model."""

from pathlib import Path
from typing import Literal

from perfsuite.artifacts.analyses import Finding, Input, Method, Severity, Status
from perfsuite.artifacts.folder import RunFolder
from perfsuite.artifacts.layout import Artifact, JsonArtifact
from perfsuite.artifacts.run_id import RunId
from perfsuite.artifacts.schemas import Document, Stored
from perfsuite.artifacts.store import RunStore
from perfsuite.errors import StorageFailed

ChangeVerdict = Literal[
    "regression", "improvement", "within_noise", "inconclusive", "insufficient_data", "incomparable"
]  # fmt: skip


class Compared(Stored):
    """One metric of one label in two runs. `change` is what the candidate has more, as a share of the baseline."""

    label: str
    kind: str
    metric: str
    verdict: ChangeVerdict
    tier: Literal["minor", "major", "critical"] | None = None
    at_least: Literal["minor", "major", "critical"] | None = None
    """The tier at the end of the interval that is nearer to no change."""
    reason: str
    baseline: float | None = None
    candidate: float | None = None
    change: float | None = None
    change_low: float | None = None
    change_high: float | None = None
    p_value: float | None = None
    p_adjusted: float | None = None
    samples_baseline: int = 0
    samples_candidate: int = 0


class LabelShift(Stored):
    """How far the distributions of a label lie apart, to describe and not to judge."""

    label: str
    kind: str
    cliffs_delta: float
    """-1 to 1: how much more often a sample of the candidate is slower than one of the baseline."""
    median_shift_ms: float
    """Hodges and Lehmann's: the median of the differences."""
    deciles_ms: tuple[float, ...]
    """The candidate's less the baseline's, p10 to p90."""


class Renamed(Stored):
    """A label that may have been renamed."""

    baseline: str
    candidate: str
    similarity: float


class Gate(Stored):
    """One condition under which two runs can be compared."""

    name: str
    holds: bool | None
    """None where it cannot be told."""
    text: str


class PairComparison(Stored):
    """A run against the baseline."""

    baseline: RunId
    candidate: RunId
    verdict: ChangeVerdict
    tier: Severity | None = None
    is_mixed: bool = False
    """Whether some became worse and others better: `verdict` is then `regression` both ways round, `tier` that of what
    became worse and `better_tier` that of what became better."""
    better_tier: Severity | None = None
    reason: str
    confidence: str
    gates: tuple[Gate, ...] = ()
    changes: tuple[Compared, ...] = ()
    shifts: tuple[LabelShift, ...] = ()
    new_labels: tuple[str, ...] = ()
    gone_labels: tuple[str, ...] = ()
    renamed_labels: tuple[Renamed, ...] = ()
    findings: tuple[Finding, ...] = ()


class TrendPoint(Stored):
    """A run in the order in which the runs were made."""

    run_id: RunId
    p50_ms: float | None = None
    p95_ms: float | None = None
    error_rate: float | None = None
    throughput_per_s: float | None = None


class Comparison(Document):
    """`comparisons/{comparison_id}/comparison.json`: runs against one of them."""

    comparison_id: str
    status: Status
    reasons: tuple[str, ...] = ()
    baseline: RunId
    run_ids: tuple[RunId, ...]
    inputs: tuple[Input, ...] = ()
    methods: tuple[Method, ...] = ()
    percentile_method: str
    pairs: tuple[PairComparison, ...]
    trend: tuple[TrendPoint, ...] = ()


COMPARISON = JsonArtifact(
    "comparison", "comparison.json", ("compare_test_runs",), "runs compared with one of them", Comparison
)

_REPORT = ("create_comparison_report",)
COMPARISON_MARKDOWN = Artifact(
    "comparison_markdown", "reports/comparison_report_{run_id}.md", _REPORT, "the comparison in words"
)
COMPARISON_HTML = Artifact(
    "comparison_html", "reports/comparison_report_{run_id}.html", _REPORT, "the comparison as a web page"
)
COMPARISON_DOCX = Artifact(
    "comparison_docx", "reports/comparison_report_{run_id}.docx", _REPORT, "the comparison for Word"
)
COMPARISON_STORAGE = Artifact(
    "comparison_storage",
    "reports/comparison_report_{run_id}.storage.xml",
    ("publish_report",),
    "the page as it was sent",
)


def comparison_folder(store: RunStore, comparison_id: str) -> RunFolder:
    """The folder of a comparison, which reads and writes as that of a run does. It need not exist yet."""
    name = RunId(comparison_id)
    return RunFolder(name, store.root / "comparisons" / name)


def save_comparison(store: RunStore, comparison: Comparison) -> Path:
    """Write a comparison. The same comparison gives the same bytes."""
    folder = comparison_folder(store, comparison.comparison_id)
    try:
        folder.root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageFailed(
            f"The comparison {comparison.comparison_id!r} could not be saved: {error.strerror}.",
            next_step="Make the artifacts folder writable for this user.",
        ) from error
    return folder.save(COMPARISON, comparison)


def load_comparison(store: RunStore, comparison_id: str) -> Comparison:
    """Read a comparison, or say which tool makes it."""
    return comparison_folder(store, comparison_id).load(COMPARISON)
