"""A sheet to draw on: heading, key, axes and notes, each with room of its own, so that nothing covers anything.

Lengths are points, 72 to the inch, from the upper left corner. No text is ever read as a formula.
"""

import io
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator
from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from perfsuite_perfreport.core.charts.lettering import Lettered, is_plain, lettered, stamp, width_in_ems
from perfsuite_perfreport.core.charts.looks import FAINT, INK, PALE, Look

TITLE_PT: Final = 11.0
TEXT_PT: Final = 7.5
NOTE_PT: Final = 6.5
MARGIN: Final = 14.0
_ROW: Final = 12.0
_NOTE_ROW: Final = 10.0
_GAP: Final = 14.0
_SWATCH: Final = 16.0
_MOST_KEY_ROWS: Final = 3
_COLUMNS: Final = 3
_MOST_NOTES: Final = 6
_SHORTEST_CUT: Final = 8
_COMPRESSION: Final = 3
_WHITE: Final = [255, 255, 255]
_NEARLY_WHITE: Final = 252
_HINTING: Final = 1.03
"""How much wider small letters are than drawn large, at most."""
_ASCENT: Final = 0.8
"""From the upper edge of letters to the line they stand on, in their own size."""

Align = Literal["left", "center", "right"]
_SHARES: Final[dict[Align, float]] = {"left": 0.0, "center": 0.5, "right": 1.0}
_ANCHORS: Final[dict[Align, str]] = {"left": "ls", "center": "ms", "right": "rs"}

# matplotlib says that it is not safe for threads: what it shares, such as fonts, is used by one at a time.
_drawing = threading.RLock()


@dataclass(frozen=True)
class Entry:
    """A line of the key."""

    text: str
    color: str
    dash: object = "solid"
    marker: str | None = None
    is_area: bool = False


@dataclass(frozen=True)
class _Writing:
    """A text, and where the line lies on which it stands."""

    x: float
    y: float
    align: Align
    letters: Lettered
    size: float
    weight: str
    color: str


@dataclass(frozen=True)
class Picture:
    """A finished chart."""

    png: bytes
    notes: tuple[str, ...]
    """What a reader of the answer must know that the picture cannot show."""


