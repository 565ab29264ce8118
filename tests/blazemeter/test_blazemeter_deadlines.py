"""A call ends before clients give up, however slow BlazeMeter is."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from blazemeter.conftest import NEWEST, RESULTS, TEST, Connect, Hands
from perfsuite.sandbox.blazemeter import BlazeMeterSpec, OpenBlazeMeter, opened
from perfsuite.sandbox.clock import Clock
from perfsuite.sandbox.standins.application import Backstage


@pytest.fixture
def service(tmp_path: Path, hands: Hands, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenBlazeMeter]:
    """A BlazeMeter that is slow when it is told to be, and calls that may not take long."""
    monkeypatch.setenv("PERFSUITE_CALL_DEADLINE_S", "6")
    backstage = Backstage(clock=Clock(lambda: hands.now, anyio.sleep))
    with opened(BlazeMeterSpec((RESULTS,)), tmp_path / "standin", backstage) as found:
        for name, value in found.environment.items():
            monkeypatch.setenv(name, value)
        yield found


async def test_a_call_of_many_slow_requests_ends_and_says_what_was_slow(
    connect: Connect, fault: Callable[..., None], asked: Callable[[str], list[Any]]
) -> None:
    fault("master", "slow", seconds=1.2)
    fault("status", "slow", seconds=30)
    async with connect() as tools:
        said = await tools.refused("get_run_results", run_id=NEWEST)
    assert f"/masters/{NEWEST}/status" in said
    assert re.search(rf"/masters/{NEWEST} alone took [1-6] s", said)
    assert "The whole call has 6 s; before, 1 requests were answered" in said
    assert not asked("summary")


async def test_what_is_only_good_to_know_is_left_out_when_time_is_up(
    connect: Connect, fault: Callable[..., None]
) -> None:
    fault("ci_status", "slow", seconds=30)
    async with connect() as tools:
        found = await tools.call("get_run_results", run_id=NEWEST)
    assert found["numbers"]["samples"] == 168
    assert any("The CI status could not be read" in note for note in found["notes"])


async def test_a_start_for_which_there_is_no_time_left_is_not_sent(
    connect: Connect, fault: Callable[..., None], asked: Callable[[str], list[Any]]
) -> None:
    fault("masters", "slow", seconds=30)
    async with connect() as tools:
        said = await tools.refused("start_test", test=str(TEST), confirm=True)
    assert "before the deadline" in said
    assert not asked("start")
