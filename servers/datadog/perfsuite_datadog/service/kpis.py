"""What `get_kpi_timeseries` does: metric queries of the user's own, filled in for every host or service."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from typing import Final

from perfsuite.artifacts import layout
from perfsuite.errors import NotFound, NotReady
from perfsuite.mcp.threads import in_thread
from perfsuite_datadog.core.buckets import asked_width_s
from perfsuite_datadog.core.catalog import Wanted
from perfsuite_datadog.core.formulas import refuse_unknown_names
from perfsuite_datadog.core.ratios import highest, lowest, mean, shown
from perfsuite_datadog.core.templates import filled, placeholders, refuse_other_environment
from perfsuite_datadog.models.custom_queries import KpiQuery
from perfsuite_datadog.models.environments import Environment
from perfsuite_datadog.models.metrics import Collected, KpiSeries
from perfsuite_datadog.models.requests import KpiRequest
from perfsuite_datadog.models.timeseries import Series
from perfsuite_datadog.service.asking import Answered, Asking, ask_each
from perfsuite_datadog.service.configured import QUERIES, custom_queries
from perfsuite_datadog.service.desk import Desk, Order, order, recording
from perfsuite_datadog.service.earlier import Gathered
from perfsuite_datadog.service.files import Files
from perfsuite_datadog.service.tables import Block, Subject, time_texts
from perfsuite_datadog.service.told import collected

TOOL: Final = "get_kpi_timeseries"
_MOST_QUERIES: Final = 12
_DIGITS: Final = 6

Scope = Mapping[str, str | None]


@dataclass(frozen=True)
class Ask:
    """One formula for one entity."""

    key: str
    entity: str
    subject: Subject
    width_s: int
    wanted: Wanted


async def get_kpi_timeseries(desk: Desk, request: KpiRequest) -> Collected:
    """Collect what the queries give, and write it into the run where there is one."""
    task = await order(desk, request)
    chosen = _chosen(desk, request.queries)
    asks = [ask for key, query in chosen.items() for ask in _asks(task, key, query)]
    keys = ", ".join(chosen)
    with recording(task, "metrics", TOOL, f"kpi {task.name}") as step:
        gathered = Gathered(TOOL, step)
        answers: list[Answered] = []
        for batch in _batches(asks):
            desk.progress(len(answers), len(asks), f"asking for {batch[0].key}")
            asking = Asking(TOOL, keys, batch[0].key, None, batch[0].width_s)
            answers += await ask_each(desk, task, asking, [one.wanted for one in batch])
        rows = await in_thread(partial(_kept, task, gathered, asks, answers), name=TOOL)
        gathered.note()
    return collected(desk, task, gathered, rows, [])


def _chosen(desk: Desk, keys: Sequence[str]) -> dict[str, KpiQuery]:
    loaded = custom_queries(desk.settings)
    known = loaded.value.kpi_queries
    if not known:
        raise NotReady(
            "There are no KPI queries of your own.",
            next_step=f"Write some under `kpi_queries` in `{loaded.path or loaded.searched[0]}`.",
        )
    for key in keys:
        if key not in known:
            near = get_close_matches(key, known, n=3) or sorted(known)[:10]
            raise NotFound(
                f"{QUERIES!r} has no KPI query {key[:80]!r}.", next_step=f"Name some of {', '.join(map(repr, near))}."
            )
    return {key: known[key] for key in dict.fromkeys(keys or known)}


def _asks(task: Order, key: str, query: KpiQuery) -> Iterator[Ask]:
    used = frozenset[str]().union(*(placeholders(one.query) for one in query.queries))
    width_s = query.interval_ms // 1000 if query.interval_ms else asked_width_s(task.window)
    for entity, values, subject in _entities(task, key, query, used):
        texts = {one.name: filled(one.query, values) for one in query.queries}
        for name, text in texts.items():
            refuse_other_environment(text, task.environment.env_tag, f"{key}.{name}")
        for formula in [one.formula for one in query.formulas] or list(texts):
            refuse_unknown_names(key, formula, texts)
            yield Ask(key, entity, subject, width_s, Wanted(f"{key}.{formula}", formula, texts))


def _entities(task: Order, key: str, query: KpiQuery, used: frozenset[str]) -> Iterator[tuple[str, Scope, Subject]]:
    """Whom the query is filled in for: one at a time of what its placeholders name, else the whole environment."""
    environment = task.environment
    base: dict[str, str | None] = {"env_tag": environment.env_tag, "namespace": environment.namespace}
    each = {"hostname": environment.hostnames} if query.scope == "host" else _filters(environment)
    varying = [name for name in each if name in used]
    subject = partial(Subject, task.name, environment.env_tag, query.scope)
    if not varying:
        yield task.name, {**base, **dict.fromkeys(each)}, subject()
        return
    name = varying[0]
    if not each[name]:
        raise NotFound(
            f"KPI query {key!r} is for each {name}, and environment {task.name!r} has none.",
            next_step="Leave it out by naming the others in `queries`, or add them to environments.yaml.",
        )
    for entity in each[name]:
        value = entity if name == "hostname" else entity.rpartition(":")[2]
        about = subject(hostname=entity) if name == "hostname" else subject(filter=entity)
        yield entity, {**base, **dict.fromkeys(each), name: value}, about


def _filters(environment: Environment) -> dict[str, tuple[str, ...]]:
    found = environment.kubernetes
    return {
        "service_filter": tuple(dict.fromkeys(one.filter for one in found.services)),
        "pod_filter": tuple(dict.fromkeys(one.filter for one in found.pods)),
    }


def _batches(asks: Sequence[Ask]) -> Iterator[list[Ask]]:
    """What goes into one request: neighbours of one query and one interval, with not too many queries in all."""
    batch: list[Ask] = []
    for ask in asks:
        texts = {text for one in [*batch, ask] for text in one.wanted.queries.values()}
        if batch and (ask.key != batch[0].key or len(texts) > _MOST_QUERIES):
            yield batch
            batch = []
        batch.append(ask)
    if batch:
        yield batch


def _kept(task: Order, gathered: Gathered, asks: Sequence[Ask], answers: Sequence[Answered]) -> list[KpiSeries]:
    by_entity: dict[str, list[tuple[Ask, Answered]]] = {}
    for ask, answer in zip(asks, answers, strict=True):
        by_entity.setdefault(ask.entity, []).append((ask, answer))
    rows: list[KpiSeries] = []
    for entity, found in by_entity.items():
        files = Files(task, gathered.step, keep=gathered.take([answer for _, answer in found]))
        rows += _rows(entity, found, _file(files, entity, found))
    return rows


def _file(files: Files, entity: str, found: Sequence[tuple[Ask, Answered]]) -> str | None:
    if not any(series for _, answer in found for series in answer.series.values()):
        return files.left(layout.KPI_METRICS, entity=entity)
    blocks = (block for ask, answer in found for block in _blocks(ask, answer))
    return files.written(layout.KPI_METRICS, blocks, entity=entity)


def _rows(entity: str, found: Sequence[tuple[Ask, Answered]], file: str | None) -> Iterator[KpiSeries]:
    for ask, answer in found:
        series = _of(ask, answer)
        yield from (_row(ask, group[0], one, file) for group, one in series)
        if not series:
            yield KpiSeries(entity=entity, metric=ask.wanted.label, note=_why_nothing(answer))


def _why_nothing(answer: Answered) -> str | None:
    if answer.failure:
        return "not collected"
    return answer.note if answer.is_too_short else "no data in this window: check the query and its tags"


def _of(ask: Ask, answer: Answered) -> list[tuple[tuple[str, ...], Series]]:
    return sorted(answer.series.get(ask.wanted.label, {}).items())


def _blocks(ask: Ask, answer: Answered) -> Iterator[Block]:
    times = time_texts(answer.times_ms)
    for group, series in _of(ask, answer):
        one = ask.subject
        subject = Subject(one.env_name, one.env_tag, one.scope, one.hostname, one.filter, group[0])
        yield Block(subject, ask.wanted.label, series.unit_text or "", times, series.values)


def _row(ask: Ask, group: str, series: Series, file: str | None) -> KpiSeries:
    return KpiSeries(
        entity=ask.entity,
        metric=ask.wanted.label,
        group=group,
        unit=series.unit_text,
        min=shown(lowest(series.values), _DIGITS),
        avg=shown(mean(series.values), _DIGITS),
        max=shown(highest(series.values), _DIGITS),
        points=sum(value is not None for value in series.values),
        file=file,
    )
