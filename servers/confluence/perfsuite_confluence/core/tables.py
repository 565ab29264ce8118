"""Tables that are too long for a page: the page keeps their first rows, and all of them are a CSV file beside it."""

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Final

from perfsuite.artifacts.run_id import slug
from perfsuite.errors import LimitExceeded
from perfsuite_confluence.core import elements as e
from perfsuite_confluence.core.elements import Element
from perfsuite_confluence.core.reading import unbroken
from perfsuite_confluence.core.storage import written
from perfsuite_confluence.models.parts import TableFile

MOST_ROWS: Final = 200
KEPT_ROWS: Final = 25
# Editors of both flavours become slow beyond it, long before a limit is met.
ROOMY_BYTES: Final = 500_000
# Confluence Data Center takes 5 MiB a request, in which the page stands as JSON: letters of many scripts need six.
MOST_BYTES: Final = 5_000_000
_NUMBER: Final = re.compile(r"[-+]?[\d.,]+\s?%?")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_LONGEST_NAME: Final = 60


def shorten(root: Element) -> tuple[str, list[TableFile]]:
    """The page as text, with tables taken out until it is of a size that can be read; and those tables."""
    tables = [table for table in root.iter("table") if len(_rows(table)) > KEPT_ROWS]
    files = [_taken_out(root, table, number) for number, table in _numbered(tables) if len(_rows(table)) > MOST_ROWS]
    text = written(root)
    rest = [pair for pair in _numbered(tables) if len(_rows(pair[1])) > KEPT_ROWS]
    for number, table in sorted(rest, key=lambda pair: -len(_rows(pair[1]))):
        if len(text.encode()) <= ROOMY_BYTES:
            break
        files.append(_taken_out(root, table, number))
        text = written(root)
    if (size := len(json.dumps(text))) > MOST_BYTES:
        raise LimitExceeded(
            f"The page would have {size:,} bytes; Confluence takes {MOST_BYTES:,}.",
            next_step="Make the report shorter: code and prose cannot be taken out of it as tables can.",
        )
    return text, files


def _numbered(tables: list[Element]) -> Iterator[tuple[int, Element]]:
    return enumerate(tables, start=1)


def _rows(table: Element) -> list[Element]:
    return list(table.iterfind("tbody/tr"))


def _taken_out(root: Element, table: Element, number: int) -> TableFile:
    rows = _rows(table)
    file = TableFile(f"table-{number}{_title(root, table)}.csv", _csv(table), len(rows))
    for row in rows[KEPT_ROWS:]:
        body = row.getparent()
        if body is not None:
            body.remove(row)
    link = e.file_link(file.filename, file.filename)
    link.tail = "."
    note = e.made("p", f"The first {KEPT_ROWS} of {len(rows):,} rows; all of them are in ", [link])
    note.tail, table.tail = table.tail, None
    table.addnext(note)
    return file


def _title(root: Element, table: Element) -> str:
    """The words of the heading above the table, for the name of its file."""
    above = [one for one in root.iter("h2", "h3", "h4", "table") if one is table or one.tag != "table"]
    place = above.index(table)
    words = slug(e.words_of(above[place - 1])).lower()[:_LONGEST_NAME].strip("-._") if place else ""
    return f"-{words}" if words else ""


def _csv(table: Element) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    for row in table.iter("tr"):
        writer.writerow([_inert(unbroken(e.words_of(cell))) for cell in row])
    # With the mark, spreadsheets read it as UTF-8.
    return text.getvalue().encode("utf-8-sig")


def _inert(cell: str) -> str:
    """A cell that a spreadsheet takes for text: what begins as a formula would be computed."""
    return f"'{cell}" if cell.startswith(_FORMULA) and not _NUMBER.fullmatch(cell) else cell
