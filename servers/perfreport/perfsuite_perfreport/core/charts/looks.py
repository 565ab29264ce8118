"""What a chart looks like: its size, its colours, and what charts.yaml changed."""

from dataclasses import dataclass
from typing import Final

# Okabe and Ito's colours, which people tell apart whatever colours they see; their yellow is too pale on white.
BLUE: Final = "#0072B2"
VERMILION: Final = "#D55E00"
GREEN: Final = "#009E73"
PURPLE: Final = "#CC79A7"
ORANGE: Final = "#E69F00"
SKY: Final = "#56B4E9"
BLACK: Final = "#222222"
GREY: Final = "#8A8F98"
PALE: Final = "#E3E6EA"
INK: Final = "#1F2430"
FAINT: Final = "#5B6270"
PALETTE: Final = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK)
# Lines differ by their pattern, too, for whoever prints in grey.
DASHES: Final = ("solid", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)), (0, (3, 1)), (0, (8, 2)), "solid")
MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X")


@dataclass(frozen=True)
class Look:
    """How a chart is drawn."""

    title: str
    width_px: int = 1280
    height_px: int = 720
    dpi: int = 144
    unit: str | None = None
    colors: tuple[str, ...] = ()
    sla_line: float | None = None
    fonts: tuple[str, ...] = ()

    def color(self, number: int) -> str:
        """The colour of the series of this number; it begins anew after the last."""
        palette = (*self.colors, *PALETTE[len(self.colors) :])
        return palette[number % len(palette)]

    def dash(self, number: int) -> object:
        """The pattern of the line of this number."""
        return DASHES[number % len(DASHES)]
