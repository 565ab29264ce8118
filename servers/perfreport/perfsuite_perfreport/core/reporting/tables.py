"""The tables of a report. Cells are what the analyses hold; columns say how they are shown."""

from collections.abc import Callable, Iterator
from typing import Final

from perfsuite.artifacts.analyses import LabelNumbers, PerformanceAnalysis, SlaCheck
from perfsuite.artifacts.correlations import CorrelationAnalysis
from perfsuite.artifacts.infrastructure import InfrastructureAnalysis, Metric, Reading, Service, ServiceMetric
from perfsuite.artifacts.log_findings import LogAnalysis
from perfsuite_perfreport.core.reporting.numbers import name, sentence
from perfsuite_perfreport.core.reporting.scope import numbers_of, place_of
from perfsuite_perfreport.core.reporting.sources import CORRELATION, INFRASTRUCTURE, LOGS, PERFORMANCE, Sources
from perfsuite_perfreport.models.report import Cell, Column, Form, Table

MOST_ROWS: Final = 200
_MOST_GROUPS: Final = 30
_VERDICTS: Final = {"pass": "PASS", "warn": "WARN", "fail": "FAIL", "not_evaluated": "NOT EVALUATED"}
_WORST_FIRST: Final = ("fail", "warn", "not_evaluated", "pass")
_SHARE: Final = "_pct"
_UNITS: Final = (("_ms", "ms"), ("_pct", "%"), ("_per_s", "per s"))

Row = tuple[Cell, ...]


def tables(sources: Sources) -> tuple[Table, ...]:
    """All of them, also those without rows, which say why."""
    found = sources.performance
    return (
        _slas(found),
        _transactions(found),
        _errors(found),
        _codes(found),
        _logs(sources.logs),
        _infrastructure(sources.infrastructure),
        _services(sources.infrastructure),
        _correlation(sources.correlation),
        _levels(sources.correlation),
    )


def _columns(*named: tuple[str, Form]) -> tuple[Column, ...]:
    return tuple(Column(title=title, form=form) for title, form in named)


def _table(
    table_id: str,
    title: str,
    columns: tuple[Column, ...],
    rows: list[Row],
    source: str,
    empty: str,
    most: int = MOST_ROWS,
) -> Table:  # fmt: skip
    return Table(
        id=table_id, title=title, columns=columns, rows=tuple(rows[:most]), left_out=max(0, len(rows) - most),
        source=source, empty=empty,
    )  # fmt: skip


def _slas(found: PerformanceAnalysis) -> Table:
    sla = found.sla
    checks = sorted(sla.checks if sla else (), key=lambda one: _WORST_FIRST.index(one.verdict))
    columns = _columns(
        ("Verdict", "status"), ("Transaction", "text"), ("Metric", "text"), ("Limit", "number"), ("Measured", "number"),
        ("95 % from", "number"), ("95 % to", "number"), ("Margin %", "share"), ("Samples", "count"), ("Rule", "text"),
    )  # fmt: skip
    empty = f"No limit was evaluated. {sla.reason if sla else 'They were not looked at.'}"
    rows = [_sla_row(one) for one in checks]
    return _table("sla", "SLA verdicts", columns, rows, f"{PERFORMANCE}: sla.checks", sentence(empty))


def _sla_row(one: SlaCheck) -> Row:
    return (
        _VERDICTS[one.verdict], name(one.subject), _with_unit(one.metric), one.limit, one.actual, one.low, one.high,
        one.margin, one.samples, _rule(one),
    )  # fmt: skip


def _rule(one: SlaCheck) -> str:
    """In few words, because the column is the last of many."""
    rule = one.rule.removesuffix(" of slas.yaml")
    return name(f"{rule}: {one.rule_reason}" if one.rule_reason else rule)


def _with_unit(metric: str) -> str:
    for ending, unit in _UNITS:
        if metric.endswith(ending):
            return f"{metric.removesuffix(ending).replace('_', ' ')}, {unit}"
    return metric


def _transactions(found: PerformanceAnalysis) -> Table:
    percentiles = list(numbers_of(found.overall).percentiles_ms) if found.overall else []
    columns = _columns(
        ("Transaction", "text"), ("Kind", "text"), ("Samples", "count"), ("Errors %", "share"), ("Mean ms", "ms"),
        *((f"{key.removesuffix('_ms')} ms", "ms") for key in percentiles),
        ("Max ms", "ms"), ("Per s", "number"), ("Apdex", "number"),
    )  # fmt: skip
    ordered = sorted(found.labels, key=lambda one: (-(_p95(one) or 0.0), one.label))
    rows = [_label_row(one, percentiles) for one in ordered]
    if found.overall is not None and rows:
        rows.insert(0, _label_row(found.overall.model_copy(update={"label": "ALL"}), percentiles))
    source = f"{PERFORMANCE}: labels.{place_of(found)}"
    return _table("transactions", "Transactions, the slowest first", columns, rows, source, "There are no labels.")