class Sheet:
    """One chart while it is drawn."""

    def __init__(self, look: Look) -> None:
        self.look = look
        self.width, self.height = look.width_px / look.dpi * 72, look.height_px / look.dpi * 72
        self.figure = Figure(figsize=(look.width_px / look.dpi, look.height_px / look.dpi), dpi=look.dpi)
        self.figure.set_facecolor("white")
        self._canvas = FigureCanvasAgg(self.figure)
        self._top = MARGIN
        self._bottom = MARGIN - 4
        self._escaped: dict[str, str] = {}
        self._writing: list[_Writing] = []
        self.told: list[str] = []

    def heading(self, subtitle: str) -> None:
        """The title, and beneath it what the chart is about."""
        self.write(self.look.title, MARGIN, self._top, size=TITLE_PT, weight="bold", room=self.width - 2 * MARGIN)
        self._top += TITLE_PT + 5
        self.write(subtitle, MARGIN, self._top, color=FAINT, room=self.width - 2 * MARGIN)
        self._top += _ROW + 2

    def key(self, entries: Sequence[Entry]) -> None:
        """What the colours mean, in at most three rows; nine always have room, because long names are cut."""
        left, row = MARGIN, 0
        most = (self.width - 2 * MARGIN) / _COLUMNS - _GAP - 4
        for number, entry in enumerate(entries):
            text = self.cut(entry.text, most - _SWATCH, TEXT_PT)
            wide = _SWATCH + 4 + self.width_of(text, TEXT_PT) + _GAP
            if left + wide > self.width - MARGIN + _GAP and left > MARGIN:
                left, row = MARGIN, row + 1
            if row >= _MOST_KEY_ROWS:
                self.told.append(f"The key has no room for {len(entries) - number} more.")
                break
            self.swatch(entry, left, self._top + row * _ROW)
            self.write(text, left + _SWATCH + 4, self._top + row * _ROW)
            left += wide
        self._top += (min(row, _MOST_KEY_ROWS - 1) + 1) * _ROW + 2 if entries else 0

    def notes(self, lines: Sequence[str]) -> None:
        """Small print beneath the axes, one line each, cut to the width."""
        shown = list(lines[:_MOST_NOTES])
        if len(lines) > _MOST_NOTES:
            shown[-1] = f"{len(lines) - _MOST_NOTES + 1} more notes stand in the analyses."
        for line in reversed(shown):
            self._bottom += _NOTE_ROW
            room = self.width - 2 * MARGIN
            text = self.cut(line, room, NOTE_PT, at_end=True)
            self.write(text, MARGIN, self.height - self._bottom, size=NOTE_PT, color=FAINT)
        self._bottom += 4 if lines else 0

    def axes(
        self,
        *,
        left: float = 50.0,
        right: float = MARGIN,
        from_x: float = 0.0,
        to_x: float = 1.0,
        above: float = 6.0,
        below: float = 32.0,
        from_y: float = 0.0,
        to_y: float = 1.0,
    ) -> Axes:
        """Axes in the room that is left. The shares of the width, and of the height from above, are for several."""
        inner = self.width - 2 * MARGIN
        x0 = MARGIN + inner * from_x + left - MARGIN * (from_x == 0.0)
        x1 = MARGIN + inner * to_x - right + MARGIN * (to_x == 1.0)
        bottom, tall = self._bottom + below, self.height - self._top - above - self._bottom - below
        y0, y1 = bottom + tall * (1 - to_y), bottom + tall * (1 - from_y)
        box = (x0 / self.width, y0 / self.height, (x1 - x0) / self.width, max(y1 - y0, 20.0) / self.height)
        axes = self.figure.add_axes(box)
        _plain(axes)
        return axes

    def write(
        self, text: str, x: float, y: float, *, size: float = TEXT_PT, color: str = INK, weight: str = "normal",
        align: Align = "left", room: float | None = None,
    ) -> None:  # fmt: skip
        """Text whose upper edge lies at `y`. It is drawn last, and straight away: an artist for each would lay it out
        again and again."""
        shown = text if room is None else self.cut(text, room, size, weight)
        letters = lettered(shown, 5_000, self.look.fonts)
        self._writing.append(_Writing(x, y + size * _ASCENT, align, letters, size, weight, color))

    def swatch(self, entry: Entry, x: float, y: float) -> None:
        """A sample of a line or an area, at the height of a text that is written at `y`."""
        middle = 1 - (y + TEXT_PT * 0.55) / self.height
        if entry.is_area:
            box = ((x + 2) / self.width, middle - 3.5 / self.height), (_SWATCH - 4) / self.width, 7 / self.height
            self.figure.add_artist(Rectangle(*box, color=entry.color, lw=0))
            return
        ends = [x / self.width, (x + _SWATCH) / self.width]
        style: Any = "none" if entry.dash is None else entry.dash
        self.figure.add_artist(
            Line2D(
                ends if entry.dash is not None else [sum(ends) / 2], [middle] * (2 if entry.dash is not None else 1),
                color=entry.color, lw=1.6, ls=style, marker=entry.marker, ms=4,
            )
        )  # fmt: skip

    def width_of(self, text: str, size: float, weight: str = "normal") -> float:
        """How wide a text is when it is drawn."""
        letters = lettered(text, 5_000, self.look.fonts)
        return width_in_ems(letters, weight) * size * _HINTING

    def cut(
        self, text: str, room: float, size: float = TEXT_PT, weight: str = "normal", *, at_end: bool = False
    ) -> str:
        """The text, without its middle where it is wider than the room: names often differ at their ends."""
        letters = lettered(text, 300, self.look.fonts)
        for char in sorted(letters.escaped):
            self._escaped.setdefault(lettered(char, 1, self.look.fonts).text, char)
        line = lettered(text, 300, self.look.fonts).text if letters.escaped else text[:300]
        if self.width_of(line, size, weight) <= room:
            return line
        shorter = _end_cut if at_end else _middle_cut
        low, high = _SHORTEST_CUT // 2, len(line)
        while low < high:
            middle = (low + high + 1) // 2
            fits = self.width_of(shorter(line, middle), size, weight) <= room
            low, high = (middle, high) if fits else (low, middle - 1)
        return shorter(line, low)

    def beside(self, axes: Axes, place: float, text: str, *, at_right: bool = False, size: float = TEXT_PT) -> None:
        """Name a row of the axes, whose limits are set: at the left, or at the right."""
        box, (low, high) = axes.get_position(), axes.get_ylim()
        y = self.height * (1 - box.y0 - box.height * (place - low) / (high - low)) - size * 0.52
        x = box.x1 * self.width + 6 if at_right else box.x0 * self.width - 6
        self.write(text, x, y, size=size, align="left" if at_right else "right")

    def inside(self, axes: Axes, x: float, y: float, text: str, *, color: str = INK, weight: str = "normal") -> None:
        """A text in the middle of a place in the axes, whose limits are set."""
        box, (left, right), (low, high) = axes.get_position(), axes.get_xlim(), axes.get_ylim()
        at_x = self.width * (box.x0 + box.width * (x - left) / (right - left))
        at_y = self.height * (1 - box.y0 - box.height * (y - low) / (high - low)) - TEXT_PT * 0.5
        self.write(text, at_x, at_y, color=color, weight=weight, align="center")

    def labels(self, axes: Axes, axis: Literal["x", "y"], places: Sequence[float], texts: Sequence[str]) -> None:
        """Name places on an axis, on one line or several. The texts should have been cut to their room."""
        ticks = axes.set_xticks if axis == "x" else axes.set_yticks
        letters = [[lettered(line, 5_000, self.look.fonts) for line in text.split("\n")] for text in texts]
        ticks(list(places), ["\n".join(line.text for line in lines) for lines in letters], parse_math=False)
        marks = axes.get_xticklabels() if axis == "x" else axes.get_yticklabels()
        for mark, lines in zip(marks, letters, strict=True):
            mark.set_fontfamily(list(dict.fromkeys(family for line in lines for family in line.families)))

    def picture(self) -> Picture:
        """The chart as a PNG file."""
        content = io.BytesIO()
        self._canvas.draw()  # type: ignore[no-untyped-call]
        plain = [one for one in self._writing if is_plain(one.letters)]
        for one in self._writing:
            if one not in plain:
                self._lay_out(one)
        # Without transparency, and not compressed hardest: writing the file took as long as drawing it.
        pixels = Image.fromarray(np.asarray(self._canvas.buffer_rgba())).convert("RGB")  # type: ignore[no-untyped-call]
        self._stamp(pixels, plain)
        told = PngInfo()
        told.add_itxt("Title", lettered(self.look.title).text)
        resolution = (self.look.dpi, self.look.dpi)
        _in_few_colours(pixels).save(content, format="png", pnginfo=told, compress_level=_COMPRESSION, dpi=resolution)
        return Picture(content.getvalue(), (*self.told, *self._unwritten()))

    def _lay_out(self, one: "_Writing") -> None:
        """Write a text whose characters change with their neighbours, or come from several fonts."""
        pen, scale = self._canvas.get_renderer(), self.look.dpi / 72  # type: ignore[no-untyped-call]
        font = FontProperties(family=list(one.letters.families), size=one.size, weight=one.weight)
        wide = pen.get_text_width_height_descent(one.letters.text, font, ismath=False)[0]
        left = one.x * scale - wide * _SHARES[one.align]
        ink = pen.new_gc()
        ink.set_foreground(one.color)
        pen.draw_text(ink, left, one.y * scale, one.letters.text, font, 0)
        ink.restore()

    def _stamp(self, pixels: Image.Image, plain: Sequence["_Writing"]) -> None:
        pen, scale = ImageDraw.Draw(pixels), self.look.dpi / 72
        for one in plain:
            font, at = stamp(one.size * scale, one.weight), (one.x * scale, one.y * scale)
            pen.text(at, one.letters.text, fill=one.color, font=font, anchor=_ANCHORS[one.align])

    def _unwritten(self) -> list[str]:
        if not self._escaped:
            return []
        told = ", ".join(f"{text} is {char}" for text, char in list(self._escaped.items())[:40])
        return [
            f"No font here has some characters, so they are drawn as escapes: {told}. A font file that has them can be "
            "named under `fonts` in charts.yaml."
        ]


