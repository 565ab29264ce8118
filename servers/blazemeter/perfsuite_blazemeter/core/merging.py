"""Rows of several engines in one order, with a few blocks of each in memory."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from perfsuite_blazemeter.core.kpi_blocks import Chunk

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class _Stream:
    """The rows of one engine, of which the first block is in memory."""

    def __init__(self, chunks: Iterator[Chunk]) -> None:
        self._chunks = chunks
        self._taken = 0
        self.chunk = next(chunks, None)

    def take(self, bound: int, *, through: bool) -> tuple[list[bytes], "NDArray[np.int64]"]:
        """The rows that come before this, or through all that come at it as well."""
        assert self.chunk is not None  # noqa: S101 - whoever has no rows left is not asked
        chunk, start = self.chunk, self._taken
        end = int(chunk.keys.searchsorted(bound, side="right" if through else "left"))
        if end == len(chunk.lines):
            self.chunk, self._taken = next(self._chunks, None), 0
        else:
            self._taken = end
        return chunk.lines[start:end], chunk.keys[start:end]


def merged(engines: Sequence[Iterator[Chunk]]) -> Iterator[bytes]:
    """The rows of all engines as the text of one file, in the order of their times and, within an engine, of its own.

    Up to the earliest of the ends of their blocks, all engines' rows are known, and can be put in order. The engine
    whose block it is may have more rows of that very time, which come before those of the engines after it.
    """
    import numpy as np

    streams = [_Stream(chunks) for chunks in engines]
    while living := [stream for stream in streams if stream.chunk is not None]:
        ends = [int(stream.chunk.keys[-1]) for stream in living if stream.chunk is not None]
        bound = min(ends)
        first = ends.index(bound)
        taken = [stream.take(bound, through=number <= first) for number, stream in enumerate(living)]
        lines = list(chain.from_iterable(part for part, _ in taken))
        order = np.concatenate([keys for _, keys in taken]).argsort(kind="stable")
        yield b"\n".join(map(lines.__getitem__, order.tolist())) + b"\n"
