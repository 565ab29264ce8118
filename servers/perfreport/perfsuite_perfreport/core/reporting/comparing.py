"""The report of a comparison as data: verdict, regressions first, everything side by side, what could not be told."""

from collections.abc import Iterator, Sequence
from typing import Final

from perfsuite import __version__
from perfsuite.artifacts import RunId
from perfsuite.artifacts.comparisons import ChangeVerdict, Compared, Comparison, PairComparison
from perfsuite_perfreport.core.reporting.numbers import change_of, name, plain, sentence, shown
from perfsuite_perfreport.core.reporting.verdict_table import OF_CHANGES, OF_LIMITS, WORDS, worst
from perfsuite_perfreport.models.report import (
    Cell,
    Column,
    Fact,
    Missing,
    Picture,
    Report,
    Statement,
    Table,
    Verdict,
)

SOURCE: Final = "comparison.json"
_MOST_ROWS: Final = 300
_ORDER: Final[tuple[ChangeVerdict, ...]] = (
    "regression", "inconclusive", "improvement", "within_noise", "insufficient_data", "incomparable",
)  # fmt: skip
_TIERS: Final = ("critical", "major", "minor", None)
_UNTOLD: Final = ("inconclusive", "insufficient_data", "incomparable")
_CHANGE_COLUMNS: Final = (
    Column(title="Run"), Column(title="Request"), Column(title="Measure"), Column(title="Baseline"),
    Column(title="This run"), Column(title="Change"), Column(title="95 % interval"),
    Column(title="p, adjusted", form="number"), Column(title="Verdict", form="status"),
)  # fmt: skip


def ranked_changes(found: Comparison) -> list[tuple[PairComparison, Compared]]:
    """Every change of every run: regressions first, then by severity and size."""
    every = [(pair, one) for pair in found.pairs for one in pair.changes]
    return sorted(every, key=lambda item: (*_weight(item[1]), item[0].candidate))


def comparison_report(found: Comparison, pictures: tuple[Picture, ...], missing: tuple[Missing, ...]) -> Report:
    """The report, in which nothing stands that the comparison does not say.

    It is never sure of its verdict: one run a side cannot tell how much runs differ by themselves.
    """
    verdict = worst(map(_verdict, found.pairs))
    doubts = tuple(_doubts(found, verdict))
    return Report(
        run_id=RunId(found.comparison_id),
        title=f"Comparison with run {found.baseline}",
        perfsuite_version=__version__,
        verdict=verdict,
        verdict_reason=sentence(" ".join(_in_short(one) for one in found.pairs)),
        confidence="low" if doubts else "medium",
        confidence_reasons=(*doubts, *dict.fromkeys(_capital(sentence(one.confidence)) for one in found.pairs)),
        window_name="steady state of each run",
        scope=tuple(_scope(found)),
        quality=tuple(Statement(text=sentence(one), source=SOURCE) for one in found.reasons),
        missing=missing,
        tables=tuple(_tables(found)),
        pictures=pictures,
        methods=found.methods,
        percentile_method=found.percentile_method,
        inputs=found.inputs,
    )


def _verdict(pair: PairComparison) -> Verdict:
    """What a run may hide behind the headline of its comparison is as a limit that the interval reaches beyond."""
    verdict = OF_CHANGES[pair.verdict]
    is_open = verdict == "PASS" and any(one.verdict == "inconclusive" for one in pair.changes)
    return OF_LIMITS["warn"] if is_open else verdict


def _in_short(pair: PairComparison) -> str:
    tier = f" ({pair.tier})" if pair.tier else ""
    return f"{pair.candidate}: {WORDS[pair.verdict].lower()}{tier}. {pair.reason.rstrip('.')}."


def _doubts(found: Comparison, verdict: Verdict) -> Iterator[str]:
    """Why the verdict is not to be trusted. What is open about other requests makes no regression less certain."""
    if found.status != "complete":
        yield sentence(f"The comparison is {found.status.replace('_', ' ')}. {' '.join(found.reasons)}".strip())
    every = [one for pair in found.pairs for one in pair.changes]
    untold = sum(one.verdict in _UNTOLD for one in every)
    if verdict != OF_CHANGES["regression"] and untold:
        yield f"Of {len(every)} measures, {untold} could not be told or compared."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _scope(found: Comparison) -> Iterator[Fact]:
    yield Fact(name="Baseline", value=found.baseline, source=SOURCE)
    yield Fact(name="Compared with it", value=", ".join(one.candidate for one in found.pairs), source=SOURCE)
    yield Fact(name="Percentile method", value=found.percentile_method, source=SOURCE)
    counts = [sum(one.verdict == verdict for pair in found.pairs for one in pair.changes) for verdict in _ORDER]
    for verdict, count in zip(_ORDER, counts, strict=True):
        yield Fact(name=f"Measures: {WORDS[verdict].lower()}", value=f"{count:,}", source=SOURCE)


def _tables(found: Comparison) -> Iterator[Table]:
    changes = ranked_changes(found)
    yield _pairs(found)
    for table_id, title, verdicts, empty in (
        ("regressions", "What became worse", ("regression",), "Nothing became worse beyond the noise."),
        ("improvements", "What became better", ("improvement",), "Nothing became better beyond the noise."),
    ):
        rows = [_change_row(pair, one) for pair, one in changes if one.verdict in verdicts]
        yield _table(table_id, title, _CHANGE_COLUMNS, rows, empty)
    yield _side_by_side(found)
    untold: list[tuple[Cell, ...]] = [
        (pair.candidate, name(one.label), measure(one.metric), WORDS[one.verdict], sentence(one.reason))
        for pair, one in changes
        if one.verdict in _UNTOLD
    ]
    columns = _columns("Run", "Request", "Measure", "Verdict:status", "Why")
    yield _table("untold", "What cannot be told, and why", columns, untold, "Everything could be told.")
    yield _labels(found)
    yield _gates(found)
    yield _trend(found)


