"""What the tests of the samples share."""

from collections.abc import Iterator

import pytest

from perfsuite.samples.engine import Engine


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """One engine for many files: making one takes longer than reading a small file."""
    with Engine() as shared:
        yield shared
