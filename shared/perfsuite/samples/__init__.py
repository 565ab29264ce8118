"""Load-test results of any tool, as exact statistics and as one table of samples per run.

Nothing heavy is imported here: a server must answer `initialize` before NumPy and DuckDB are there.
"""

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from perfsuite.artifacts import RunFolder, layout
from perfsuite.errors import NotReady

if TYPE_CHECKING:
    from perfsuite.samples.engine import Engine
    from perfsuite.samples.parquet import Metadata
    from perfsuite.samples.queries import Samples

_MOST_KNOWN = 64
_known: "dict[tuple[Path, int, int, int], tuple[Metadata, int]]" = {}
"""What files say about themselves. They are asked once: beside an analysis, asking is slow."""


def open(  # noqa: A001 - read as `samples.open(run)`, the one way to a run's samples
    run: RunFolder, engine: "Engine | None" = None
) -> "Samples":
    """The samples of a run, wherever they are kept; `engine` is one that was started already, which takes a while."""
    from perfsuite.samples.queries import Samples

    path = run.path(layout.SAMPLES)
    if not path.is_file():
        raise NotReady(
            f"Run {run.run_id!r} has no samples yet; its folder holds {run.listing(run.root)}.",
            next_step=f"Call {layout.SAMPLES.makers} for it first.",
        )
    found = path.stat()
    state = (path, found.st_ino, found.st_size, found.st_mtime_ns)
    told = _known.get(state) or _told_by(path, engine)
    if len(_known) >= _MOST_KNOWN:
        _known.clear()
    _known[state] = told
    return Samples(path, *told)


def _told_by(path: Path, engine: "Engine | None") -> "tuple[Metadata, int]":
    from perfsuite.samples import parquet
    from perfsuite.samples.engine import Engine

    with nullcontext(engine) if engine else Engine() as reader:
        return parquet.read_metadata(reader, path)
