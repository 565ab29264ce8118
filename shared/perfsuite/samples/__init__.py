"""Load-test results of any tool, as exact statistics and as one table of samples per run.

Nothing heavy is imported here: a server must answer `initialize` before NumPy and DuckDB are there.
"""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from perfsuite.artifacts import RunFolder, layout
from perfsuite.errors import NotReady

if TYPE_CHECKING:
    from perfsuite.samples.parquet import Metadata
    from perfsuite.samples.queries import Samples

_MOST_KNOWN = 64


def open(run: RunFolder) -> "Samples":  # noqa: A001 - read as `samples.open(run)`, the one way to a run's samples
    """The samples of a run, wherever they are kept."""
    from perfsuite.samples.queries import Samples

    path = run.path(layout.SAMPLES)
    if not path.is_file():
        raise NotReady(
            f"Run {run.run_id!r} has no samples yet; its folder holds {run.listing(run.root)}.",
            next_step=f"Call {layout.SAMPLES.makers} for it first.",
        )
    found = path.stat()
    return Samples(path, *_told_by(path, found.st_ino, found.st_size, found.st_mtime_ns))


@lru_cache(_MOST_KNOWN)
def _told_by(path: Path, *_state: int) -> "tuple[Metadata, int]":
    """What a file says about itself. It is asked once: beside an analysis that takes all processors, asking is slow."""
    from perfsuite.samples import parquet
    from perfsuite.samples.engine import Engine

    with Engine() as engine:
        return parquet.read_metadata(engine, path)
