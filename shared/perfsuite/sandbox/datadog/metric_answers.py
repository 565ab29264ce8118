"""Answers of metric queries in the shapes of both versions of the API."""

from typing import Any

import numpy as np

from perfsuite.sandbox.datadog.curves import Floats
from perfsuite.sandbox.datadog.evaluation import Answered, Evaluation, at_times
from perfsuite.sandbox.datadog.language import Expression, read_formula, read_queries
from perfsuite.sandbox.datadog.scopes import QueryError
from perfsuite.sandbox.datadog.windows import Window
from perfsuite.sandbox.datadog.world import World

_AGGREGATORS = ("avg", "max", "min", "sum", "last", "percentile", "mean", "l2norm", "area")


def answer_v1(world: World, query: str, window: Window) -> dict[str, Any]:
    """What GET /api/v1/query answers. Times of several intervals are merged, with null where a series has none."""
    evaluation = Evaluation(world, window)
    found = [(place, one) for place, part in enumerate(read_queries(query)) for one in evaluation.series(part)]
    kept = [(place, one.there()) for place, one in found]
    intervals = {one.interval for _, one in kept}
    merged = np.unique(np.concatenate([one.times for _, one in kept])) if len(intervals) > 1 else None
    groups = sorted({tag.partition(":")[0] for _, one in kept for tag in one.groups})
    return {
        "status": "ok",
        "res_type": "time_series",
        "resp_version": 1,
        "query": query,
        "from_date": int(window.begin * 1000),
        "to_date": int(window.end * 1000),
        "series": [_series(place, one, query, merged) for place, one in kept],
        "values": [],
        "times": [],
        "message": "",
        "group_by": groups,
    }


def _series(place: int, one: Answered, whole: str, merged: Floats | None) -> dict[str, Any]:
    times = one.times if merged is None else merged
    values = one.values if merged is None else at_times(one, merged)
    query = one.query
    scope = ",".join([*([query.scope] if query and query.scope != "*" else []), *one.groups])
    return {
        "unit": list(one.units) if any(one.units) else None,
        "query_index": place,
        "aggr": query.aggregator if query and query.text.startswith(f"{query.aggregator}:") else None,
        "metric": query.metric if query else whole,
        "display_name": query.metric if query else whole,
        "expression": query.text if query else whole,
        "scope": scope or "*",
        "tag_set": list(one.groups),
        "interval": one.interval,
        "length": len(times),
        "start": int(times[0] * 1000),
        "end": int((times[-1] + one.interval) * 1000) - 1,
        "pointlist": [[float(at * 1000), _plain(value)] for at, value in zip(times, values, strict=True)],
        "attributes": {},
    }


def formulas_of(queries: dict[str, str], formulas: list[str]) -> tuple[dict[str, Expression], list[Expression]]:
    """The queries by name and the formulas over them; without formulas, each query is one."""
    named: dict[str, Expression] = {}
    for name, text in queries.items():
        [named[name], *others] = read_queries(text)
        if others:
            raise QueryError("one query holds one expression")
    names = frozenset(named)
    return named, [read_formula(text, names) for text in formulas or queries]


def answer_timeseries(
    world: World, window: Window, interval_s: float | None, queries: dict[str, str], formulas: list[str]
) -> dict[str, Any]:
    """What POST /api/v2/query/timeseries answers: the buckets in which any series has data, and no others."""
    named, wanted = formulas_of(queries, formulas)
    evaluation = Evaluation(world, window, interval_s, named)
    found = [(place, one.there()) for place, formula in enumerate(wanted) for one in evaluation.series(formula)]
    times = np.unique(np.concatenate([one.times for _, one in found])) if found else np.array([])
    attributes = {
        "series": [
            {"group_tags": list(one.groups), "query_index": place, "unit": list(one.units) if any(one.units) else None}
            for place, one in found
        ],
        "times": [int(at * 1000) for at in times],
        "values": [[_plain(value) for value in at_times(one, times)] for _, one in found],
    }
    return {"data": {"id": "0", "type": "timeseries_response", "attributes": attributes}}


def answer_scalar(
    world: World, window: Window, aggregators: dict[str, str], queries: dict[str, str], formulas: list[str]
) -> dict[str, Any]:
    """What POST /api/v2/query/scalar answers: a column a formula, and one a group."""
    if any(one not in _AGGREGATORS for one in aggregators.values()):
        raise QueryError(f"aggregator is one of {', '.join(_AGGREGATORS)}")
    named, wanted = formulas_of(queries, formulas)
    evaluation = Evaluation(world, window, None, named)
    how = next(iter(aggregators.values()), "avg")
    texts = formulas or list(queries)
    columns = [
        _columns(evaluation.series(formula), aggregators.get(text, how))
        for text, formula in zip(texts, wanted, strict=True)
    ]
    groups = sorted({group for found, _ in columns for group in found})
    keys = sorted({tag.partition(":")[0] for group in groups for tag in group})
    shown: list[dict[str, Any]] = [
        {"name": key, "type": "group", "values": [_tag_values(group, key) for group in groups]} for key in keys
    ]
    for text, (found, unit) in zip(texts, columns, strict=True):
        values = [found.get(group) for group in groups]
        shown.append({"name": text, "type": "number", "values": values, "meta": {"unit": unit}})
    return {"data": {"id": "0", "type": "scalar_response", "attributes": {"columns": shown}}}


def _columns(found: list[Answered], how: str) -> tuple[dict[tuple[str, ...], float | None], list[Any] | None]:
    units = next((list(one.units) for one in found if any(one.units)), None)
    return {one.groups: _reduced(one, how) for one in found}, units


def _reduced(one: Answered, how: str) -> float | None:
    values = one.there().values
    if not len(values):
        return None
    match how:
        case "max":
            return float(values.max())
        case "min":
            return float(values.min())
        case "sum":
            return float(values.sum())
        case "last":
            return float(values[-1])
        case "l2norm":
            return float(np.sqrt((values**2).sum()))
        case "area":
            return float(values.sum() * one.interval)
        case "percentile":
            return float(np.percentile(values, 95))
    return float(values.mean())


def _tag_values(group: tuple[str, ...], key: str) -> list[str]:
    return [tag.partition(":")[2] for tag in group if tag.startswith(f"{key}:")]


def _plain(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
