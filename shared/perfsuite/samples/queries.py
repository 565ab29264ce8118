"""Questions about the samples of one run, answered from its Parquet file."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from perfsuite.errors import BadInput, Cancelled, NotFound
from perfsuite.samples import grouping, parquet
from perfsuite.samples.definitions import FURTHEST_S, OTHER_LABELS, Choice, PercentileMethod, Selection, percentile_key
from perfsuite.samples.engine import Engine
from perfsuite.samples.grouping import Counting
from perfsuite.samples.parquet import Metadata
from perfsuite.samples.patterns import masked
from perfsuite.samples.percentiles import percentiles
from perfsuite.samples.rows import Kind
from perfsuite.samples.statistics import Statistics, all_statistics

MOST_BUCKETS: Final = 5_000
_MOST_MESSAGES: Final = 20_000


@dataclass(frozen=True)
class Bucket:
    """One stretch of time. Hits count the samples that started in it; all else is about those that ended in it."""

    start_us: int
    hits: int
    completed: int
    errors: int
    mean_ms: float | None
    percentiles_ms: dict[str, float | None]
    received_bytes: int | None
    users: int | None


@dataclass(frozen=True)
class ErrorGroup:
    """Failures with one cause, as far as code and message tell."""

    response_code: str
    message: str
    count: int
    labels: tuple[tuple[str, int], ...]
    first_us: int
    last_us: int
    example: str


def _unwatched(_engine: Engine) -> None:
    """For whoever does not want to interrupt a question."""


@dataclass(frozen=True)
class Samples:
    """The samples of a run. Every question opens an engine of its own, so that questions can run side by side."""

    path: Path
    metadata: Metadata
    rows: int
    watch: Callable[[Engine], None] = _unwatched
    """Called with every engine, for instance to interrupt it when the answer is no longer wanted."""
    kept: tuple[int, ...] = ()
    """Hashes of the labels that keep their name, where there are too many."""

    @contextmanager
    def engine(self) -> Iterator[Engine]:
        import duckdb

        with Engine() as engine:
            self.watch(engine)
            try:
                yield engine
            except duckdb.InterruptException:
                raise Cancelled("The question was stopped.", next_step="Ask again.") from None

    @property
    def relation(self) -> str:
        """The rows as SQL, with rare labels put together where that was asked for."""
        rows = parquet.relation(self.path)
        if not self.kept:
            return rows
        named = f"hash(label) IN ({', '.join(map(str, self.kept))})"
        return f"(SELECT * REPLACE (CASE WHEN {named} THEN label ELSE '{OTHER_LABELS}' END AS label) FROM {rows})"

    def folded(self, most: int) -> tuple["Samples", int]:
        """The same with at most so many labels, the most frequent ones, and how many more stand together as one."""
        with self.engine() as engine:
            found = engine.rows(
                "SELECT hash(label), count(*) OVER () FROM (SELECT label, count(*) AS n "
                f"FROM {parquet.relation(self.path)} GROUP BY label) ORDER BY n DESC, label LIMIT {most}"
            )
        folded = found[0][1] - len(found) if found else 0
        return (replace(self, kept=tuple(number for number, _ in found)), folded) if folded else (self, 0)

    def window(self, selection: Selection) -> tuple[int, int]:
        """The start of the first sample selected and the end of the last, in microseconds of UTC."""
        with self.engine() as engine:
            return _window(engine, *self._selected(engine, selection))

    def labels(self) -> list[tuple[str, str]]:
        with self.engine() as engine:
            return engine.rows(f"SELECT DISTINCT kind, label FROM {self.relation} ORDER BY kind, label")

    def count_labels(self, selection: Selection) -> int:
        """How many labels the rows selected have."""
        with self.engine() as engine:
            rows, values = self._selected(engine, selection)
            [(count,)] = engine.rows(f"SELECT count(DISTINCT label) FROM {rows}", values)
        return int(count)

    def statistics(
        self, choice: Choice, selection: Selection, *, total_of: Kind | None = "sample"
    ) -> tuple[list[Statistics], Statistics]:
        """The numbers of every label selected, and the total over one kind of them, or over all."""
        with self.engine() as engine:
            rows, values = self._selected(engine, selection)
            grouping.group_by_value(engine, rows, values, weighted=self.metadata.weighted)
            return all_statistics(engine, choice, total_of)

    def extras(self) -> dict[tuple[str | None, str | None], dict[str, float | None]]:
        """Mean latency, mean size and most users by (kind, label), and over all samplers by (None, None)."""
        rows = self.relation
        with self.engine() as engine:
            found = engine.rows(_extras(rows, "kind, label", "true"))
            found += engine.rows(_extras(rows, "NULL, NULL", "kind = 'sample'"))
        return {(kind, label): {"latency_ms": ms, "bytes": size, "users": n} for kind, label, ms, size, n in found}

    def over_time(self, width_s: float, choice: Choice, selection: Selection) -> list[Bucket]:
        """Throughput, errors and percentiles in stretches of `width_s`, empty ones too.

        They are counted from the first sample of the run, or the start of the window, whichever samples are selected.
        """
        with self.engine() as engine:
            rows, values = self._selected(engine, selection)
            first, last = _window(engine, rows, values)
            width_us = _width_us(width_s, last - first)
            origin = _window(engine, self.relation)[0] + round((selection.from_s or 0) * 1e6)
            first = origin + (first - origin) // width_us * width_us
            found = engine.arrays(_ends(rows, first, width_us, self._counting), values)
            hits = dict(engine.rows(_starts(rows, first, width_us, self._counting), values))
            return _buckets(found, hits, first, width_us, choice)

    def by_response_code(self, selection: Selection) -> list[tuple[str, int, int]]:
        """(code, samples, errors), the most frequent first."""
        with self.engine() as engine:
            rows, values = self._selected(engine, selection)
            return engine.rows(
                f"SELECT coalesce(response_code, '') AS code, {self._counting.count} AS n, {self._counting.errors} "
                f"FROM {rows} GROUP BY code ORDER BY n DESC, code",
                values,
            )

    def error_groups(self, selection: Selection) -> list[ErrorGroup]:
        """The failures by cause, the most frequent first."""
        with self.engine() as engine:
            rows, values = self._selected(engine, selection)
            found = engine.rows(_failures(rows, self._counting), values)
            [(failures, first, last)] = engine.rows(
                f"SELECT coalesce({self._counting.errors}, 0), min(started_us), max(started_us) "
                f"FROM {rows} WHERE NOT success",
                values,
            )
        groups = _error_groups(found)
        if rest := failures - sum(group.count for group in groups):
            message = f"messages beyond the {_MOST_MESSAGES:,} most frequent"
            groups.append(ErrorGroup("", message, rest, (), first, last, ""))
        return groups

    @property
    def _counting(self) -> Counting:
        return grouping.counting(self.metadata.weighted)

    def _selected(self, engine: Engine, selection: Selection) -> tuple[str, dict[str, Any]]:
        rows = self.relation
        conditions, values = [], dict[str, Any]()
        if selection.kind is not None:
            conditions.append("kind = $kind")
            values["kind"] = selection.kind
        if selection.labels:
            conditions.append(
                "("
                # Of the patterns that DuckDB knows, brackets are not one of ours: labels hold them.
                + " OR ".join(
                    f"label = $label{i} OR label GLOB replace($label{i}, '[', '[[]')"
                    for i in range(len(selection.labels))
                )
                + ")"
            )
            values |= {f"label{i}": label for i, label in enumerate(selection.labels)}
        if selection.from_s is not None or selection.to_s is not None:
            start, _ = _window(engine, rows)
            for name, limit, sign in (("from", selection.from_s, ">="), ("to", selection.to_s, "<")):
                if limit is not None:
                    conditions.append(f"started_us {sign} ${name}_us")
                    values[f"{name}_us"] = start + round(limit * 1e6)
        selected = f"(SELECT * FROM {rows} WHERE {' AND '.join(conditions)})" if conditions else rows
        [(is_empty,)] = engine.rows(f"SELECT count(*) = 0 FROM (SELECT 1 FROM {selected} LIMIT 1)", values)
        if is_empty:
            raise self._nothing(engine, selection)
        return selected, values

    def _nothing(self, engine: Engine, selection: Selection) -> NotFound:
        kinds = engine.rows(
            f"SELECT kind, count(*), count(DISTINCT label) FROM {self.relation} GROUP BY kind ORDER BY kind"
        )
        there = ", ".join(f"{count} of kind {kind!r} under {labels} labels" for kind, count, labels in kinds)
        first, last = _window(engine, self.relation)
        asked = [f"kind {selection.kind or 'any'!r}"]
        if selection.labels:
            asked.append(f"labels {list(selection.labels)}")
        if selection.from_s is not None or selection.to_s is not None:
            asked.append(f"the window {selection.from_s or 0:g}..{selection.to_s or math.inf:g} s")
        return NotFound(
            f"No row matches {' and '.join(asked)}. The run has {there}, and lasts {(last - first) / 1e6:.1f} s.",
            next_step="Ask with another `kind` or `labels` (which may hold * and ?), or a window within the run.",
        )


def _window(engine: Engine, rows: str, values: dict[str, Any] | None = None) -> tuple[int, int]:
    [(first, last)] = engine.rows(f"SELECT min(started_us), max(started_us + elapsed_us) FROM {rows}", values)
    return int(first), int(last)


def _width_us(width_s: float, span_us: int) -> int:
    if not 0 < width_s <= FURTHEST_S:
        raise BadInput(f"Buckets of {width_s} s cannot be.", next_step="Give a positive number of seconds.")
    width_us = max(1, round(width_s * 1e6))
    if span_us / width_us > MOST_BUCKETS:
        raise BadInput(
            f"Buckets of {width_s} s would be {span_us / width_us:.0f} over {span_us / 1e6:.0f} s; "
            f"at most {MOST_BUCKETS} are given.",
            next_step=f"Ask for buckets of at least {max(0.001, span_us / 1e6 / MOST_BUCKETS):.3g} s, or less time.",
        )
    return width_us


def _extras(rows: str, by: str, condition: str) -> str:
    return f"""
        SELECT kind, label, sum(latency) / sum(latencies), sum(size) / sum(sizes), sum(users)::BIGINT FROM (
            SELECT {by.partition(",")[0]} AS kind, {by.partition(",")[2]} AS label, sum(latency_ms) AS latency,
                   count(latency_ms) AS latencies, sum(bytes) AS size, count(bytes) AS sizes, max(all_threads) AS users
            FROM {rows} WHERE {condition} GROUP BY 1, 2, engine
        ) GROUP BY kind, label
    """


def _ends(rows: str, first: int, width_us: int, by: Counting) -> str:
    return f"""
        SELECT (started_us + elapsed_us - {first}) // {width_us} AS bucket, {by.value} AS value, {by.count} AS n,
               {by.errors} AS errors, sum(bytes)::DOUBLE AS bytes
        FROM {rows} GROUP BY bucket, value ORDER BY bucket, value
    """


def _starts(rows: str, first: int, width_us: int, by: Counting) -> str:
    return f"""
        SELECT bucket, {{'hits': sum(hits)::BIGINT, 'users': sum(users)::BIGINT}} FROM (
            SELECT (started_us - {first}) // {width_us} AS bucket, engine, {by.count} AS hits, max(all_threads) AS users
            FROM {rows} GROUP BY bucket, engine
        ) GROUP BY bucket
    """


def _buckets(
    found: dict[str, Any], starts: dict[int, dict[str, int | None]], first: int, width_us: int, choice: Choice
) -> list[Bucket]:
    last = int(max(found["bucket"][-1], max(starts)))
    bounds = np.searchsorted(found["bucket"], np.arange(last + 2))
    return [
        _bucket(
            {name: column[bounds[i] : bounds[i + 1]] for name, column in found.items()},
            starts.get(i, {}),
            first + i * width_us,
            choice,
        )
        for i in range(last + 1)
    ]


def _bucket(ended: dict[str, Any], started: dict[str, int | None], start_us: int, choice: Choice) -> Bucket:
    completed = int(ended["n"].sum())
    sizes = np.ma.compressed(np.ma.masked_invalid(ended["bytes"]))
    return Bucket(
        start_us=start_us,
        hits=started.get("hits") or 0,
        completed=completed,
        errors=int(ended["errors"].sum()),
        mean_ms=float((ended["value"] * ended["n"]).sum()) / completed / 1e3 if completed else None,
        percentiles_ms=_percentiles_ms(ended["value"], ended["n"], choice.percentiles, choice.method),
        received_bytes=int(sizes.sum()) if len(sizes) else None,
        users=started.get("users"),
    )


def _percentiles_ms(
    values: Any, counts: Any, wanted: tuple[float, ...], method: PercentileMethod
) -> dict[str, float | None]:
    names = [percentile_key(p) for p in wanted]
    if not len(values):
        return dict.fromkeys(names)
    return {name: v / 1e3 for name, v in zip(names, percentiles(values, counts, list(wanted), method), strict=True)}


def _failures(rows: str, by: Counting) -> str:
    """The cause as JMeter tells it: what would be a success failed by an assertion, and its message says why. Of any
    other failure both messages are told, where they differ."""
    return f"""
        SELECT coalesce(response_code, '') AS code,
               CASE WHEN regexp_full_match(coalesce(response_code, ''), '[23][0-9][0-9]') OR response_code IS NULL
                    THEN coalesce(failure_message, nullif(response_message, ''), 'Assertion failed')
                    ELSE concat_ws(': ', nullif(response_message, ''),
                                   CASE WHEN response_message IS DISTINCT FROM failure_message
                                        THEN nullif(failure_message, '') END) END AS message,
               label, {by.errors} AS n, min(started_us) AS first_us, max(started_us) AS last_us
        FROM {rows} WHERE NOT success GROUP BY ALL ORDER BY n DESC, code, message, label LIMIT {_MOST_MESSAGES}
    """


def _error_groups(found: list[tuple[Any, ...]]) -> list[ErrorGroup]:
    together: dict[tuple[str, str], list[tuple[Any, ...]]] = {}
    for row in found:
        together.setdefault((row[0], masked(row[1])), []).append(row)
    groups = [_error_group(code, message, rows) for (code, message), rows in together.items()]
    return sorted(groups, key=lambda group: (-group.count, group.response_code, group.message))


def _error_group(code: str, message: str, rows: list[tuple[Any, ...]]) -> ErrorGroup:
    labels: dict[str, int] = {}
    for _, _, label, n, _, _ in rows:
        labels[label] = labels.get(label, 0) + n
    return ErrorGroup(
        response_code=code,
        message=message,
        count=sum(row[3] for row in rows),
        labels=tuple(sorted(labels.items(), key=lambda item: (-item[1], item[0]))),
        first_us=min(row[4] for row in rows),
        last_us=max(row[5] for row in rows),
        example=rows[0][1],
    )
