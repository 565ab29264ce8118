"""create_comparison_report: from comparison.json to a report in every format, beside the run folders."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from perfsuite.artifacts import Artifact, RunFolder, RunStore, layout
from perfsuite.artifacts.comparisons import (
    COMPARISON,
    COMPARISON_DOCX,
    COMPARISON_HTML,
    COMPARISON_MARKDOWN,
    Comparison,
    comparison_folder,
    load_comparison,
)
from perfsuite.errors import BadFile, Conflict, NotFound, PerfsuiteError
from perfsuite.mcp.jobs import JobContext
from perfsuite.samples.rows import printable
from perfsuite_perfreport.core.markdown.template import Template
from perfsuite_perfreport.core.reporting.comparing import comparison_report, measure, ranked_changes
from perfsuite_perfreport.models.answers import ComparisonAnswer, ReportFormat
from perfsuite_perfreport.models.report import COMPARISON_REPORT, Missing, Picture
from perfsuite_perfreport.service.edits import Kept, Worded, in_words
from perfsuite_perfreport.service.pictures import pictures_in
from perfsuite_perfreport.service.templates import asset

if TYPE_CHECKING:
    from perfsuite_perfreport.core.charts.comparisons import RunLine
    from perfsuite_perfreport.core.charts.sheet import Sheet

TOOL: Final = "create_comparison_report"
_TEMPLATE: Final = "comparison.j2"
_KEPT: Final = Kept(COMPARISON_MARKDOWN, COMPARISON_REPORT)
_MOST_TOLD: Final = 10
_LONGEST: Final = 250
_CHANGES: Final = "CHANGES"
_OVERLAYS: Final = (
    ("OVERLAY_P95", "P95 of the runs on top of each other", "P95 of response times, ms"),
    ("OVERLAY_THROUGHPUT", "Throughput of the runs on top of each other", "completed requests, per second"),
)


def create_comparison_report(
    runs: RunStore,
    comparison_id: str,
    formats: tuple[ReportFormat, ...],
    *,
    keep_edits: bool = True,
    job: JobContext | None = None,
) -> ComparisonAnswer:
    """Write the report of a comparison. The same comparison gives the same report."""
    job = job or JobContext()
    folder = _existing(runs, comparison_id)
    found = load_comparison(runs, folder.run_id)
    if found.comparison_id != folder.run_id:
        raise BadFile(
            f"{COMPARISON.place!r} in the folder of {folder.run_id!r} is about {found.comparison_id!r}.",
            next_step="Call `compare_test_runs` again for these runs.",
        )
    _tell(job, "drawing the charts", 0.1)
    pictures, missing = _drawn(runs, folder, found)
    _tell(job, "writing the Markdown", 0.5)
    template = Template("comparison", asset(_TEMPLATE), "built in")
    worded = in_words(folder, _KEPT, template, comparison_report(found, pictures, missing), keep_edits=keep_edits)
    files = _written(folder, worded, formats, job)
    return _answer(found, worded, [folder.path(COMPARISON).relative_to(runs.root).as_posix(), *files])


def _existing(runs: RunStore, comparison_id: str) -> RunFolder:
    folder = comparison_folder(runs, comparison_id)
    if folder.root.is_symlink() or not folder.path(COMPARISON).is_file():
        place = runs.root / "comparisons"
        known = sorted(one.name for one in place.iterdir() if one.is_dir()) if place.is_dir() else []
        raise NotFound(
            f"There is no comparison {folder.run_id!r}; there are {', '.join(known[:_MOST_TOLD]) or 'none'}.",
            next_step="Call `compare_test_runs` first, and give the id that it answers with.",
        )
    return folder


def _tell(job: JobContext, what: str, share: float) -> None:
    if job.cancelled:
        raise Conflict("The work was cancelled.", next_step=f"Call `{TOOL}` again to start anew.")
    job.progress(share, 1.0, what)


def _drawn(runs: RunStore, folder: RunFolder, found: Comparison) -> tuple[tuple[Picture, ...], tuple[Missing, ...]]:
    from perfsuite_perfreport.core.charts.comparisons import changes, overlay

    several = len(found.pairs) > 1
    named = [
        (f"{f'{pair.candidate}: ' if several else ''}{one.label} · {measure(one.metric)}", one)
        for pair, one in ranked_changes(found)
    ]
    subtitle = f"Baseline {found.baseline} · {', '.join(one.candidate for one in found.pairs)}"
    pictures = []
    if any(one.change is not None for _, one in named):
        draw = partial(changes, subtitle=subtitle, found=named)
        pictures.append(_kept(folder, _CHANGES, "What changed, worst first", draw))
    lines, missing = _lines(runs, found)
    notes = ["Percentiles over time hold failures too; the comparison is made of successes in the steady states."]
    for number, (chart_id, title, what) in enumerate(_OVERLAYS):
        if lines:
            drawn = [one[number] for one in lines]
            draw = partial(overlay, subtitle=subtitle, lines=drawn, what=what, notes=notes[number:])
            pictures.append(_kept(folder, chart_id, title, draw))
    return tuple(pictures), missing


def _lines(runs: RunStore, found: Comparison) -> "tuple[list[tuple[RunLine, RunLine]], tuple[Missing, ...]]":
    """P95 and throughput of every run that is analysed, and the runs that are not."""
    lines, missing = [], []
    for run_id in found.run_ids:
        try:
            lines.append(_course(runs.open(run_id)))
        except PerfsuiteError as error:
            why = printable(error.message, _LONGEST).rstrip(".")
            missing.append(Missing(what=f"The course of {run_id} in the charts", why=why, next_step=error.next_step))
    return lines, tuple(missing)


def _course(run: RunFolder) -> "tuple[RunLine, RunLine]":
    from perfsuite_perfreport.core.charts.comparisons import RunLine
    from perfsuite_perfreport.core.charts.timelines import percentile_line, throughput_line
    from perfsuite_perfreport.service.material import Material

    material = Material(run)
    return (
        RunLine(run.run_id, *percentile_line(material.over_for("p95_ms"), "p95_ms")),
        RunLine(run.run_id, *throughput_line(material.over)),
    )


def _kept(folder: RunFolder, chart_id: str, title: str, draw: "partial[None]") -> Picture:
    from perfsuite_perfreport.core.charts.looks import Look
    from perfsuite_perfreport.core.charts.sheet import drawn

    def on(sheet: "Sheet") -> None:
        draw(sheet)

    picture = drawn(Look(title=title), on)
    with folder.staged(layout.CHART, chart_id=chart_id) as staged:
        staged.write_bytes(picture.png)
    alt = f"Chart: {title}"
    return Picture(chart_id=chart_id, title=title, alt=alt, file=layout.CHART.relative(chart_id=chart_id))


def _written(folder: RunFolder, worded: Worded, formats: tuple[ReportFormat, ...], job: JobContext) -> list[str]:
    from perfsuite_perfreport.core.markdown.tree import leaves_of

    report = worded.report
    files = [_shown(folder, folder.save(COMPARISON_REPORT, report))]
    files.append(_put(folder, COMPARISON_MARKDOWN, worded.merged.text.encode("utf-8")))
    leaves = leaves_of(worded.merged.parts) if {"html", "docx"} & set(formats) else ()
    pictures = pictures_in(folder, leaves)
    if "html" in formats:
        from perfsuite_perfreport.core.web.page import Assets, page

        _tell(job, "making the web page", 0.6)
        content = page(report, leaves, Assets(asset("report.css"), asset("report.js"), pictures))
        files.append(_put(folder, COMPARISON_HTML, content.encode("utf-8")))
    if "docx" in formats:
        from perfsuite_perfreport.core.word import word_document

        _tell(job, "making the Word document", 0.8)
        files.append(_put(folder, COMPARISON_DOCX, word_document(report, leaves, pictures)))
    return files


def _put(folder: RunFolder, artifact: Artifact, content: bytes) -> str:
    with folder.staged(artifact) as staged:
        staged.write_bytes(content)
    return _shown(folder, folder.path(artifact))


def _shown(folder: RunFolder, path: Path) -> str:
    return f"comparisons/{folder.run_id}/{path.relative_to(folder.root).as_posix()}"


def _answer(found: Comparison, worded: Worded, files: list[str]) -> ComparisonAnswer:
    report, changes = worded.report, [one for _, one in ranked_changes(found)]
    worse = [
        printable(f"{pair.candidate}: {one.label}, {measure(one.metric)}: {one.reason}", _LONGEST)
        for pair, one in ranked_changes(found)
        if one.verdict == "regression"
    ]
    more = [f"and {len(worse) - _MOST_TOLD} more"] if len(worse) > _MOST_TOLD else []
    return ComparisonAnswer(
        comparison_id=found.comparison_id,
        verdict=report.verdict,
        confidence=report.confidence,
        reason=report.verdict_reason,
        files=[*files, *(f"comparisons/{found.comparison_id}/{one.file}" for one in report.pictures)],
        regressions=[*worse[:_MOST_TOLD], *more],
        improvements=sum(one.verdict == "improvement" for one in changes),
        untold=sum(one.verdict in ("inconclusive", "insufficient_data", "incomparable") for one in changes),
        missing=[printable(f"{one.what}: {one.why}. {one.next_step}", _LONGEST) for one in report.missing],
        edited=[printable(one, 60) for one in report.edited[:_MOST_TOLD]],
        notes=worded.notes,
        next_step="Give the user the files. `publish_report` puts it on Confluence, with this id as `run_id`.",
    )
