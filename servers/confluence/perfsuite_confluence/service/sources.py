"""What can be published: the report of a run, or that of a comparison of runs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from perfsuite.artifacts import Artifact, RunFolder, RunId, RunStore, layout
from perfsuite.artifacts.comparisons import COMPARISON, COMPARISON_MARKDOWN, COMPARISON_STORAGE, comparison_folder
from perfsuite.artifacts.schemas import RunRecord
from perfsuite.errors import BadInput, NotFound


@dataclass(frozen=True)
class Source:
    """Where a report lies, and where it is written down as it was sent."""

    what: Literal["run", "comparison"]
    folder: RunFolder
    markdown: Artifact
    storage: Artifact

    @property
    def named(self) -> str:
        """As sentences name it."""
        return f"{self.what} {self.folder.run_id!r}"

    @property
    def has_report(self) -> bool:
        return self.folder.path(self.markdown).is_file()


def source_of(runs: RunStore, source_id: str) -> Source:
    """The run of this id, or else the comparison."""
    try:
        return _of_run(runs.open(source_id))
    except NotFound:
        found = _comparison(runs, RunId(source_id))
        if found is None:
            raise
        return found


def all_sources(runs: RunStore) -> Iterator[Source]:
    """Every run and every comparison."""
    yield from map(_of_run, runs.runs())
    place = runs.root / "comparisons"
    for name in sorted(one.name for one in place.iterdir()) if place.is_dir() else ():
        try:
            found = _comparison(runs, RunId(name))
        except BadInput:
            continue
        if found is not None:
            yield found


def with_record(source: Source) -> RunFolder:
    """The folder, in which steps can be noted. A comparison is no run, but what was done with it is noted alike."""
    folder = source.folder
    if source.what == "comparison":
        with folder.lock():
            if not folder.path(layout.RUN_RECORD).is_file():
                folder.save(layout.RUN_RECORD, RunRecord(run_id=folder.run_id))
    return folder


def _of_run(run: RunFolder) -> Source:
    return Source("run", run, layout.REPORT_MARKDOWN, layout.REPORT_STORAGE)


def _comparison(runs: RunStore, comparison_id: RunId) -> Source | None:
    folder = comparison_folder(runs, comparison_id)
    if folder.root.is_symlink() or not (folder.root / COMPARISON.place).is_file():
        return None
    return Source("comparison", folder, COMPARISON_MARKDOWN, COMPARISON_STORAGE)
