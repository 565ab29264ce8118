"""A report as a page: its title, its body, and the files that the body shows."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from perfsuite.errors import BadFile, LimitExceeded, NotReady
from perfsuite_confluence.core.hashes import content_hash
from perfsuite_confluence.core.names import title_of
from perfsuite_confluence.service.pictures import PageFile, Pictures, of_table
from perfsuite_confluence.service.sources import Source

_LARGEST_REPORT: Final = 5 * 1024 * 1024
_UNFILLED: Final = re.compile(r"\{\{[^{}\n]{1,80}\}\}|\{%[^{}\n]{1,80}%\}|\[\[[A-Z_ :]{3,80}\]\]")


@dataclass(frozen=True)
class Prepared:
    """What goes to Confluence."""

    heading: str | None
    body: str
    files: Mapping[str, PageFile]
    notes: tuple[str, ...]
    inputs: tuple[Path, ...]
    """The files that it was made of."""

    def hash(self, title: str) -> str:
        return content_hash(title, self.body, {name: file.sha256 for name, file in self.files.items()})


def prepare(source: Source) -> Prepared:
    """Render a report, and write what will be sent beside it."""
    from perfsuite_confluence.core.pages import page_of

    file, pictures = source.folder.path(source.markdown), Pictures(source.folder)
    page = page_of(_read(source, file), pictures.find)
    if not page.body.strip():
        raise NotReady(
            f"The report of {source.named} is empty.",
            next_step=f"Call {source.markdown.makers} again for {source.named}.",
        )
    files = {**pictures.files, **{one.filename: of_table(one) for one in page.tables}}
    notes = [*pictures.notes, *_unfilled(page.body)]
    notes += [f"A table of {one.rows:,} rows is attached as {one.filename!r}." for one in page.tables]
    with source.folder.staged(source.storage) as target:
        target.write_text(page.body, encoding="utf-8", newline="\n")
    return Prepared(page.heading, page.body, files, tuple(notes), (file, *pictures.paths))


def page_title(run_id: str, heading: str | None) -> str:
    """The title that a report gets where none is given: one that no other run's report has."""
    title = title_of(heading or "Performance test report")
    return title if run_id in title else title_of(f"{title[: 250 - len(run_id)]} ({run_id})")


def _read(source: Source, file: Path) -> str:
    if not file.is_file():
        raise NotReady(
            f"There is no report of {source.named} to publish.",
            next_step=f"Call {source.markdown.makers} first, for {source.named}.",
        )
    if file.stat().st_size > _LARGEST_REPORT:
        raise LimitExceeded(
            f"The report of {source.named} has {file.stat().st_size:,} bytes; a page is made of at most "
            f"{_LARGEST_REPORT:,}.",
            next_step="Make it shorter: logs and long tables belong into files.",
        )
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise BadFile(
            f"The report of {source.named} is not UTF-8 text: {error.reason} at byte {error.start}.",
            next_step=f"Save it as UTF-8, or call {source.markdown.makers} again.",
        ) from None


def _unfilled(body: str) -> list[str]:
    """Said, not refused: a label of the test may well look like that."""
    found = list(dict.fromkeys(_UNFILLED.findall(body)))
    if not found:
        return []
    return [f"The report holds {', '.join(map(repr, found[:3]))}, as if a template had not been filled."]
