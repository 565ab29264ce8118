"""Compares runs with one of them, and writes what was found beside the run folders."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from perfsuite.artifacts import RunFolder, RunId, RunStore, layout, sha256_of
from perfsuite.artifacts.analyses import Finding, Input
from perfsuite.artifacts.comparisons import (
    Compared,
    Comparison,
    LabelShift,
    PairComparison,
    Renamed,
    TrendPoint,
    comparison_folder,
    save_comparison,
)
from perfsuite.errors import BadInput
from perfsuite_perfanalysis.core import comparability
from perfsuite_perfanalysis.core.comparability import RunLoad
from perfsuite_perfanalysis.core.identity import finding_id, shown
from perfsuite_perfanalysis.service.reading import Reading, read_run
from perfsuite_perfanalysis.service.work import Work

if TYPE_CHECKING:
    from perfsuite_perfanalysis.core.changes import Change, Side

MOST_RUNS: Final = 10
MOST_LABELS: Final = 200
OVERALL: Final = "ALL"
_MOST_SHIFTS: Final = 50
_READABLE: Final = 52


@dataclass(frozen=True)
class Asked:
    """Which runs, and what is too small to matter."""

    run_ids: tuple[str, ...]
    baseline: str
    noise_floor: float = 0.10
    floor_ms: float = 10.0

    @property
    def candidates(self) -> tuple[RunId, ...]:
        return tuple(RunId(one) for one in self.run_ids if one != self.baseline)

    @property
    def comparison_id(self) -> str:
        """The same question has the same id."""
        digest = hashlib.sha256("\0".join((self.baseline, *self.candidates)).encode()).hexdigest()[:8]
        return RunId(f"{f'{self.baseline}-vs-{self.candidates[0]}'[:_READABLE].rstrip('.-')}-{digest}")


@dataclass(frozen=True)
class _Measured:
    """A run as far as a comparison needs it."""

    run_id: RunId
    load: RunLoad
    sides: "dict[tuple[str, str], Side]"
    overall: "Side"
    first_us: int
    inputs: tuple[Input, ...]

    @property
    def samples_sha256(self) -> str:
        return self.inputs[0].sha256


def compare_test_runs(runs: RunStore, asked: Asked, work: Work | None = None) -> Comparison:
    """Compare every run with the baseline. The same runs give the same file."""
    from perfsuite_perfanalysis.core import methods

    _refuse_unusable(asked)
    opened = [runs.open(one) for one in (asked.baseline, *asked.candidates)]
    work = work or Work()
    share = 1 / len(opened)
    measured = [_measured(opened[0], work, 0.0, 0.7 * share)]
    pairs = []
    for number, run in enumerate(opened[1:], start=1):
        measured.append(_measured(run, work, number * share, 0.7 * share))
        work.step(f"comparing {run.run_id}", (number + 0.7) * share)
        pairs.append(_pair(measured[0], measured[-1], asked))
    unlike = tuple(f"{one.candidate}: {one.reason}" for one in pairs if one.verdict == "incomparable")
    comparison = Comparison(
        comparison_id=asked.comparison_id,
        status="complete" if not unlike else "partial" if len(unlike) < len(pairs) else "not_available",
        reasons=unlike,
        baseline=measured[0].run_id,
        run_ids=tuple(one.run_id for one in measured),
        inputs=tuple(file for one in measured for file in one.inputs),
        methods=methods.of_comparison(asked.noise_floor, asked.floor_ms),
        percentile_method="linear, of successes, in bins of half a percent",
        pairs=tuple(pairs),
        trend=tuple(_trend_point(one) for one in sorted(measured, key=lambda one: (one.first_us, one.run_id))),
    )
    save_comparison(runs, comparison)
    return comparison


def place_of(runs: RunStore, comparison: Comparison) -> str:
    """Where its file is, relative to the folder of the runs."""
    folder = comparison_folder(runs, comparison.comparison_id)
    return f"comparisons/{folder.run_id}/comparison.json"


def _refuse_unusable(asked: Asked) -> None:
    if not asked.run_ids:
        raise BadInput("No run was named.", next_step="Name two or more runs in `run_ids`.")
    if not asked.candidates:
        raise BadInput(
            f"Only {asked.baseline!r} was named: there is nothing to compare it with.",
            next_step="Name two or more different runs in `run_ids`.",
        )
    if len(set(asked.run_ids)) < len(asked.run_ids):
        raise BadInput("A run was named twice.", next_step="Name every run once.")
    if len(asked.candidates) >= MOST_RUNS:
        raise BadInput(
            f"{len(asked.candidates) + 1} runs were named.", next_step=f"Compare at most {MOST_RUNS} at once."
        )


def _measured(run: RunFolder, work: Work, start: float, share: float) -> _Measured:
    from perfsuite_perfanalysis.core.changes import Side
    from perfsuite_perfanalysis.core.tables import blocks_of

    read = read_run(run, work, MOST_LABELS, share, start)
    table = read.histograms
    sides = {
        (kind, label): Side(run.run_id, label, kind, blocks_of(table, [number], *read.window))
        for number, (kind, label) in enumerate(table.labels)
        if kind != "sub"
    }
    together = [number for number, (kind, _) in enumerate(table.labels) if kind == read.kind]
    overall = Side(run.run_id, OVERALL, read.kind, blocks_of(table, together, *read.window))
    return _Measured(run.run_id, _load(read, overall), sides, overall, read.course.first_us, _inputs(run))


def _inputs(run: RunFolder) -> tuple[Input, ...]:
    """The samples, and where somebody watched the generator, what was read of it."""
    files = [artifact for artifact in (layout.SAMPLES, layout.JMETER_HEALTH) if run.path(artifact).is_file()]
    return tuple(Input(path=f"{run.run_id}/{one.place}", sha256=sha256_of(run.path(one))) for one in files)


def _load(read: Reading, overall: "Side") -> RunLoad:
    """Users, rate and mean time in the window."""
    import numpy as np

    from perfsuite_perfanalysis.core.blocks import means_of

    course, (from_s, to_s) = read.course, read.window
    start = round(from_s / course.width_s)
    users = course.users[start : max(round((to_s or course.span_s) / course.width_s), start + 1)]
    users = users[np.isfinite(users)]
    mean_ms = float(means_of(overall.blocks.everything.sum(axis=0), overall.blocks.bins))
    record, lost = read.run.record(), read.found.metadata.rows_rejected
    return RunLoad(
        run_id=read.run.run_id,
        phases=read.phases,
        generator=read.generator,
        users=float(np.median(users)) if len(users) else None,
        per_s=overall.blocks.samples / overall.blocks.seconds,
        mean_s=mean_ms / 1000 if np.isfinite(mean_ms) else 0.0,
        rejected_share=lost / (read.found.rows + lost),
        type=record.type,
        environment=record.request.environment,
    )


def _pair(baseline: _Measured, candidate: _Measured, asked: Asked) -> PairComparison:
    from perfsuite_perfanalysis.core.describing import renamed
    from perfsuite_perfanalysis.core.verdicts import Floors, better_tier, judged, overall

    is_same = baseline.samples_sha256 == candidate.samples_sha256
    gates = comparability.gates(baseline.load, candidate.load, same_samples=is_same)
    incomparable = comparability.broken(gates)
    floors = Floors(asked.noise_floor, asked.floor_ms)
    changes = judged(list(_changes(baseline, candidate)), floors, incomparable)
    if is_same and not incomparable:
        changes = [_of_the_same(one) for one in changes]
    verdict, tier = overall(changes)
    gone = sorted({label for _, label in baseline.sides.keys() - candidate.sides.keys()})
    new = sorted({label for _, label in candidate.sides.keys() - baseline.sides.keys()})
    pairs = renamed(gone, new)
    # What perhaps goes on under another name is neither gone nor new.
    gone = [one for one in gone if one not in {pair.baseline for pair in pairs}]
    new = [one for one in new if one not in {pair.candidate for pair in pairs}]
    better = better_tier(changes) if verdict == "regression" else None
    return PairComparison(
        baseline=baseline.run_id,
        candidate=candidate.run_id,
        verdict=verdict,
        tier=tier,
        is_mixed=better is not None,
        better_tier=better,
        reason=incomparable or (comparability.SAME_SAMPLES if is_same else _counted(changes, is_mixed=bool(better))),
        confidence="single-run: how much runs of the same thing differ cannot be seen from one on each side",
        gates=gates,
        changes=tuple(changes),
        shifts=_shifts(baseline, candidate),
        new_labels=tuple(map(shown, new)),
        gone_labels=tuple(map(shown, gone)),
        renamed_labels=tuple(
            Renamed(baseline=shown(one.baseline), candidate=shown(one.candidate), similarity=one.similarity)
            for one in pairs
        ),
        findings=tuple(_findings(candidate.run_id, changes)),
    )


def _of_the_same(one: Compared) -> Compared:
    """No change, where there is enough to see one."""
    if one.verdict == "insufficient_data":
        return one
    return one.model_copy(update={"verdict": "within_noise", "reason": comparability.SAME_SAMPLES})


def _changes(baseline: _Measured, candidate: _Measured) -> "Iterator[Change]":
    from perfsuite_perfanalysis.core.changes import label_changes

    sets_throughput = comparability.throughput_is_an_outcome(baseline.load, candidate.load)
    common = sorted(baseline.sides.keys() & candidate.sides.keys())
    for key in common:
        yield from _judgeable(label_changes(baseline.sides[key], candidate.sides[key]), sets_throughput)
    # Times of all labels together change with their shares, so they are judged by label only.
    together = label_changes(baseline.overall, candidate.overall, with_times=False)
    yield from _judgeable(together, sets_throughput)


def _judgeable(changes: "Iterable[Change]", with_throughput: bool) -> "Iterator[Change]":
    for one in changes:
        if with_throughput or one.metric != "throughput_per_s":
            yield one


def _shifts(baseline: _Measured, candidate: _Measured) -> tuple[LabelShift, ...]:
    from perfsuite_perfanalysis.core.describing import label_shift

    common = baseline.sides.keys() & candidate.sides.keys()
    frequent = sorted(common, key=lambda key: (-_least(baseline, candidate, key), key))
    found = (label_shift(baseline.sides[key], candidate.sides[key]) for key in frequent[:_MOST_SHIFTS])
    return tuple(one for one in found if one is not None)


def _least(baseline: _Measured, candidate: _Measured, key: tuple[str, str]) -> int:
    return min(baseline.sides[key].blocks.samples, candidate.sides[key].blocks.samples)


def _counted(changes: Sequence[Compared], *, is_mixed: bool) -> str:
    counts = Counter(one.verdict for one in changes)
    told = ", ".join(f"{counts[name]} {name.replace('_', ' ')}" for name in sorted(counts, key=lambda n: -counts[n]))
    return f"Some became worse and others better: {told}" if is_mixed else told


def _findings(candidate: str, changes: Sequence[Compared]) -> Iterator[Finding]:
    for one in changes:
        if one.verdict in ("regression", "improvement") and one.tier is not None:
            yield Finding(
                id=finding_id(one.verdict, candidate, one.kind, one.label, one.metric),
                kind=one.verdict,
                severity=one.tier if one.verdict == "regression" else "info",
                subject=one.label,
                text=f"{one.metric} of {one.label!r}: {one.reason}",
                evidence={
                    "change": one.change,
                    "low": one.change_low,
                    "high": one.change_high,
                    "p_adjusted": one.p_adjusted,
                },
            )


def _trend_point(one: _Measured) -> TrendPoint:
    from perfsuite_perfanalysis.core.blocks import percentiles_of

    blocks = one.overall.blocks
    p50, p95 = percentiles_of(blocks.everything.sum(axis=0), blocks.bins, [50, 95]).tolist()
    return TrendPoint(
        run_id=one.run_id,
        p50_ms=p50,
        p95_ms=p95,
        error_rate=blocks.errors / blocks.samples if blocks.samples else None,
        throughput_per_s=one.load.per_s,
    )