def _p95(one: LabelNumbers) -> float | None:
    return numbers_of(one).percentiles_ms.get("p95_ms") or numbers_of(one).mean_ms


def _label_row(one: LabelNumbers, percentiles: list[str]) -> Row:
    numbers = numbers_of(one)
    return (
        name(one.label), one.kind, numbers.samples, numbers.error_rate, numbers.mean_ms,
        *(numbers.percentiles_ms.get(key) for key in percentiles),
        numbers.max_ms, numbers.throughput_per_s, numbers.apdex,
    )  # fmt: skip


def _errors(found: PerformanceAnalysis) -> Table:
    columns = _columns(
        ("Failures", "count"), ("Of all failures %", "share"), ("Code", "text"), ("Message", "text"),
        ("Transactions", "text"), ("First seen, UTC", "text"), ("Last seen, UTC", "text"),
    )  # fmt: skip
    rows: list[Row] = [
        (one.count, one.share_of_errors, name(one.response_code), name(one.message), _names(list(one.labels)),
         f"{one.first_seen:%H:%M:%S}", f"{one.last_seen:%H:%M:%S}")
        for one in found.errors
    ]  # fmt: skip
    return _table(
        "errors", "Failures by cause", columns, rows, f"{PERFORMANCE}: errors", "No sample failed.", _MOST_GROUPS
    )


def _codes(found: PerformanceAnalysis) -> Table:
    columns = _columns(("Code", "text"), ("Samples", "count"), ("Failed", "count"))
    rows: list[Row] = [(name(one.response_code), one.samples, one.errors) for one in found.response_codes]
    empty = "The result files hold no response codes."
    return _table("codes", "Response codes", columns, rows, f"{PERFORMANCE}: response_codes", empty, _MOST_GROUPS)


def _names(labels: list[str]) -> str:
    more = f" and {len(labels) - 3} more" if len(labels) > 3 else ""
    return ", ".join(name(one) for one in labels[:3]) + more


def _logs(found: LogAnalysis | None) -> Table:
    columns = _columns(
        ("Entries", "count"), ("Level", "text"), ("Where", "text"), ("What they say", "text"), ("New", "text"),
        ("First seen, UTC", "text"), ("Against the errors", "text"),
    )  # fmt: skip
    groups = [one for one in (found.groups if found else ()) if one.kind != "sample_errors"]
    new = {True: "new", False: "known", None: "no baseline"}
    rows: list[Row] = [
        (one.count, one.level, name(one.service or one.kind), name(one.template), new[one.is_new],
         f"{one.first_seen:%H:%M:%S}" if one.first_seen else None, _relation(one.onset.relation if one.onset else None))
        for one in groups
    ]  # fmt: skip
    empty = _why_empty(found, "No log was there to be grouped.", "Logs were not analysed.")
    return _table("logs", "What logs say", columns, rows, f"{LOGS}: groups", empty, _MOST_GROUPS)


def _relation(relation: str | None) -> str:
    return relation.replace("_", " ") if relation else "time not known"


def _why_empty(found: LogAnalysis | InfrastructureAnalysis | CorrelationAnalysis | None, none: str, absent: str) -> str:
    if found is None:
        return absent
    return sentence(" ".join(found.reasons)) if found.status != "complete" and found.reasons else none


def _infrastructure(found: InfrastructureAnalysis | None) -> Table:
    columns = _columns(
        ("Host or container", "text"), ("Metric", "text"), ("Average", "number"), ("p95", "number"), ("Max", "number"),
        ("Headroom %", "number"), ("To the", "text"), ("Above threshold, s", "number"), ("Trend", "text"),
    )  # fmt: skip
    every = [metric for one in (found.resources if found else ()) for metric in one.metrics]
    rated = [metric for metric in every if _is_rated(metric)]
    rows = list(_resource_rows(found, _is_rated if rated else lambda _: True)) if found else []
    empty = _why_empty(found, "No metric was collected.", "The environment was not analysed.")
    title = f"Hosts and containers ({_window(found)})"
    table = _table("infrastructure", title, columns, rows, f"{INFRASTRUCTURE}: resources", empty)
    return table.model_copy(update={"left_out": table.left_out + (len(every) - len(rated) if rated else 0)})


def _is_rated(metric: Metric) -> bool:
    """Whether it says how near a resource came to its limit: bytes and cores as they came say nothing by themselves."""
    return metric.headroom is not None or bool(_seen(metric).above_threshold_s)


