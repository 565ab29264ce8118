"""What a page is put together from."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Picture:
    """A picture of the report as a file of the page."""

    filename: str
    width_px: int | None = None


@dataclass(frozen=True)
class TableFile:
    """A table as a file of the page."""

    filename: str
    content: bytes
    rows: int


@dataclass(frozen=True)
class PageParts:
    """A report as a page: its heading, its body in the storage format, and the tables that were taken out of it."""

    heading: str | None
    body: str
    tables: tuple[TableFile, ...]
