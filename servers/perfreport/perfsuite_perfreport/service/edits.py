"""What was written by hand into a report, and outlives the next one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from perfsuite.artifacts import Artifact, JsonArtifact, RunFolder
from perfsuite.errors import PerfsuiteError
from perfsuite.samples.rows import printable
from perfsuite_perfreport.core.markdown.blocks import Merged, Part, fingerprints, merged, split
from perfsuite_perfreport.core.markdown.template import Template
from perfsuite_perfreport.models.report import Report

_LARGEST_EDIT: Final = 5_000_000


@dataclass(frozen=True)
class Kept:
    """Where a report lies: its words, and the data that tell how they were generated."""

    markdown: Artifact
    data: JsonArtifact[Report]


class Worded(NamedTuple):
    """A report in words, with what was written by hand in it."""

    report: Report
    merged: Merged
    notes: list[str]


def in_words(folder: RunFolder, kept: Kept, template: Template, report: Report, *, keep_edits: bool) -> Worded:
    """The Markdown of a report. It names the parts that a hand wrote, so it is written twice."""
    from perfsuite_perfreport.core.markdown.writing import written

    old = _old_text(folder, kept) if keep_edits else None
    if old is None:
        parts = split(written(template, report))
        return Worded(report.model_copy(update={"blocks": _known(parts, {})}), Merged(parts, ()), [])
    recorded, notes = _recorded(folder, kept)
    before = split(old)
    parts = split(written(template, report))
    edited = merged(parts, before, recorded).edited
    if edited:
        report = report.model_copy(update={"edited": edited})
        parts = split(written(template, report))
    result = merged(parts, before, recorded)
    return Worded(report.model_copy(update={"blocks": _known(parts, recorded)}), result, notes)


def _known(parts: tuple[Part, ...], recorded: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """The hash of every part, and the one before it: a process may die between this record and the Markdown."""
    found = fingerprints(parts)
    return {key: (one, *[old for old in recorded.get(key, ())[:1] if old != one]) for key, one in found.items()}


def _recorded(folder: RunFolder, kept: Kept) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """How the parts of the report that is there were generated."""
    try:
        return dict(folder.load(kept.data).blocks), []
    except PerfsuiteError as error:
        note = (
            f"What the report was generated as is not known, so every part that differs is taken for written by hand "
            f"({printable(error.message, 120)}). `keep_edits` false writes it anew."
        )
        return {}, [note]


def _old_text(folder: RunFolder, kept: Kept) -> str | None:
    path = folder.file_or_none(kept.markdown.relative(run_id=folder.run_id))
    if path is None or path.stat().st_size > _LARGEST_EDIT:
        return None
    return path.read_text(encoding="utf-8-sig", errors="replace").replace("\r\n", "\n")
