"""create_chart and list_chart_types: what can be drawn of a run, and drawing it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple
from zoneinfo import ZoneInfo

from perfsuite.artifacts import RunFolder, RunStore, layout
from perfsuite.artifacts.run_id import shown
from perfsuite.configuration import Loaded, load_configuration
from perfsuite.errors import BadFile, NotFound, NotReady, PerfsuiteError
from perfsuite.samples.rows import printable
from perfsuite.workflow.ledger import Ledger
from perfsuite_perfreport.models.charts import (
    CHART_TYPES,
    DEFAULT,
    FILE,
    ChartAbout,
    ChartFile,
    ChartList,
    ChartOverride,
    ChartType,
)
from perfsuite_perfreport.service.catalogue import DEFAULT_CHARTS, KINDS

if TYPE_CHECKING:
    from perfsuite_perfreport.core.charts.looks import Look
    from perfsuite_perfreport.core.charts.sheet import Picture

TOOL: Final = "create_chart"
_MOST_NAMES: Final = 50
_LONGEST_ANSWER: Final = 9_000
_MOST_BYTES: Final = 740_000
"""Of pictures in an answer; some clients refuse those of a megabyte, which base64 makes of this."""
_LONGEST: Final = 300


@dataclass(frozen=True)
class Chart:
    """A chart as it was drawn; `file` is its path in the run folder."""

    chart_id: str
    file: str
    png: bytes
    notes: tuple[str, ...] = ()


@dataclass
class Charts:
    """What was drawn, and what was not and why."""

    drawn: list[Chart] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)


def load_charts(folders: tuple[Path, ...]) -> Loaded[ChartFile]:
    """What charts.yaml says, or the defaults."""
    return load_configuration(ChartFile, FILE, folders)


def create_charts(
    runs: RunStore, run_id: str, chart_id: str, resource: str | None, config: Loaded[ChartFile]
) -> Charts:
    """Draw a chart, or the default ones; of these, those whose data is missing are left out, and said."""
    run = runs.open(run_id)
    if chart_id != DEFAULT:
        return Charts([_Drawing(run, config).chart(_override(config, chart_id), resource)])
    found, drawing = Charts(), _Drawing(run, config)
    for name in DEFAULT_CHARTS:
        try:
            found.drawn.append(drawing.chart(_override(config, name), None))
        except (NotReady, BadFile) as error:
            found.left_out[name] = printable(str(error), _LONGEST)
    if not found.drawn:
        # Each says why; the first one is what the others wait for, too.
        drawing.chart(_override(config, DEFAULT_CHARTS[0]), None)
    return found


class Told(NamedTuple):
    """What is said of charts, and how many of the pictures are sent along."""

    text: str
    pictures: int


def told(found: Charts) -> Told:
    """A line for each chart, its notes, and why others are missing."""
    pictures = _sent(found.drawn)
    lines = [f"{one.chart_id}: {one.file}" for one in found.drawn]
    notes = dict.fromkeys(note for one in found.drawn for note in one.notes)
    lines += [f"Note: {printable(note, 2 * _LONGEST)}" for note in notes]
    lines += [f"Not drawn, {name}: {why}" for name, why in found.left_out.items()]
    if left := len(found.drawn) - pictures:
        what = "picture is" if left == 1 else f"{left} pictures are"
        lines.append(f"The last {what} too much for one answer: draw one alone to see it.")
    return Told("\n".join(lines)[:_LONGEST_ANSWER], pictures)


def _sent(drawn: list[Chart]) -> int:
    room, count = _MOST_BYTES, 0
    for one in drawn:
        room -= len(one.png)
        if room < 0 and count:
            break
        count += 1
    return count


def list_charts(runs: RunStore, run_id: str | None, config: Loaded[ChartFile]) -> ChartList:
    """Every chart, and of a run whether it can be drawn. The step of the ledger is done by that."""
    overrides = [_override(config, name) for name in (*CHART_TYPES, *_own_names(config))]
    if run_id is None:
        return ChartList(charts=[_about(one) for one in overrides], total=len(overrides), notes=_file_notes(config))
    run = runs.open(run_id)
    with Ledger(run).step("perfreport", "list_chart_types", tool="list_chart_types"):
        drawing = _Drawing(run, config)
        charts = [drawing.about(one) for one in overrides]
        names = drawing.resources()
    return ChartList(
        charts=charts, total=len(charts), resources=names[:_MOST_NAMES],
        notes=[*_file_notes(config), *([f"{len(names)} resources were measured."] if len(names) > _MOST_NAMES else [])],
    )  # fmt: skip


class _Drawing:
    """Charts of one run, whose files are read once."""

    def __init__(self, run: RunFolder, config: Loaded[ChartFile]) -> None:
        from perfsuite_perfreport.service.material import Material

        self.run, self.config = run, config
        zone = config.value.timezone
        self.material: Material = Material(run, ZoneInfo(zone) if zone else None)

    def chart(self, asked: ChartOverride, resource: str | None) -> Chart:
        """Draw it, keep it in the run folder, and note that."""
        from perfsuite_perfreport.core.charts.sheet import drawn
        from perfsuite_perfreport.service.plots import plot_of

        kind = _kind(asked)
        self.material.used.clear()
        plot = plot_of(kind, self.material, resource)
        picture = drawn(self._look(asked, kind), plot)
        return self._kept(asked.id, kind, resource, picture)

    def about(self, asked: ChartOverride) -> ChartAbout:
        """Whether it can be drawn, and if not, why."""
        from perfsuite_perfreport.service.plots import plot_of

        try:
            plot_of(_kind(asked), self.material, None)
        except PerfsuiteError as error:
            return _about(asked).model_copy(update={"can_be_drawn": False, "missing": printable(str(error), _LONGEST)})
        return _about(asked).model_copy(update={"can_be_drawn": True})

    def resources(self) -> list[str]:
        from perfsuite_perfreport.service.plots import resource_names

        try:
            return resource_names(self.material)
        except PerfsuiteError:
            return []

    def _look(self, asked: ChartOverride, kind: ChartType) -> "Look":
        from perfsuite_perfreport.core.charts.looks import Look
        from perfsuite_perfreport.service.plots import limit_of

        wanted = self.config.value
        return Look(
            title=asked.title or KINDS[kind].title,
            width_px=wanted.width_px,
            height_px=asked.height_px or wanted.height_px,
            dpi=wanted.dpi,
            unit=asked.unit,
            colors=asked.colors,
            sla_line=asked.sla_line or limit_of(kind, self.material),
            fonts=_families(self.config),
        )

    def _kept(self, chart_id: str, kind: ChartType, resource: str | None, picture: "Picture") -> Chart:
        names = {"chart_id": chart_id, **({"resource": resource} if resource else {})}
        artifact = layout.RESOURCE_CHART if resource else layout.CHART
        file = artifact.relative(**names)
        inputs = [*self.material.used, *([self.config.path] if self.config.path else [])]
        step = "infrastructure_charts" if KINDS[kind].of_metrics else "p90_chart"
        with Ledger(self.run).step("perfreport", step, tool=TOOL, inputs=inputs, part=Path(file).stem) as running:
            with self.run.staged(artifact, **names) as staged:
                staged.write_bytes(picture.png)
            running.produced(self.run.path(artifact, **names), at_once=False)
        return Chart(chart_id, file, picture.png, picture.notes)


def _override(config: Loaded[ChartFile], chart_id: str) -> ChartOverride:
    own = next((one for one in config.value.charts if one.id == chart_id), None)
    if own is not None:
        return own
    if chart_id not in CHART_TYPES:
        known = [DEFAULT, *CHART_TYPES, *_own_names(config)]
        parts = [name for name in known if chart_id.upper() in name.split("_")]
        near = parts or get_close_matches(chart_id.upper(), known, n=3, cutoff=0.5) or known
        raise NotFound(
            f"There is no chart {shown(chart_id)}.",
            next_step=f"Name one of {', '.join(near)}; `list_chart_types` tells all.",
        )
    return ChartOverride(id=chart_id)


def _own_names(config: Loaded[ChartFile]) -> Iterator[str]:
    return (one.id for one in config.value.charts if one.id not in CHART_TYPES)


def _kind(asked: ChartOverride) -> ChartType:
    own: ChartType = next(kind for kind in CHART_TYPES if kind == (asked.type or asked.id))
    return own


def _about(asked: ChartOverride) -> ChartAbout:
    kind = _kind(asked)
    about = KINDS[kind]
    return ChartAbout(
        chart_id=asked.id,
        about=asked.title or about.title,
        made_from=about.made_by,
        takes_resource=about.of_metrics,
        in_default=asked.id in DEFAULT_CHARTS,
    )


def _families(config: Loaded[ChartFile]) -> tuple[str, ...]:
    from perfsuite_perfreport.core.charts.lettering import registered

    if not config.value.fonts or config.path is None:
        return ()
    try:
        return registered(str(config.path.parent / one) for one in config.value.fonts)
    except ValueError as error:
        raise BadFile(
            f"{config.where('fonts')} cannot be used: {printable(str(error), _LONGEST)}.",
            next_step="Name font files (TrueType or OpenType) by absolute paths, or relative to the file.",
        ) from None


def _file_notes(config: Loaded[ChartFile]) -> list[str]:
    return [f"Titles, colours and sizes come from {str(config.path)!r}."] if config.path else []
