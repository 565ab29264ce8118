"""The files that an analysis read, for its step in the ledger and for its own file."""

from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Final

from perfsuite.artifacts import RunFolder, layout, sha256_of
from perfsuite.artifacts.analyses import Input
from perfsuite.artifacts.layout import Artifact
from perfsuite.workflow.ledger import Ledger, RunningStep

_MOST_COLUMNS: Final = 10
_LONGEST_COLUMN: Final = 40


def noted(run: RunFolder, step: RunningStep, paths: Iterable[Path]) -> tuple[Input, ...]:
    """The files among these that exist, with their hashes; the ledger knows them from now on."""
    inputs = {}
    for path in paths:
        if path.is_file():
            digest = sha256_of(path)
            step.used(path, sha256=digest)
            name = run.relative_to(path) or path.name
            inputs[name] = Input(path=name, sha256=digest)
    return tuple(inputs[name] for name in sorted(inputs))


def files_of(run: RunFolder, artifact: Artifact) -> list[Path]:
    """The files of this kind that finished steps left; where the ledger has none, those that lie at its place."""
    if found := Ledger(run).files(artifact):
        return found
    folder = run.root / Path(artifact.place).parent
    names = sorted(one.relative_to(run.root).as_posix() for one in folder.glob("*") if one.is_file())
    matching = (run.file_or_none(name) for name in names if artifact.match(name) is not None)
    return [path for path in matching if path is not None]


def columns_shown(columns: Iterable[str]) -> str:
    """What the first line of a table holds: names, or that it holds none."""
    first = list(islice(columns, _MOST_COLUMNS))
    if all(one.isascii() and one.isprintable() for one in first):
        return f"it has {', '.join(one[:_LONGEST_COLUMN] for one in first)}"
    return "its first line does not hold the names of columns"


def samples_and(run: RunFolder, *paths: Path) -> list[Path]:
    """The samples of the run, and other files."""
    return [run.path(layout.SAMPLES), *paths]
