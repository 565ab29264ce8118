"""`reports/report_metadata_{run_id}.json`: everything that a report says, as data, each with the file it comes from."""

from typing import Final, Literal

from pydantic import Field

from perfsuite.artifacts import JsonArtifact, RunId, layout
from perfsuite.artifacts.analyses import Input, Method, Severity
from perfsuite.artifacts.schemas import Document, Sha256, Stored, UtcTime

Verdict = Literal["PASS", "PASS WITH WARNINGS", "FAIL", "INCONCLUSIVE"]
Confidence = Literal["high", "medium", "low"]
Cell = str | int | float | None
Form = Literal["text", "status", "count", "ms", "share", "number"]
"""How a cell is shown: `share` is 0 to 1 and shown in percent."""


class Statement(Stored):
    """A sentence, and the file that it comes from."""

    text: str
    source: str


class Fact(Stored):
    """A number or a name, and where it stands."""

    name: str
    value: str
    source: str


class Column(Stored):
    title: str
    form: Form = "text"


class Table(Stored):
    """Rows as the analyses hold them; the columns say how they are shown."""

    id: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...] = ()
    left_out: int = 0
    """Rows that only the source holds."""
    source: str
    empty: str
    """What to say where there is no row."""


class Line(Stored):
    name: str
    values: tuple[float | None, ...]
    at: tuple[float, ...] = ()
    """Its own places, where they are not those of the plot."""


class Span(Stored):
    """A stretch of the run, or a moment where both ends are the same."""

    name: str
    from_s: float
    to_s: float


class Plot(Stored):
    """Lines over seconds since the first sample, over users, or over milliseconds."""

    id: str
    title: str
    x: Literal["time_s", "users", "ms"]
    unit: str
    at: tuple[float, ...]
    lines: tuple[Line, ...]
    second_unit: str = ""
    second_lines: tuple[Line, ...] = ()
    """On an axis of their own."""
    source: str


class Picture(Stored):
    """A chart that lies in the run folder."""

    chart_id: str
    title: str
    alt: str
    file: str


class ReportFinding(Stored):
    """What an analysis found, in its words."""

    id: str
    kind: str
    severity: Severity
    subject: str
    text: str
    source: str


class Suspicion(Stored):
    """A bottleneck, what speaks for it and what against."""

    id: str
    kind: str
    subject: str
    confidence: Confidence
    text: str
    evidence: tuple[Statement, ...]
    counter_evidence: tuple[Statement, ...]
    onset: str
    next_check: str
    source: str


class Advice(Stored):
    """What to do about findings of one class, and how to see that it worked."""

    kind: str
    finding_ids: tuple[str, ...]
    subjects: tuple[str, ...]
    evidence: tuple[Statement, ...]
    what: str
    check: str


class Missing(Stored):
    """What the report cannot say, why, and the tool that would change that."""

    what: str
    why: str
    next_step: str
    is_stale: bool = False
    """Whether it is there, and older than what it was made of."""


class Report(Document):
    """A report before it is written: nothing in it that no file of the run holds."""

    run_id: RunId
    title: str
    perfsuite_version: str
    verdict: Verdict
    verdict_reason: str
    confidence: Confidence
    confidence_reasons: tuple[str, ...] = ()
    window_start: UtcTime | None = None
    window_s: float | None = None
    window_name: str
    """Of what the numbers are: of the steady state, or of the whole run."""
    highlights: tuple[Statement, ...] = ()
    """The likeliest bottlenecks and the gravest findings, for whoever reads one page."""
    key_numbers: tuple[Fact, ...] = ()
    scope: tuple[Fact, ...] = ()
    quality: tuple[Statement, ...] = ()
    missing: tuple[Missing, ...] = ()
    findings: tuple[ReportFinding, ...] = ()
    bottlenecks: tuple[Suspicion, ...] = ()
    bottleneck_notes: tuple[Statement, ...] = ()
    correlation: tuple[Statement, ...] = ()
    capacity: tuple[Statement, ...] = ()
    advice: tuple[Advice, ...] = ()
    tables: tuple[Table, ...] = ()
    plots: tuple[Plot, ...] = ()
    spans: tuple[Span, ...] = ()
    pictures: tuple[Picture, ...] = ()
    methods: tuple[Method, ...] = ()
    percentile_method: str | None = None
    inputs: tuple[Input, ...] = ()
    template: str = ""
    template_sha256: Sha256 | None = None
    blocks: dict[str, tuple[Sha256, ...]] = Field(default_factory=dict)
    """The parts of the Markdown as they were generated, by which an edit is told."""
    edited: tuple[str, ...] = ()
    """The parts that a person or an agent wrote, and that were kept."""


REPORT: Final = JsonArtifact(
    layout.REPORT_METADATA.key, layout.REPORT_METADATA.place, layout.REPORT_METADATA.written_by,
    layout.REPORT_METADATA.about, Report,
)  # fmt: skip
COMPARISON_REPORT: Final = JsonArtifact(
    "comparison_metadata", "reports/comparison_metadata_{run_id}.json", ("create_comparison_report",),
    "the tables of the comparison's report, and how its parts were generated", Report,
)  # fmt: skip