def drawn(look: Look, draw: Callable[[Sheet], None]) -> Picture:
    """Draw a chart. Threads may call it at once; they draw one after the other."""
    with _drawing:
        sheet = Sheet(look)
        draw(sheet)
        return sheet.picture()


def number(value: float, _: object = None) -> str:
    """A number as axes and notes show it."""
    if value == 0:
        return "0"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def numbers(axes: Axes, axis: Literal["x", "y"], most: int = 6, *, whole: bool = False) -> None:
    """Round numbers on an axis."""
    side = axes.xaxis if axis == "x" else axes.yaxis
    side.set_major_locator(MaxNLocator(most, integer=whole, steps=[1, 2, 2.5, 5, 10]))
    side.set_major_formatter(FuncFormatter(number))


def title(axes: Axes, axis: Literal["x", "y"], text: str, color: str = INK) -> None:
    """What an axis shows, and in which unit."""
    (axes.set_xlabel if axis == "x" else axes.set_ylabel)(text, fontsize=TEXT_PT, color=color, parse_math=False)


def _in_few_colours(pixels: Image.Image) -> Image.Image:
    """The same with a palette: nobody sees a difference, the file is a third as large and written in half the time."""
    found = pixels.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    colours = found.getpalette() or []
    shades = (colours[place : place + 3] for place in range(0, len(colours), 3))
    # The white of the paper is the mean of all that is nearly white, which would not be that of the page around it.
    found.putpalette([part for shade in shades for part in (_WHITE if min(shade) >= _NEARLY_WHITE else shade)])
    return found


def _plain(axes: Axes) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set(color=FAINT, linewidth=0.7)
    axes.tick_params(labelsize=TEXT_PT, colors=FAINT, labelcolor=INK, width=0.7, length=3)
    axes.tick_params(axis="y", left=False, right=False)
    axes.grid(visible=True, axis="y", color=PALE, linewidth=0.7)
    axes.set_axisbelow(True)


def _middle_cut(text: str, kept: int) -> str:
    if kept >= len(text):
        return text
    head = (kept + 1) // 2
    return f"{text[:head]}…{text[len(text) - (kept - head) :]}"


def _end_cut(text: str, kept: int) -> str:
    return text if kept >= len(text) else f"{text[:kept]}…"
