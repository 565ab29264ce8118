"""Text in pictures: in fonts that have its characters, else with the characters that none has written as escapes."""

import re
import threading
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from matplotlib import font_manager
from matplotlib.font_manager import FontProperties
from matplotlib.ft2font import FT2Font, LoadFlags
from PIL import ImageFont

from perfsuite.samples.rows import printable

FAMILY: Final = "DejaVu Sans"
# Fonts that systems bring for scripts which DejaVu Sans lacks. Emoji in colour are pictures that Agg cannot draw.
_OTHERS: Final = (
    "Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans CJK KR", "Noto Sans SC", "Noto Sans JP", "Noto Sans KR",
    "Source Han Sans SC", "WenQuanYi Zen Hei", "WenQuanYi Micro Hei", "Droid Sans Fallback", "IPAGothic",
    "Microsoft YaHei", "Yu Gothic", "MS Gothic", "Malgun Gothic", "PingFang SC", "Hiragino Sans", "Arial Unicode MS",
    "Noto Sans Devanagari", "Noto Sans Thai", "Noto Sans Bengali", "Noto Sans Tamil", "Nirmala UI", "Leelawadee UI",
    "Noto Sans Symbols2", "Noto Emoji", "Symbola", "Unifont",
)  # fmt: skip
_LEFT_TO_RIGHT: Final = "\u200e"
_MEASURED_AT: Final = 100
_SIGNS: Final = frozenset("●≤≥→")
_MOST_MARKS: Final = 2
# Joiners and variation selectors say how neighbours are drawn, and are nothing by themselves.
_JOINERS: Final = re.compile("[\u200b-\u200f\u2060\ufe00-\ufe0f\ufeff]")
_registering = threading.Lock()


@dataclass(frozen=True)
class Lettered:
    """A text as it can be drawn."""

    text: str
    families: tuple[str, ...] = (FAMILY,)
    escaped: frozenset[str] = frozenset()
    """The characters that no font has."""


def lettered(text: str, longest: int = 200, fonts: tuple[str, ...] = ()) -> Lettered:
    """The text on one line; `fonts` are families to look into before those of the system."""
    line = printable(text, longest)
    if line.isascii():
        return Lettered(line)
    # Right-to-left words keep their own direction, and must not turn the line around them.
    shown = [_LEFT_TO_RIGHT] if any(unicodedata.bidirectional(char) in ("R", "AL") for char in line) else []
    families, escaped = dict.fromkeys((FAMILY,)), set()
    for char in _calm(line):
        family = _family_of(char, fonts)
        if family is None and unicodedata.combining(char):
            continue
        if family is None:
            escaped.add(char)
        else:
            families[family] = None
        shown.append(_escape(char) if family is None else char)
    return Lettered("".join(shown), tuple(families), frozenset(escaped))


def registered(paths: Iterable[str]) -> tuple[str, ...]:
    """The families of font files, which can be drawn with from now on. A file that is no font raises `ValueError`."""
    families = []
    for path in paths:
        with _registering:
            families.append(_registered(path))
    return tuple(families)


@lru_cache(maxsize=32)
def _registered(path: str) -> str:
    try:
        family = FT2Font(path).family_name
        font_manager.fontManager.addfont(path)
    except (OSError, RuntimeError, ValueError) as error:
        raise ValueError(f"{Path(path).name!r} is not a font file that can be read: {error}") from None
    return family


@lru_cache(maxsize=64)
def stamp(size_px: float, weight: str) -> ImageFont.FreeTypeFont:
    """The font for text that is put on a picture as it is, which is twenty times as fast as laying it out."""
    path = font_manager.findfont(FontProperties(family=FAMILY, weight=weight))
    return ImageFont.truetype(path, size_px, layout_engine=ImageFont.Layout.BASIC)


def is_plain(letters: Lettered) -> bool:
    """Whether each character stands for itself and after the one before it: Latin, Greek, Cyrillic, and signs."""
    return letters.families == (FAMILY,) and all(
        (char < "\u0300" or "\u0370" <= char < "\u0483" or "\u2010" <= char <= "\u2026" or char in _SIGNS)
        for char in letters.text
    )


def width_in_ems(letters: Lettered, weight: str) -> float:
    """How wide a text is, in its own size. Kerning and joined letters make it a little narrower."""
    return sum(_advance(char, letters.families, weight) for char in letters.text)


@lru_cache(maxsize=20_000)
def _advance(char: str, families: tuple[str, ...], weight: str) -> float:
    family = next((one for one in families if ord(char) in _characters(one)), FAMILY)
    glyph = _measure(family, weight).load_char(ord(char), flags=LoadFlags.NO_HINTING)
    return float(glyph.linearHoriAdvance) / 65536 / _MEASURED_AT


@lru_cache(maxsize=64)
def _measure(family: str, weight: str) -> FT2Font:
    found = font_manager.findfont(FontProperties(family=family, weight=weight))
    font = FT2Font(found)
    font.set_size(_MEASURED_AT, 72)
    return font


def _calm(line: str) -> str:
    """Without joiners, and without the heaps of marks that some texts pile on a letter until they cover others."""
    kept: list[str] = []
    marks = 0
    for char in _JOINERS.sub("", line):
        marks = marks + 1 if unicodedata.combining(char) else 0
        if marks <= _MOST_MARKS:
            kept.append(char)
    return "".join(kept)


def _escape(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"


@lru_cache(maxsize=10_000)
def _family_of(char: str, fonts: tuple[str, ...]) -> str | None:
    code = ord(char)
    return next((family for family in (FAMILY, *fonts, *_installed()) if code in _characters(family)), None)


@lru_cache(maxsize=1)
def _installed() -> tuple[str, ...]:
    there = {entry.name for entry in font_manager.fontManager.ttflist}
    return tuple(family for family in _OTHERS if family in there)


@lru_cache(maxsize=64)
def _characters(family: str) -> frozenset[int]:
    path = font_manager.findfont(family, fallback_to_default=False)
    return frozenset(font_manager.get_font(path).get_charmap())
