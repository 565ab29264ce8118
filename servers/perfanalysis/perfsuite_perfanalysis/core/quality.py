"""What a reader of the numbers must know about the data."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from perfsuite.artifacts.analyses import GeneratorHealth, LabelNumbers, Phases, QualityNote, Severity, Value
from perfsuite.samples.rows import printable
from perfsuite_perfanalysis.core.widths import rounded_down

if TYPE_CHECKING:
    from perfsuite.samples.course import Course, Order
    from perfsuite.samples.parquet import Metadata

_GAP_S: Final = 10.0
_LONG_GAP_S: Final = 60.0
_USUAL_GAPS: Final = 20
_MOST_GAPS: Final = 20
_MANY_REJECTED: Final = 0.01
_APART_S: Final = 60.0
_BACK_S: Final = 60.0
_SHORT_S: Final = 300.0


@dataclass(frozen=True)
class Facts:
    """What the notes are drawn from."""

    rows: int
    metadata: "Metadata"
    course: "Course"
    order: "Order"
    phases: Phases
    generator: GeneratorHealth
    labels: tuple[LabelNumbers, ...]
    labels_folded: int


def quality_notes(facts: Facts) -> tuple[QualityNote, ...]:
    """All of them, in an order that does not change."""
    parts = (_rows, _gaps, _clock, _generator, _window, _labels)
    return tuple(note for part in parts for note in part(facts))


def _rows(facts: Facts) -> Iterator[QualityNote]:
    rejected = facts.metadata.rows_rejected
    if rejected:
        share = rejected / (facts.rows + rejected)
        text = f"{rejected} rows ({share:.2%}) could not be read and are in no number."
        yield _note("rejected_rows", "major" if share > _MANY_REJECTED else "minor", text, rows=rejected, share=share)
    if facts.metadata.weighted:
        yield _note("weighted_rows", "info", "A row may stand for several samples: its time is their mean.")
    if absent := sorted(set(facts.metadata.absent_columns) & {"all_threads", "response_code", "bytes", "thread"}):
        yield _note("absent_columns", "info", f"Not in the result files, and so unknown: {', '.join(absent)}.")


def _gaps(facts: Facts) -> Iterator[QualityNote]:
    course = facts.course
    quiet = (course.starts == 0) & (course.completed == 0)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], quiet, [False]])))
    usual = course.span_s / max(1, int(course.completed.sum()))
    shortest = max(_GAP_S, _USUAL_GAPS * usual)
    spans = [(start * course.width_s, end * course.width_s) for start, end in zip(edges[::2], edges[1::2], strict=True)]
    found = [(start, end) for start, end in spans if end - start >= shortest]
    for start, end in found[:_MOST_GAPS]:
        severity: Severity = "major" if end - start >= _LONG_GAP_S or end - start > 0.05 * course.span_s else "minor"
        text = f"Nothing started or ended for {end - start:.0f} s from {start:.0f} s on."
        yield _note("gap", severity, text, from_s=float(start), to_s=float(end))
    if len(found) > _MOST_GAPS:
        yield _note("gap", "major", f"There are {len(found) - _MOST_GAPS} more gaps.", gaps=len(found))


def _clock(facts: Facts) -> Iterator[QualityNote]:
    if facts.order.furthest_back_s > _BACK_S:
        text = (
            f"Times go back by {facts.order.furthest_back_s:.0f} s from row to row: a clock was set, or the results of "
            "several engines or runs follow each other."
        )
        yield _note("clock", "minor", text, seconds=facts.order.furthest_back_s)
    if facts.order.whole_seconds and facts.rows > 1:
        yield _note("clock", "minor", "Times are whole seconds: what happens within a second cannot be told.")
    engines = facts.course.engines
    if len(engines) < 2:
        return
    starts = [start for _, start, _ in engines]
    apart = (max(starts) - min(starts)) / 1e6
    if apart > _APART_S:
        late = printable(max(engines, key=lambda one: one[1])[0])
        text = f"Engine {late!r} began {apart:.0f} s after the first one, or its clock is ahead."
        yield _note("clock", "major", text, seconds=apart, engine=late)


def _generator(facts: Facts) -> Iterator[QualityNote]:
    found = facts.generator
    if found.verdict == "saturated":
        text = f"The load generator did not keep up. {found.reason} {found.advice}"
        evidence: dict[str, Value] = {f"typical_{name}": value for name, value in found.typical.items()}
        yield _note("generator_saturated", "critical", text, readings=found.saturated_readings, **evidence)
    if found.verdict == "unknown":
        yield _note("generator_unknown", "info", f"Whether the load generator kept up is unknown. {found.reason}")


def _window(facts: Facts) -> Iterator[QualityNote]:
    phases = facts.phases
    if not phases.has_steady_state:
        yield _note("no_steady_state", "major", f"There is no steady state. {phases.reason}")
    elif (length := (phases.steady_to_s or 0) - (phases.steady_from_s or 0)) < _SHORT_S:
        lasts = f"The steady state lasts {rounded_down(length):g} s"
        text = f"{lasts}; below {_SHORT_S:.0f} s it says little about the long run."
        yield _note("short_steady_state", "minor", text, seconds=length)


def _labels(facts: Facts) -> Iterator[QualityNote]:
    if not any(one.kind == "sample" for one in facts.labels):
        yield _note("only_transactions", "major", "There are no samplers, so totals are of the rows that there are.")
    if facts.labels_folded:
        rare = "1 rare label stands" if facts.labels_folded == 1 else f"{facts.labels_folded} rare labels stand"
        text = f"{rare} together as '(other labels)'; were ids left in the names?"
        yield _note("labels_folded", "minor", text, labels=facts.labels_folded)
    few = [one for one in facts.labels if (one.steady or one.whole).withheld]
    if few:
        labels = "1 label" if len(few) == 1 else f"{len(few)} labels"
        text = f"Of {labels} there are too few samples for some percentiles, which are withheld."
        yield _note("few_samples", "info", text, labels=len(few))


def _note(kind: str, severity: Severity, text: str, **details: Value) -> QualityNote:
    return QualityNote(kind=kind, severity=severity, text=text, details=details)
