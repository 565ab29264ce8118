"""The charts of a run that a report shows."""

from pathlib import PurePosixPath
from typing import Final

from perfsuite.artifacts import RunFolder, layout
from perfsuite.samples.rows import printable
from perfsuite.workflow.ledger import Ledger
from perfsuite_perfreport.core.markdown.tree import Leaf, pictures
from perfsuite_perfreport.models.report import Picture

_MOST: Final = 100
_LARGEST: Final = 5_000_000


def drawn_pictures(run: RunFolder) -> tuple[Picture, ...]:
    """Those that `create_chart` left, of the whole run and of single hosts."""
    ledger = Ledger(run)
    paths = (*ledger.files(layout.CHART), *ledger.files(layout.RESOURCE_CHART))
    files = sorted({path.relative_to(run.root).as_posix() for path in paths})
    return tuple(_picture(file) for file in files[:_MOST])


def pictures_in(run: RunFolder, leaves: tuple[Leaf, ...]) -> dict[str, bytes]:
    """What the Markdown shows, by where it looks for it: only pictures that lie in the run folder."""
    sources = {source for leaf in leaves for _, source in pictures(leaf.tree)}
    found = {}
    for source in sorted(sources):
        path = run.file_or_none(source.removeprefix("../")) if source.startswith("../charts/") else None
        if path is not None and path.suffix == ".png" and path.stat().st_size <= _LARGEST:
            found[source] = path.read_bytes()
    return found


def _picture(file: str) -> Picture:
    name = PurePosixPath(file).stem
    chart, _, resource = name.partition("-")
    title = printable(chart.replace("_", " ").capitalize() + (f" of {resource}" if resource else ""), 120)
    return Picture(chart_id=name, title=title, alt=f"Chart: {title}", file=file)
