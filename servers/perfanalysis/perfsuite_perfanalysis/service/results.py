"""Analyses the samples of a run, and writes what was found to its file."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from perfsuite.artifacts import RunFolder, RunStore, layout, sha256_of
from perfsuite.artifacts.analyses import (
    CodeCount,
    ErrorCause,
    Input,
    LabelNumbers,
    LabelOverTime,
    Method,
    Numbers,
    OverTime,
    PerformanceAnalysis,
    Phases,
    QualityNote,
    SlaReport,
)
from perfsuite.configuration import Loaded
from perfsuite.samples.definitions import DEFAULT_APDEX, DEFAULT_PERCENTILES, Choice, Selection, percentile_key
from perfsuite.samples.rows import printable
from perfsuite.workflow.ledger import Ledger, RunningStep
from perfsuite_perfanalysis.core.findings import performance_findings
from perfsuite_perfanalysis.core.identity import finding_id, shown
from perfsuite_perfanalysis.core.sla_rules import Rules
from perfsuite_perfanalysis.core.widths import nice_width_s
from perfsuite_perfanalysis.models.slas import SlaFile
from perfsuite_perfanalysis.service.reading import Reading, read_run
from perfsuite_perfanalysis.service.slas import chosen_rules
from perfsuite_perfanalysis.service.work import Work

if TYPE_CHECKING:
    from perfsuite.samples.course import Course, Histograms
    from perfsuite.samples.queries import ErrorGroup
    from perfsuite.samples.statistics import Statistics
    from perfsuite_perfanalysis.core.blocks import Blocks
    from perfsuite_perfanalysis.core.sla_verdicts import Measured

TOOL: Final = "analyze_test_results"
MOST_LABELS: Final = 500
_MOST_DISTRIBUTIONS: Final = 50
_MOST_OVER_TIME: Final = 20
_MOST_CAUSES: Final = 100
_MOST_CODES: Final = 100
_MOST_LABELS_OF_CAUSE: Final = 50
_POINTS: Final = 120
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def analyze_test_results(
    runs: RunStore, run_id: str, slas: Loaded[SlaFile], profile: str | None = None, work: Work | None = None
) -> PerformanceAnalysis:
    """Analyse a run; the same samples and limits give the same file."""
    run = runs.open(run_id)
    work = work or Work()
    rules = chosen_rules(slas, profile, run.record().scenario)
    with Ledger(run).step("perfanalysis", "test_results", tool=TOOL) as step:
        read = read_run(run, work, MOST_LABELS, 0.3)
        analysis = _Analysis(read, rules, work).analysed(_inputs(run, step, slas))
        run.save(layout.PERFORMANCE_ANALYSIS, analysis)
        step.produced(run.path(layout.PERFORMANCE_ANALYSIS))
    return analysis


def _inputs(run: RunFolder, step: RunningStep, slas: Loaded[SlaFile]) -> tuple[Input, ...]:
    paths = [run.path(layout.SAMPLES), run.path(layout.JMETER_HEALTH), *([slas.path] if slas.path else [])]
    for path in slas.searched[: slas.searched.index(slas.path) if slas.path else None]:
        step.looked_for(path)
    inputs = []
    for path in paths:
        if path.is_file():
            digest = sha256_of(path)
            step.used(path, sha256=digest)
            inputs.append(Input(path=run.relative_to(path) or path.name, sha256=digest))
    return tuple(inputs)


@dataclass(frozen=True)
class _Label:
    """A label with everything that was measured of it."""

    label: str
    kind: str
    whole: "Statistics"
    steady: "Statistics | None"
    blocks: "Blocks"
    steady_blocks: "Blocks | None"

    def numbers(self, percentiles: Sequence[float]) -> LabelNumbers:
        from perfsuite_perfanalysis.core.numbers import numbers_of

        return LabelNumbers(
            label=shown(self.label),
            kind=self.kind,
            whole=numbers_of(self.whole, percentiles, self.blocks),
            steady=numbers_of(self.steady, percentiles, self.steady_blocks) if self.steady else None,
        )


class _Analysis:
    """The steps of one analysis, in which each question goes over the samples once."""

    def __init__(self, read: Reading, rules: Rules | None, work: Work) -> None:
        self.read, self.found, self.kind = read, read.found, read.kind
        self.rules, self.work = rules, work
        wanted = sorted({*DEFAULT_PERCENTILES, *(rules.percentiles if rules else ())})
        apdex = rules.apdex.apdex if rules and rules.apdex else None
        self.choice = Choice(tuple(wanted), "linear", apdex.limits() if apdex else DEFAULT_APDEX)

    def analysed(self, inputs: tuple[Input, ...]) -> PerformanceAnalysis:
        from perfsuite_perfanalysis.core.numbers import peak_of

        read, seen = self.read, self.read.course
        overall, labels = self._labels(read.phases, read.histograms)
        told = tuple(one.numbers(self.choice.percentiles) for one in labels)
        quality = self._quality(told)
        reasons = tuple(one.text for one in quality if one.kind in ("no_steady_state", "only_transactions"))
        analysis = PerformanceAnalysis(
            run_id=read.run.run_id,
            status="partial" if reasons else "complete",
            reasons=reasons,
            inputs=inputs,
            methods=self._methods(read.histograms.block_s),
            percentile_method=self.choice.method,
            window_start=_moment(seen.first_us),
            window_s=seen.span_s,
            phases=read.phases,
            overall=_with_distribution(overall, self.choice.percentiles),
            labels=_with_distributions(labels, told),
            labels_folded=read.folded,
            apdex_satisfied_ms=self.choice.apdex.satisfied_ms,
            apdex_tolerated_ms=self.choice.apdex.tolerated_ms,
            over_time=self._over_time(seen, labels),
            peak=peak_of(seen),
            errors=self._errors(),
            response_codes=self._codes(),
            sla=self._sla(overall, labels),
            quality=quality,
            generator=read.generator,
        )
        return analysis.model_copy(update={"findings": performance_findings(analysis)})

    def _quality(self, labels: tuple[LabelNumbers, ...]) -> tuple[QualityNote, ...]:
        from perfsuite.samples.course import order
        from perfsuite_perfanalysis.core.quality import Facts, quality_notes

        self.work.step("looking at the order of rows", 0.6)
        read = self.read
        facts = Facts(
            rows=self.found.rows, metadata=self.found.metadata, course=read.course, order=order(self.found),
            phases=read.phases, generator=read.generator, labels=labels, labels_folded=read.folded,
        )  # fmt: skip
        return quality_notes(facts)

    def _labels(self, phases: Phases, table: "Histograms") -> tuple[_Label, list[_Label]]:
        from perfsuite_perfanalysis.core.tables import blocks_of

        self.work.step("computing statistics of the whole run", 0.3)
        whole, total = self.found.statistics(self.choice, Selection(kind=None), total_of=self.kind)
        steady, steady_total = self._steady(phases, whole, total)
        from_s, to_s = phases.steady_from_s or 0.0, phases.steady_to_s

        def measured(one: "Statistics", then: "Statistics | None", ids: list[int]) -> _Label:
            blocks = blocks_of(table, ids)
            inside = blocks_of(table, ids, from_s, to_s) if then else None
            return _Label(one.label, one.kind, one, then, blocks, inside)

        places = {key: number for number, key in enumerate(table.labels)}
        labels = [
            measured(one, steady.get((one.kind, one.label)), [places[one.kind, one.label]]) for one in whole
        ]  # fmt: skip
        together = [number for number, (kind, _) in enumerate(table.labels) if kind == self.kind]
        return measured(total, steady_total, together), labels

    def _steady(
        self, phases: Phases, labels: "list[Statistics]", total: "Statistics"
    ) -> tuple[dict[tuple[str, str], "Statistics"], "Statistics | None"]:
        if not phases.has_steady_state:
            return {}, None
        # Where nothing is left out, the numbers of the whole run are those of the steady state.
        if phases.excluded_s:
            self.work.step("computing statistics of the steady state", 0.45)
            selection = Selection(kind=None, from_s=phases.steady_from_s, to_s=phases.steady_to_s)
            labels, total = self.found.statistics(self.choice, selection, total_of=self.kind)
        return {(one.kind, one.label): one for one in labels}, total

    def _over_time(self, seen: "Course", labels: list[_Label]) -> OverTime:
        from perfsuite_perfanalysis.core.numbers import bucket_of
        from perfsuite_perfanalysis.core.tables import label_over_time, point_width_s

        self.work.step("computing percentiles over time", 0.65)
        width = nice_width_s(seen.span_s, _POINTS)
        buckets = self.found.over_time(width, Choice(DEFAULT_PERCENTILES), Selection(kind=self.kind))
        frequent = sorted(labels, key=lambda one: (-one.whole.samples, one.kind, one.label))[:_MOST_OVER_TIME]
        rows: tuple[LabelOverTime, ...] = tuple(label_over_time(one.label, one.kind, one.blocks) for one in frequent)
        return OverTime(
            bucket_s=width,
            buckets=tuple(bucket_of(one, seen.first_us, width, seen.span_s) for one in buckets),
            label_bucket_s=point_width_s(frequent[0].blocks),
            labels=rows,
        )

    def _errors(self) -> tuple[ErrorCause, ...]:
        self.work.step("grouping errors", 0.8)
        groups = self.found.error_groups(Selection(kind=self.kind))
        total = sum(one.count for one in groups)
        return tuple(_cause(one, total) for one in groups[:_MOST_CAUSES])

    def _codes(self) -> tuple[CodeCount, ...]:
        found = self.found.by_response_code(Selection(kind=self.kind))[:_MOST_CODES]
        return tuple(CodeCount(response_code=printable(code), samples=n, errors=e) for code, n, e in found)

    def _sla(self, overall: _Label, labels: list[_Label]) -> SlaReport:
        from perfsuite_perfanalysis.core.sla_verdicts import judge

        self.work.step("judging limits", 0.9)
        if self.rules is None:
            reason = "There is no slas.yaml, so nothing says what is good enough."
            return SlaReport(verdict="not_evaluated", reason=reason)
        judged = [self._measured(one) for one in labels if one.kind in ("sample", "transaction")]
        return judge(self.rules, judged, self._measured(overall, "ALL"), self.read.run.run_id)

    def _measured(self, one: _Label, name: str | None = None) -> "Measured":
        from perfsuite_perfanalysis.core.numbers import numbers_of
        from perfsuite_perfanalysis.core.sla_verdicts import Measured

        numbers: Numbers = numbers_of(one.steady or one.whole, self.choice.percentiles)
        return Measured(name or one.label, one.kind, numbers, one.steady_blocks or one.blocks)

    def _methods(self, block_s: float) -> tuple[Method, ...]:
        from perfsuite_perfanalysis.core import methods

        return methods.of_results(block_s, [percentile_key(p) for p in self.choice.percentiles])


def _with_distribution(one: _Label, percentiles: Sequence[float]) -> LabelNumbers:
    from perfsuite_perfanalysis.core.tables import distribution

    return one.numbers(percentiles).model_copy(update={"distribution": distribution(one.blocks)})


def _with_distributions(labels: list[_Label], told: tuple[LabelNumbers, ...]) -> tuple[LabelNumbers, ...]:
    """Of the labels with most samples; those of all would make a large file."""
    from perfsuite_perfanalysis.core.tables import distribution

    frequent = sorted(range(len(labels)), key=lambda number: (-labels[number].whole.samples, number))
    chosen = set(frequent[:_MOST_DISTRIBUTIONS])
    return tuple(
        numbers.model_copy(update={"distribution": distribution(one.blocks)}) if place in chosen else numbers
        for place, (one, numbers) in enumerate(zip(labels, told, strict=True))
    )


def _cause(group: "ErrorGroup", total: int) -> ErrorCause:
    return ErrorCause(
        id=finding_id("error", group.response_code, group.message),
        response_code=printable(group.response_code),
        message=printable(group.message, 300),
        count=group.count,
        share_of_errors=group.count / total,
        labels={shown(label): count for label, count in group.labels[:_MOST_LABELS_OF_CAUSE]},
        first_seen=_moment(group.first_us),
        last_seen=_moment(group.last_us),
        example=printable(group.example, 300),
    )


def _moment(moment_us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=moment_us)
