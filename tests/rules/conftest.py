"""What the tests about the pages for agents share."""

import pytest


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
