"""Why BlazeMeter's counts and those of the samples differ, as far as the numbers themselves tell."""

from collections.abc import Iterator, Sequence
from typing import Final

from perfsuite.samples.rows import printable
from perfsuite_blazemeter.core.aggregates import median
from perfsuite_blazemeter.models.aggregates import Circumstances, Difference, Ours, PercentilePair
from perfsuite_blazemeter.models.reports import ALL, AggregateRow
from perfsuite_blazemeter.models.values import LONGEST_NAME

_TOLERANCE_MS: Final = 1.0
"""BlazeMeter rounds to whole milliseconds."""
_FOLLOWS: Final = "It follows from the different number of samples."
_UNLISTED: Final = {
    "sub": "BlazeMeter does not list sub-results.",
    "transaction": "BlazeMeter does not list this transaction.",
}
_FOLDED: Final = "BlazeMeter keeps a limited number of labels, and may have folded this one into another."


class Comparison:
    """Both sides, label by label."""

    def __init__(
        self, theirs: Sequence[AggregateRow], labels: Sequence[Ours], total: Ours, circumstances: Circumstances
    ) -> None:
        self._theirs = {_name(row): row for row in theirs if not row.is_all}
        self._overall = next((row for row in theirs if row.is_all), None)
        self._total = total
        self._circumstances = circumstances
        self._ours: dict[str, list[Ours]] = {}
        for one in labels:
            self._ours.setdefault(one.label, []).append(one)

    @property
    def agreeing(self) -> int:
        """How many of BlazeMeter's labels have the same counts and extremes as the samples."""
        return sum(1 for name in self._theirs if name in self._ours and not list(self._of_label(name)))

    def differences(self) -> list[Difference]:
        """ALL first, then by label."""
        found = list(self._of_all())
        for name in self._theirs:
            found += self._of_label(name) if name in self._ours else [self._only_theirs(name)]
        return found + [self._only_ours(name) for name in self._ours if name not in self._theirs]

    def percentiles(self) -> list[PercentilePair]:
        """Side by side, for those who want to see them."""
        pairs = [(ALL, self._overall, self._total)] if self._overall else []
        pairs += [(name, row, self._main(name)) for name, row in self._theirs.items() if name in self._ours]
        return [
            PercentilePair(
                label=printable(name, LONGEST_NAME),
                blazemeter_ms={"p50": median(row), "p90": row.line_90, "p95": row.line_95, "p99": row.line_99},
                samples_ms={key: _rounded(own.percentiles_ms.get(f"{key}_ms")) for key in ("p50", "p90", "p95", "p99")},
            )
            for name, row, own in pairs
        ]

    def _of_all(self) -> Iterator[Difference]:
        if self._overall is not None:
            everything = [one for same in self._ours.values() for one in same]
            yield from self._between(ALL, self._overall, self._total, everything)

    def _of_label(self, name: str) -> Iterator[Difference]:
        yield from self._between(name, self._theirs[name], self._main(name), self._ours[name])

    def _main(self, name: str) -> Ours:
        """The samples of this label; without any, what else has it."""
        order = ("sample", "transaction", "sub")
        return min(self._ours[name], key=lambda one: order.index(one.kind))

    def _between(self, name: str, row: AggregateRow, own: Ours, same: Sequence[Ours]) -> Iterator[Difference]:
        counts_agree = row.samples in (None, own.samples)
        if row.samples is not None and not counts_agree:
            yield _difference(name, "samples", row.samples, own.samples, self._why_count(row.samples, own, same))
        if row.errors_count not in (None, own.errors):
            why = "Ours are samples that JMeter marked as failed; BlazeMeter may count otherwise."
            yield _difference(name, "errors", row.errors_count, own.errors, why if counts_agree else _FOLLOWS)
        for field, theirs, mine in (
            ("min_ms", row.min_response_time, own.min_ms),
            ("max_ms", row.max_response_time, own.max_ms),
        ):
            if theirs is not None and mine is not None and abs(theirs - mine) > _TOLERANCE_MS:
                why = "BlazeMeter's extremes may come from sums over time, or leave something out."
                yield _difference(name, field, theirs, mine, why if counts_agree else _FOLLOWS)

    def _why_count(self, theirs: int, own: Ours, same: Sequence[Ours]) -> str:
        if counted := _kinds_that_explain(theirs, own, same):
            return f"BlazeMeter counts {counted} as samples too."
        if self._circumstances.incomplete_because:
            return self._circumstances.incomplete_because
        if 0 < theirs - own.samples <= self._circumstances.rows_rejected:
            return f"{self._circumstances.rows_rejected} rows were torn or unreadable and are not in the samples."
        if theirs < own.samples:
            return "BlazeMeter leaves out samples of booting engines, or from after it stopped counting."
        return "Not known: results of an engine may not have reached its archive, or labels were folded together."

    def _only_theirs(self, name: str) -> Difference:
        row = self._theirs[name]
        near = [one for one in self._ours if one not in self._theirs and _alike(one, name)]
        why = "No sample has this label: BlazeMeter folds labels together, or counts other rows."
        if near:
            why = f"BlazeMeter writes the label otherwise: in the samples it is {printable(near[0], 80)!r}."
        elif row.samples == sum(self._main(one).samples for one in self._ours if one not in self._theirs):
            why = "BlazeMeter folded labels together: all that it does not list add up to this one."
        elif self._circumstances.incomplete_because:
            why = self._circumstances.incomplete_because
        return _difference(name, "samples", row.samples, None, why)

    def _only_ours(self, name: str) -> Difference:
        own = self._main(name)
        return _difference(name, "samples", None, own.samples, _UNLISTED.get(own.kind, _FOLDED))


def _kinds_that_explain(theirs: int, own: Ours, same: Sequence[Ours]) -> str | None:
    """Which other rows make the count come out right."""
    by_kind = {kind: sum(one.samples for one in same if one.kind == kind) for kind in ("transaction", "sub")}
    if own.kind in by_kind:
        by_kind.pop(own.kind)
    named = {"transaction": "transactions", "sub": "sub-results"}
    for kinds in (("transaction",), ("sub",), ("transaction", "sub")):
        extra = sum(by_kind.get(kind, 0) for kind in kinds)
        if extra and theirs == own.samples + extra:
            return " and ".join(named[kind] for kind in kinds)
    return None


def _alike(one: str, other: str) -> bool:
    """The same but for case, blanks, and what was cut off."""
    first, second = ("".join(text.lower().split()).rstrip("…") for text in (one, other))
    shorter, longer = sorted((first, second), key=len)
    return first == second or (len(shorter) >= 20 and longer.startswith(shorter))


def _name(row: AggregateRow) -> str:
    return row.label_name or row.label_id or ""


def _difference(label: str, field: str, theirs: float | None, ours: float | None, why: str) -> Difference:
    return Difference(
        label=printable(label, LONGEST_NAME),
        field=field,
        blazemeter=_rounded(theirs),
        samples=_rounded(ours),
        likely_reason=why,
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
