"""Statistics of a test that still runs, brought up to date block by block."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from perfsuite.samples.patterns import masked
from perfsuite_jmeter.core.blocks import Block, Failure, LabelBlock
from perfsuite_jmeter.core.fields import Key
from perfsuite_jmeter.core.histograms import Histogram

MOST_LABELS: Final = 500
MOST_GROUPS: Final = 100
OTHER: Final = "(other)"
PERCENTILES: Final = (50.0, 90.0, 95.0)
RECENT_S: Final = 10
_KEPT_S: Final = 120
_SUCCESS_CODE: Final = re.compile(r"[23][0-9][0-9]")


@dataclass
class LabelTotals:
    """The samples of one label so far."""

    samples: int = 0
    errors: int = 0
    sum_ms: int = 0
    max_ms: int = 0
    first_ms: int | None = None
    last_ms: int = 0
    histogram: Histogram = field(default_factory=Histogram)

    def add(self, block: LabelBlock) -> None:
        self._count(block.samples, block.errors, block.sum_ms, block.max_ms, block.first_ms, block.last_ms)
        self.histogram.add(block.buckets, block.counts)

    def merge(self, other: "LabelTotals") -> None:
        if other.first_ms is not None:
            self._count(other.samples, other.errors, other.sum_ms, other.max_ms, other.first_ms, other.last_ms)
            self.histogram.merge(other.histogram)

    def _count(self, samples: int, errors: int, sum_ms: int, max_ms: int, first_ms: int, last_ms: int) -> None:
        self.samples += samples
        self.errors += errors
        self.sum_ms += sum_ms
        self.max_ms = max(self.max_ms, max_ms)
        self.first_ms = first_ms if self.first_ms is None else min(self.first_ms, first_ms)
        self.last_ms = max(self.last_ms, last_ms)

    @property
    def mean_ms(self) -> float:
        return self.sum_ms / self.samples

    @property
    def throughput_per_s(self) -> float | None:
        """As `perfsuite stats` defines it: over the span from the first start to the last end."""
        if self.first_ms is None or self.last_ms <= self.first_ms:
            return None
        return self.samples / ((self.last_ms - self.first_ms) / 1000)

    def percentiles_ms(self) -> list[float]:
        return self.histogram.percentiles_ms(PERCENTILES, self.max_ms)


@dataclass
class GroupTotals:
    """Failed samples with one cause so far."""

    count: int
    first_ms: int
    last_ms: int

    def add(self, count: int, first_ms: int, last_ms: int) -> None:
        self.count += count
        self.first_ms = min(self.first_ms, first_ms)
        self.last_ms = max(self.last_ms, last_ms)


Group = tuple[str, str, str]
"""Label, response code and masked message."""


@dataclass
class LiveTotals:
    """Everything that was read so far."""

    rows: int = 0
    rejected: int = 0
    labels: dict[Key, LabelTotals] = field(default_factory=dict)
    groups: dict[Group, GroupTotals] = field(default_factory=dict)
    users: dict[str, int] = field(default_factory=dict)
    seconds: dict[int, int] = field(default_factory=dict)
    """Samples that ended in each of the latest seconds."""

    def add(self, block: Block) -> None:
        """Count a block that follows those before it."""
        self.rows += block.rows
        self.rejected += block.rejected
        for label in self._in_order(block.labels):
            self.labels.setdefault(self._folded(label.key), LabelTotals()).add(label)
        for failure in block.failures:
            self._add_failure(failure)
        self.users.update(block.users)
        for second, count in block.seconds.items():
            self.seconds[second] = self.seconds.get(second, 0) + count
        self._forget_early_seconds()

    def total(self) -> LabelTotals:
        """All samplers together; transactions only repeat them."""
        found = LabelTotals()
        for key, label in self.labels.items():
            if key.kind == "sample":
                found.merge(label)
        return found

    def recent_per_s(self, end_ms: int) -> float | None:
        """Samples a second in the ten whole seconds before a moment, or since the first sample."""
        first_ms = min((one.first_ms for one in self.labels.values() if one.first_ms is not None), default=None)
        if first_ms is None:
            return None
        end = end_ms // 1000
        begin = max(end - RECENT_S, first_ms // 1000)
        return sum(self.seconds.get(s, 0) for s in range(begin, end)) / (end - begin) if end > begin else None

    def _in_order(self, labels: list[LabelBlock]) -> list[LabelBlock]:
        """Where not all can be told apart, the most frequent come first."""
        if len(self.labels) + len(labels) <= MOST_LABELS:
            return labels
        return sorted(labels, key=lambda one: (-one.samples, one.key))

    def _folded(self, key: Key) -> Key:
        is_new = key not in self.labels
        return Key(key.kind, OTHER) if is_new and len(self.labels) >= MOST_LABELS else key

    def _add_failure(self, failure: Failure) -> None:
        message = shown_message(_cause(failure))
        group = (self._folded(Key("sample", failure.label)).label, failure.code[:80], message)
        if group not in self.groups and len(self.groups) >= MOST_GROUPS:
            group = (OTHER, "", "")
        found = self.groups.setdefault(group, GroupTotals(0, failure.first_ms, failure.last_ms))
        found.add(failure.samples, failure.first_ms, failure.last_ms)

    def _forget_early_seconds(self) -> None:
        if self.seconds:
            first = max(self.seconds) - _KEPT_S
            self.seconds = {second: n for second, n in self.seconds.items() if second >= first}

    def as_json(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "rejected": self.rejected,
            "labels": [_label_as_json(key, one) for key, one in self.labels.items()],
            "groups": [[*group, one.count, one.first_ms, one.last_ms] for group, one in self.groups.items()],
            "users": self.users,
            "seconds": sorted(self.seconds.items()),
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "LiveTotals":
        """The totals again; a KeyError, TypeError or ValueError where this is something else."""
        return cls(
            rows=int(found["rows"]),
            rejected=int(found["rejected"]),
            labels=dict(_label_from_json(one) for one in found["labels"]),
            groups={
                (str(label), str(code), str(message)): GroupTotals(int(count), int(first), int(last))
                for label, code, message, count, first, last in found["groups"]
            },
            users={str(engine): int(users) for engine, users in found["users"].items()},
            seconds={int(second): int(count) for second, count in found["seconds"]},
        )


def _label_as_json(key: Key, one: LabelTotals) -> dict[str, Any]:
    numbers = {name: getattr(one, name) for name in _NUMBERS}
    return {"kind": key.kind, "label": key.label, **numbers, "histogram": one.histogram.packed()}


_NUMBERS: Final = ("samples", "errors", "sum_ms", "max_ms", "first_ms", "last_ms")


def _label_from_json(found: Mapping[str, Any]) -> tuple[Key, LabelTotals]:
    numbers = {name: int(found[name]) for name in _NUMBERS}
    totals = LabelTotals(**numbers, histogram=Histogram.unpacked(found["histogram"]))
    if not 0 < totals.samples == totals.histogram.total:
        raise ValueError("counts that do not fit")
    return Key(str(found["kind"]), str(found["label"])), totals


def _cause(failure: Failure) -> str:
    """What failed, as JMeter tells it: a code of success was failed by an assertion, and its message says why."""
    if not failure.code or _SUCCESS_CODE.fullmatch(failure.code):
        return failure.failure_message or failure.response_message or "Assertion failed"
    return failure.response_message or failure.failure_message


@lru_cache(maxsize=4096)
def shown_message(message: str) -> str:
    """A message without its details."""
    return masked(message)