def _pairs(found: Comparison) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (one.candidate, WORDS[one.verdict], one.tier or "", sentence(one.reason)) for one in found.pairs
    ]
    return _table(
        "pairs", "Each run against the baseline", _columns("Run", "Verdict:status", "Severity", "Why"), rows, ""
    )


def _side_by_side(found: Comparison) -> Table:
    """The same requests of all runs in one row."""
    cells: dict[tuple[str, str, str], dict[str, Compared]] = {}
    for pair in found.pairs:
        for one in pair.changes:
            cells.setdefault((one.kind, one.label, one.metric), {})[pair.candidate] = one
    candidates = [one.candidate for one in found.pairs]
    rows: list[tuple[Cell, ...]] = []
    for (_, label, metric), by_run in sorted(cells.items(), key=lambda item: (item[0][0], item[0][1], item[0][2])):
        base = next((one.baseline for one in by_run.values() if one.baseline is not None), None)
        rows.append(
            (name(label), measure(metric), _value(metric, base), *(_beside(by_run.get(one)) for one in candidates))
        )
    columns = _columns("Request", "Measure", f"{found.baseline} (baseline)", *candidates)
    return _table(
        "side-by-side", "The same requests side by side", columns, rows, "The runs have no request in common."
    )


def _beside(one: Compared | None) -> str:
    if one is None:
        return shown(None)
    told = WORDS[one.verdict].lower()
    change = f" ({change_of(one.metric, one.change)}, {told})" if one.change is not None else f" ({told})"
    return f"{_value(one.metric, one.candidate)}{change}"


def _labels(found: Comparison) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for pair in found.pairs:
        rows += [(pair.candidate, "new", name(one), "") for one in pair.new_labels]
        rows += [(pair.candidate, "gone", name(one), "") for one in pair.gone_labels]
        rows += [
            (
                pair.candidate,
                "perhaps renamed",
                name(one.baseline),
                f"{name(one.candidate)}, alike by {one.similarity:.0%}",
            )
            for one in pair.renamed_labels
        ]
    columns = _columns("Run", "What", "Request", "Now")
    return _table("labels", "Requests that only one run has", columns, rows, "All runs have the same requests.")


def _gates(found: Comparison) -> Table:
    words = {True: "holds", False: "DOES NOT HOLD", None: "cannot be told"}
    rows: list[tuple[Cell, ...]] = [
        (pair.candidate, sentence(one.name.replace("_", " ")), words[one.holds], sentence(one.text))
        for pair in found.pairs
        for one in pair.gates
    ]
    columns = _columns("Run", "Condition", "Holds", "Why")
    return _table("gates", "Whether the runs can be compared at all", columns, rows, "No condition was looked at.")


def _trend(found: Comparison) -> Table:
    columns = (
        Column(title="Run"), Column(title="P50, ms", form="ms"), Column(title="P95, ms", form="ms"),
        Column(title="Failed, %", form="share"), Column(title="Requests per second", form="number"),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = [
        (one.run_id, one.p50_ms, one.p95_ms, one.error_rate, one.throughput_per_s) for one in found.trend
    ]
    return _table("trend", "The runs in the order in which they were made", columns, rows, "There is no trend.")


def _change_row(pair: PairComparison, one: Compared) -> tuple[Cell, ...]:
    ends = [one.change_low, one.change_high]
    known = [change_of(one.metric, end) for end in ends if end is not None]
    interval = " to ".join(known) if len(known) == len(ends) else None
    change = None if one.change is None else change_of(one.metric, one.change)
    # How large an improvement is tells its change: a word that alarms belongs to what became worse.
    verdict = one.tier.upper() if one.tier and one.verdict == "regression" else WORDS[one.verdict]
    return (
        pair.candidate, name(one.label), measure(one.metric), _value(one.metric, one.baseline),
        _value(one.metric, one.candidate), change, interval, one.p_adjusted, verdict,
    )  # fmt: skip


def _columns(*titles: str) -> tuple[Column, ...]:
    return tuple(
        Column(title=one.removesuffix(":status"), form="status" if one.endswith(":status") else "text")
        for one in titles
    )


def _table(
    table_id: str, title: str, columns: tuple[Column, ...], rows: Sequence[tuple[Cell, ...]], empty: str
) -> Table:
    return Table(
        id=table_id, title=title, columns=columns, rows=tuple(rows[:_MOST_ROWS]),
        left_out=max(0, len(rows) - _MOST_ROWS), source=SOURCE, empty=empty or "There is nothing to compare.",
    )  # fmt: skip


def measure(metric: str) -> str:
    """A metric as people call it."""
    readable = {"error_rate": "failed requests", "throughput_per_s": "throughput", "mean_ms": "mean"}
    return readable.get(metric, metric.removesuffix("_ms").replace("_", " ").upper())


def _value(metric: str, value: float | None) -> str:
    if value is None:
        return shown(None)
    if metric.endswith("_ms"):
        return f"{shown(value, 'ms')} ms"
    return (
        f"{value:.2%}"
        if metric == "error_rate"
        else f"{plain(value)} per s"
        if metric.endswith("_per_s")
        else plain(value)
    )


def _weight(one: Compared) -> tuple[int, int, float, str, str]:
    return _ORDER.index(one.verdict), _TIERS.index(one.tier), -abs(one.change or 0.0), one.label, one.metric
