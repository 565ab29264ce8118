"""From answers to the blocks of a table: what was measured, and what follows from it."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from perfsuite_datadog.core.derived import Derived, Found
from perfsuite_datadog.core.ratios import PERCENT, Values, highest, mean, shown
from perfsuite_datadog.service.asking import Answered, Group
from perfsuite_datadog.service.tables import Block, Subject, time_texts

Derive = Callable[[Found], Iterable[Derived]]


class Measured:
    """Everything about one group. Each answer has times of its own, so nothing is computed across answers."""

    def __init__(self, answers: Sequence[Answered], group: Group, derive: Derive) -> None:
        self._parts = [
            (one.times_ms, {label: found[group] for label, found in one.series.items() if group in found})
            for one in answers
        ]
        self._derived = [list(derive(found)) for _, found in self._parts]
        self._values: dict[str, Values] = {
            **{label: series.values for _, found in self._parts for label, series in found.items()},
            **{one.label: one.values for derived in self._derived for one in derived},
        }

    def blocks(self, subject: Subject) -> Iterator[Block]:
        """The rows of its file."""
        for (times_ms, found), derived in zip(self._parts, self._derived, strict=True):
            times = time_texts(times_ms)
            for label, series in found.items():
                yield Block(subject, label, series.unit_text or "", times, series.values)
            for one in derived:
                yield Block(subject, one.label, PERCENT.name, times, one.values, one.note)

    def values(self, label: str) -> Values:
        return self._values.get(label, ())

    def mean(self, label: str) -> float | None:
        return shown(mean(self.values(label)))

    def highest(self, label: str) -> float | None:
        return shown(highest(self.values(label)))
