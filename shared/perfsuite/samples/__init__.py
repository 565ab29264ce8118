"""Load-test results of any tool, as exact statistics and as one table of samples per run.

Nothing heavy is imported here: a server must answer `initialize` before NumPy and DuckDB are there.
"""

from contextlib import nullcontext
from typing import TYPE_CHECKING

from perfsuite.artifacts import RunFolder, layout
from perfsuite.errors import NotReady

if TYPE_CHECKING:
    from perfsuite.samples.engine import Engine
    from perfsuite.samples.queries import Samples


def open(  # noqa: A001 - read as `samples.open(run)`, the one way to a run's samples
    run: RunFolder, engine: "Engine | None" = None
) -> "Samples":
    """The samples of a run, wherever they are kept; `engine` is one that was started already, which takes a while."""
    from perfsuite.samples import parquet
    from perfsuite.samples.engine import Engine
    from perfsuite.samples.queries import Samples

    path = run.path(layout.SAMPLES)
    if not path.is_file():
        raise NotReady(
            f"Run {run.run_id!r} has no samples yet; its folder holds {run.listing(run.root)}.",
            next_step=f"Call {layout.SAMPLES.makers} for it first.",
        )
    with nullcontext(engine) if engine else Engine() as reader:
        metadata, rows = parquet.read_metadata(reader, path)
    return Samples(path, metadata, rows)
