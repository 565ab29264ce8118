"""What every reader of result files yields, and what it says about the file beside the rows."""

import re
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

Kind = Literal["sample", "transaction", "sub"]

MAX_TEXT: Final = 65_536

_SHOWN_REJECTIONS: Final = 100
_SHOWN_WARNINGS: Final = 50
_SHOWN_CHARACTERS: Final = 200
_SURROGATES: Final = re.compile("[\ud800-\udfff]")
# Control characters break a line or a terminal, and direction marks reorder what stands around them.
_UNPRINTABLE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")


class Row(NamedTuple):
    """One sample. Times are UTC; `started_us` is when it began, whatever the file held."""

    started_us: int
    elapsed_us: int
    label: str
    kind: Kind
    success: bool
    sample_count: int
    error_count: int
    response_code: str | None = None
    response_message: str | None = None
    failure_message: str | None = None
    thread: str | None = None
    engine: str | None = None
    bytes: int | None = None
    sent_bytes: int | None = None
    connect_ms: float | None = None
    latency_ms: float | None = None
    idle_ms: float | None = None
    group_threads: int | None = None
    all_threads: int | None = None
    url: str | None = None


class Rejected(NamedTuple):
    """A row that could not be used."""

    line: int
    reason: str


@dataclass
class ReadReport:
    """What a reader found out about a file. It grows while the rows are taken."""

    rows_read: int = 0
    rows_rejected: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    columns: set[str] = field(default_factory=set)
    dialect: dict[str, str] = field(default_factory=dict)

    def reject(self, line: int, reason: str) -> None:
        """Count a row that could not be used; the first hundred are kept."""
        self.rows_rejected += 1
        if len(self.rejected) < _SHOWN_REJECTIONS:
            self.rejected.append(Rejected(line, printable(reason)))

    def warn(self, text: str) -> None:
        """Keep a remark about the file, once."""
        shown = printable(text)
        if len(self.warnings) == _SHOWN_WARNINGS - 1:
            shown = "There are more warnings than are kept here."
        if len(self.warnings) < _SHOWN_WARNINGS and shown not in self.warnings:
            self.warnings.append(shown)

    def text_of(self, value: str | None) -> str | None:
        """The same as the function `text_of`, and a warning when something was cut."""
        if value is not None and len(value) > MAX_TEXT:
            self.warn(f"Texts longer than {MAX_TEXT:,} characters were cut.")
        return text_of(value)


def text_of(value: str | None, limit: int = MAX_TEXT) -> str | None:
    """The text in a form that any UTF-8 file takes: no NUL, no lone surrogates, not too long. Empty text is None."""
    if not value:
        return None
    text = value if len(value) <= limit else value[:limit]
    if "\0" in text:
        text = text.replace("\0", "")
    return (text if text.isascii() else _SURROGATES.sub("\ufffd", text)) or None


def printable(text: str, limit: int = _SHOWN_CHARACTERS) -> str:
    """The text on one line, without control characters, cut to a length that can be shown."""
    # Cut before and after: the pattern must not run over megabytes that nobody sees.
    line = _UNPRINTABLE.sub(" ", text[: 2 * limit]).strip()
    return line if len(line) <= limit else line[: limit - 1] + "…"
