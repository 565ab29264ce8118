"""Tables of a report as Markdown."""

from perfsuite_perfreport.core.markdown.escaping import Md, code, escaped, lozenge
from perfsuite_perfreport.core.reporting.numbers import shown
from perfsuite_perfreport.models.report import Table


def table(found: Table, number: int) -> Md:
    """A table with its caption, or the reason why there is none."""
    if not found.rows:
        return Md(f"{escaped(found.empty)} ({code(found.source)})")
    more = f" {found.left_out} more rows are in the source." if found.left_out else ""
    caption = f"*Table {number}. {escaped(found.title)}.{more} Source:* {code(found.source)}"
    head = [str(escaped(column.title)) for column in found.columns]
    rule = ["---" if column.form in ("text", "status") else "---:" for column in found.columns]
    body = [
        [_cell(shown(cell, column.form), column.form) for cell, column in zip(row, found.columns, strict=True)]
        for row in found.rows
    ]
    return Md("\n".join([caption, "", *map(_row, (head, rule, *body))]))


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(text: str, form: str) -> str:
    return lozenge(text) if form == "status" else str(escaped(text)) or " "
