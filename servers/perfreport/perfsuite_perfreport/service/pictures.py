"""The charts of a run that a report shows: the default ones, and whatever else was drawn."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from perfsuite.artifacts import RunFolder, RunStore, layout
from perfsuite.configuration import Loaded
from perfsuite.errors import PerfsuiteError
from perfsuite.samples.rows import printable
from perfsuite.workflow.staleness import key_of, stale_steps
from perfsuite_perfreport.models.charts import CHART_TYPES, ChartFile
from perfsuite_perfreport.models.report import Missing, Picture
from perfsuite_perfreport.service.catalogue import DEFAULT_CHARTS, KINDS
from perfsuite_perfreport.service.charts import TOOL, create_charts

if TYPE_CHECKING:
    from perfsuite_perfreport.core.markdown.tree import Leaf

_MOST: Final = 100
_LARGEST: Final = 5_000_000


@dataclass
class Drawn:
    """The charts that are up to date, and why others are not there."""

    pictures: tuple[Picture, ...] = ()
    missing: list[Missing] = field(default_factory=list)


def drawn_pictures(runs: RunStore, run: RunFolder, config: Loaded[ChartFile]) -> Drawn:
    """Draw the default charts that are not there or out of date, and find all others that were drawn."""
    found = Drawn()
    fresh = set(_files(run, stale=False))
    for chart_id in DEFAULT_CHARTS:
        if layout.CHART.relative(chart_id=chart_id) not in fresh:
            try:
                create_charts(runs, run.run_id, chart_id, None, config)
            except PerfsuiteError as error:
                why = printable(error.message, 300).rstrip(".")
                found.missing.append(Missing(what=f"Chart {chart_id}", why=why, next_step=error.next_step))
    for file in _files(run, stale=True):
        what = f"Chart {PurePosixPath(file).stem}"
        if all(one.what != what for one in found.missing):
            why = "it is older than what it shows"
            found.missing.append(
                Missing(what=what, why=why, next_step=f"Call `{TOOL}` for it, then this report again.")
            )
    titles = {one.id: one.title for one in config.value.charts if one.title}
    files = sorted(_files(run, stale=False), key=_place)
    found.pictures = tuple(_picture(file, titles) for file in files[:_MOST])
    return found


def pictures_in(run: RunFolder, leaves: "tuple[Leaf, ...]") -> dict[str, bytes]:
    """What the Markdown shows, by where it looks for it: only pictures that lie in the run folder."""
    from perfsuite_perfreport.core.markdown.tree import pictures

    sources = {source for leaf in leaves for _, source in pictures(leaf.tree)}
    found = {}
    for source in sorted(sources):
        path = run.file_or_none(source.removeprefix("../")) if source.startswith("../charts/") else None
        if path is not None and path.suffix == ".png" and path.stat().st_size <= _LARGEST:
            found[source] = path.read_bytes()
    return found


def _files(run: RunFolder, *, stale: bool) -> Iterator[str]:
    """What finished steps of drawing left, as far as it is older than what it shows or not.

    A chart of an analysis that is out of date itself is as true as the tables beside it, and that is said once.
    """
    record = run.record()
    drawn = tuple(step for step in record.ledger if step.tool == TOOL)
    old = stale_steps(run, record.model_copy(update={"ledger": drawn}))
    for step in drawn:
        if step.state == "done" and (key_of(step) in old) is stale:
            yield from (one.path for one in step.outputs if run.file_or_none(one.path) is not None)


def _place(file: str) -> tuple[int, str]:
    kind = PurePosixPath(file).stem.partition("-")[0]
    return next((number for number, one in enumerate(CHART_TYPES) if one == kind), len(CHART_TYPES)), file


def _picture(file: str, titles: dict[str, str]) -> Picture:
    name = PurePosixPath(file).stem
    chart, _, resource = name.partition("-")
    built_in = next((kind.title for chart_id, kind in KINDS.items() if chart_id == chart), name)
    title = printable(titles.get(chart, built_in) + (f": {resource}" if resource else ""), 120)
    return Picture(chart_id=name, title=title, alt=f"Chart: {title}", file=file)
