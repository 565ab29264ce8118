"""Clocks that do not agree are told, and nothing is corrected."""

import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from blazemeter.conftest import NEWEST, RESULTS
from perfsuite.artifacts import RunStore
from perfsuite.sandbox.blazemeter import BlazeMeterSpec, OpenBlazeMeter, opened
from perfsuite.sandbox.clock import Clock
from perfsuite.sandbox.standins.application import Backstage
from perfsuite_blazemeter.core.windows import doubts
from perfsuite_blazemeter.models.config import TimeSpan, Windows

CREATED = datetime(2026, 11, 21, 10, tzinfo=UTC)
ENDED = CREATED + timedelta(minutes=10)


def told(start_s: float, end_s: float) -> list[str]:
    samples = TimeSpan(start=CREATED + timedelta(seconds=start_s), end=CREATED + timedelta(seconds=end_s))
    return doubts(Windows(created_ended=TimeSpan(start=CREATED, end=ENDED), samples=samples), ENDED + timedelta(days=1))


@pytest.mark.parametrize(
    ("start_s", "end_s", "said"),
    [
        (-120, 300, "The first sample comes before the run was created: clocks differ."),
        (60, 720, "The last sample comes after the end of the run: clocks differ."),
        (300, 60, "The last sample comes before the first."),
    ],
)
def test_samples_outside_of_their_run_are_told(start_s: float, end_s: float, said: str) -> None:
    assert told(start_s, end_s) == [said]


@pytest.mark.parametrize(("start_s", "end_s"), [(60, 540), (-30, 630)])
def test_some_seconds_of_difference_are_usual(start_s: float, end_s: float) -> None:
    assert told(start_s, end_s) == []


@pytest.fixture
def open_with(
    tmp_path: Path, artifacts: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., AbstractContextManager[OpenBlazeMeter]]:
    """A stand-in with a clock of its own, whose engines have theirs; its newest run ended an hour ago."""

    def start(ahead_s: float = 0, engines_ahead_s: float = 0) -> AbstractContextManager[OpenBlazeMeter]:
        spec = BlazeMeterSpec(
            (RESULTS,), newest_ends=time.time() + ahead_s - 3600, engines_ahead_s=engines_ahead_s
        )  # fmt: skip
        return opened(spec, tmp_path / "skewed", Backstage(clock=Clock.real(ahead_s)))

    return start


async def asked(found: OpenBlazeMeter, monkeypatch: pytest.MonkeyPatch, tool: str, **arguments: Any) -> dict[str, Any]:
    """What a tool of the server says of this stand-in."""
    from mcp import Client

    from perfsuite_blazemeter.server import server

    for name, value in found.environment.items():
        monkeypatch.setenv(name, value)
    async with Client(server) as client:
        result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content[0].text  # type: ignore[union-attr]
    return dict(result.structured_content or {})


@pytest.mark.parametrize(
    ("engines_ahead_s", "said"),
    [
        (-600, ["The first sample comes before the run was created: clocks differ."]),
        (600, ["The last sample comes after the end of the run: clocks differ."]),
        (20, []),
    ],
)
async def test_engines_with_another_clock_are_told_and_their_samples_keep_their_times(
    engines_ahead_s: float,
    said: list[str],
    open_with: Callable[..., AbstractContextManager[OpenBlazeMeter]],
    artifacts: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with open_with(engines_ahead_s=engines_ahead_s) as found:
        results = await asked(found, monkeypatch, "get_run_results", run_id=str(NEWEST))
        brought = await asked(found, monkeypatch, "process_session_artifacts", run_id=str(NEWEST))
        first = next(iter(found.standin.masters)).load_window[0] + engines_ahead_s
    assert [one for one in results["notes"] if "clock" in one] == said
    assert results["windows"]["use"] == "samples"
    window = RunStore(artifacts).open(str(NEWEST)).record().window
    assert window is not None
    assert window.first_sample_at.timestamp() == pytest.approx(first, abs=0.001)
    assert brought["result"]["complete"]


async def test_a_blazemeter_with_another_clock_is_told_in_the_answer_and_not_in_the_file(
    open_with: Callable[..., AbstractContextManager[OpenBlazeMeter]], artifacts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_with(ahead_s=7200) as found:
        results = await asked(found, monkeypatch, "get_run_results", run_id=str(NEWEST))
    told = [one for one in results["notes"] if "clock" in one]
    # That it ended an hour from now is no wonder there, so nothing is said of the future.
    assert len(told) == 1
    assert told[0].startswith("BlazeMeter's clock is 71") or told[0].startswith("BlazeMeter's clock is 7200 s ahead of")
    kept = json.loads((artifacts / str(NEWEST) / "blazemeter" / "test_config.json").read_text(encoding="utf-8"))
    assert not [one for one in kept["notes"] if "clock" in one]
