"""Brings result files into a run folder: the samples, the aggregate report, and the ledger of how they came there."""

import shutil
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from perfsuite import __version__
from perfsuite.artifacts import RunFolder, RunId, RunStore, layout, sha256_of
from perfsuite.artifacts.locks import holding
from perfsuite.artifacts.schemas import ImportedFile, ImportSources, RunFacts, RunRecord, Window
from perfsuite.errors import BadFile, Conflict, NotFound, PerfsuiteError
from perfsuite.samples.detect import recognise
from perfsuite.samples.engine import Progress, no_progress
from perfsuite.samples.options import DEFAULT_READ, ReadOptions
from perfsuite.samples.statistics import Statistics
from perfsuite.workflow.bringing import Brought, Origin, bringing, describe, report
from perfsuite.workflow.ledger import Ledger, RunningStep

TOOL: Final = "perfsuite import"
_STAGE: Final = "import"
_ORIGIN: Final = Origin(_STAGE, TOOL, layout.IMPORT_AGGREGATE)


@dataclass(frozen=True)
class ImportRequest:
    """What to import, and how to read it."""

    files: tuple[Path, ...]
    log: Path | None = None
    """The jmeter.log of the same run."""
    options: ReadOptions = DEFAULT_READ


@dataclass(frozen=True)
class Imported:
    """What an import left in the run folder."""

    run_id: str
    samples_path: Path
    sources: ImportSources
    window: Window
    labels: list[Statistics]
    total: Statistics
    replaced: tuple[str, ...] = ()
    """The files of an earlier import of other results, which is gone."""

    @property
    def samples(self) -> int:
        """In the row ALL of the aggregate report: samplers only."""
        return self.total.samples


def import_results(
    store: RunStore,
    run_id: str,
    request: ImportRequest,
    facts: RunFacts | None = None,
    progress: Progress = no_progress,
) -> Imported:
    """Import result files into a run. An import before this one is replaced, another source's samples never are."""
    RunId(run_id)
    _refuse_unreadable(request)
    run = store.open_or_create(run_id, facts)
    busy = Conflict(
        f"Another process is importing into run {run.run_id!r}.",
        next_step="Wait for it to end, or import under another run id.",
    )
    with holding(run.lock_path("importing"), busy=busy):
        _refuse_foreign(run)
        earlier = _earlier(run)
        run.update(lambda record: _with_facts(record, facts or RunFacts()))
        found = _imported(run, request, progress)
        same = {one.sha256 for one in earlier} == {one.sha256 for one in found.sources.files}
        return found if same else replace(found, replaced=tuple(one.name for one in earlier))


def _imported(run: RunFolder, request: ImportRequest, progress: Progress) -> Imported:
    ledger = Ledger(run)
    inputs = [*request.files, *([request.log] if request.log else [])]
    with ledger.step(_STAGE, "collect", tool=TOOL) as step, ThreadPoolExecutor(1) as background:
        hashes = [(path, background.submit(sha256_of, path)) for path in inputs]
        try:
            sources, window = _collect(run, request, dict(hashes), step, progress)
        finally:
            for _, hashed in hashes:
                hashed.cancel()
    labels, total = report(ledger, _ORIGIN, sources.rows_read)
    return Imported(run.run_id, run.path(layout.SAMPLES), sources, window, labels, total)


def _collect(
    run: RunFolder,
    request: ImportRequest,
    hashes: dict[Path, Future[str]],
    step: RunningStep,
    progress: Progress,
) -> tuple[ImportSources, Window]:
    with bringing(run, _ORIGIN, request.files, request.options, progress) as found:
        progress("checking files", 0.0)
        sources = _sources(found, request.files, hashes)
    for path, hashed in hashes.items():
        step.used(path, sha256=hashed.result())
    run.save(layout.IMPORT_SOURCES, sources)
    _keep_log(run, request.log)
    describe(run, _ORIGIN, found.window)
    for artifact in (layout.SAMPLES, layout.IMPORT_SOURCES, *([layout.IMPORT_LOG] if request.log else [])):
        step.produced(run.path(artifact))
    return sources, found.window


def _sources(found: Brought, files: tuple[Path, ...], hashes: dict[Path, Future[str]]) -> ImportSources:
    several = len(found.files) > 1
    return ImportSources(
        files=tuple(
            ImportedFile(name=one.file, size=path.stat().st_size, sha256=hashes[path].result())
            for one, path in zip(found.files, files, strict=True)
        ),
        format=", ".join(sorted({one.format for one in found.files})),
        dialect={
            (f"{one.file}: {key}" if several else key): value
            for one in found.files
            for key, value in one.dialect.items()
        },
        rows_read=found.rows,
        rows_rejected=found.rows_rejected,
        rejected=[
            {"file": one.file, "line": row.line, "reason": row.reason} for one in found.files for row in one.rejected
        ],
        warnings=found.warnings,
        tool_version=__version__,
    )


def _earlier(run: RunFolder) -> tuple[ImportedFile, ...]:
    """The files that were imported before. What cannot be read is replaced as well."""
    try:
        return run.load(layout.IMPORT_SOURCES).files
    except PerfsuiteError:
        return ()


def _with_facts(record: RunRecord, facts: RunFacts) -> RunRecord:
    """What is said of the run now holds; what is not said stays."""
    said = {"scenario": facts.scenario, "version": facts.version, "tags": facts.tags}
    return record.model_copy(update={name: value for name, value in said.items() if value})


def _refuse_foreign(run: RunFolder) -> None:
    source = run.record().source
    if source not in (None, "import"):
        raise Conflict(
            f"Run {run.run_id!r} holds the samples of {source!r}, which an import would replace.",
            next_step="Import under another run id.",
        )


def _refuse_unreadable(request: ImportRequest) -> None:
    """Before a run is made for them."""
    if not request.files:
        raise BadFile("No result file was named.", next_step="Name at least one.")
    for path in request.files:
        recognise(path, request.options)
    if request.log is not None and not request.log.is_file():
        raise NotFound(f"There is no log {str(request.log)!r}.", next_step="Check the path, or import without --log.")


def _keep_log(run: RunFolder, log: Path | None) -> None:
    if log is not None:
        with run.staged(layout.IMPORT_LOG) as target:
            shutil.copyfile(log, target)