def _resource_rows(found: InfrastructureAnalysis, is_shown: Callable[[Metric], bool]) -> Iterator[Row]:
    for resource in found.resources:
        for metric in filter(is_shown, resource.metrics):
            seen = _seen(metric)
            to = "whole host" if resource.scope == "host" and metric.headroom_to else metric.headroom_to
            yield (
                name(resource.name), _metric(metric.metric, metric.unit), seen.average, seen.p95,
                seen.maximum, metric.headroom, to, seen.above_threshold_s,
                metric.trend.verdict.replace("_", " "),
            )  # fmt: skip
        for one in resource.not_rated:
            unit = f", {name(one.unit)}" if one.unit else ""
            yield (
                name(resource.name), f"{name(one.raw_metric or one.metric)}{unit}", one.average, one.p95, one.maximum,
                None, None, None, name(f"not rated: {one.reason}"),
            )  # fmt: skip


def _services(found: InfrastructureAnalysis | None) -> Table:
    resources = found.resources if found else ()
    of_services = [
        (one, metric, [(part.name, _seen(its)) for part in resources for its in part.metrics
                       if (part.service, part.environment, its.metric) == (one.name, one.environment, metric.metric)
                       and part.scope == "container"])
        for one in (found.services if found else ()) for metric in one.metrics
    ]  # fmt: skip
    columns = _columns(
        ("Service", "text"), ("Containers", "count"), ("Restarts", "count"), ("Metric", "text"), ("Mean", "number"),
        ("Highest p95", "number"), ("Container with it", "text"),
    )  # fmt: skip
    every = [one for one in of_services if one[2]]
    # Of the same metric, each row has the worst container already, so its highest reading says no more.
    shares = [one for one in every if one[1].metric.endswith(_SHARE)] or every
    rows = [_service_row(*one) for one in shares]
    title = f"Services ({_window(found)})"
    table = _table("services", title, columns, rows, f"{INFRASTRUCTURE}: resources", "No service was asked for.")
    return table.model_copy(update={"left_out": table.left_out + len(every) - len(shares)})


def _service_row(one: Service, metric: ServiceMetric, parts: list[tuple[str, Reading]]) -> Row:
    container, highest = max(parts, key=lambda part: (part[1].p95, part[0]))
    mean = sum(seen.average for _, seen in parts) / len(parts)
    return (
        name(one.name), one.containers, one.restarts, _metric(metric.metric, metric.unit), mean, highest.p95,
        name(container),
    )  # fmt: skip


def _seen(metric: Metric) -> Reading:
    """Of the steady state where there is one."""
    return metric.steady or metric.whole


def _window(found: InfrastructureAnalysis | None) -> str:
    """Of what the readings are; a metric without any in the steady state is shown with those of the whole run."""
    metrics = [metric for one in (found.resources if found else ()) for metric in one.metrics]
    steady = [metric.steady is not None for metric in metrics]
    if all(steady) and steady:
        return "steady state"
    return "steady state, else the whole run" if any(steady) else "whole run"


def _metric(metric: str, unit: str) -> str:
    """A metric and its unit: shares as people call them, all else as it was collected."""
    if metric.endswith(_SHARE):
        return f"{name(metric.removesuffix(_SHARE).replace('_', ' '))}, %"
    return f"{name(metric)}, {name(unit)}" if unit else name(metric)


def _correlation(found: CorrelationAnalysis | None) -> Table:
    columns = _columns(
        ("Response", "text"), ("Host or container", "text"), ("Metric", "text"), ("Raw", "number"),
        ("Given the load", "number"), ("Adjusted p", "number"), ("Effective n", "number"),
        ("Metric leads by, s", "number"),
    )  # fmt: skip
    pairs = [one for one in (found.pairs if found else ()) if one.verdict == "moves_with"]
    rows: list[Row] = [
        (name(one.response), name(one.resource), name(one.metric), one.raw, one.partial, one.p_adjusted,
         one.n_effective, one.lag_s if one.lag_is_certain else None)
        for one in pairs
    ]  # fmt: skip
    empty = _why_empty(found, "No pair was found to move together.", "Nothing was correlated.")
    return _table("correlation", "What moves with the responses", columns, rows, f"{CORRELATION}: pairs", empty, 10)


def _levels(found: CorrelationAnalysis | None) -> Table:
    columns = _columns(
        ("Users", "number"), ("Seconds", "number"), ("Per s", "number"), ("Mean ms", "ms"), ("p95 ms", "ms"),
        ("Errors %", "share"),
    )  # fmt: skip
    capacity = found.capacity if found else None
    rows: list[Row] = [
        (one.users, one.seconds, one.throughput_per_s, one.mean_ms, one.p95_ms, one.error_rate)
        for one in (capacity.levels if capacity else ())
    ]
    empty = sentence(capacity.reason) if capacity else "The capacity was not looked at."
    return _table("capacity", "Levels of concurrency", columns, rows, f"{CORRELATION}: capacity.levels", empty, 40)
