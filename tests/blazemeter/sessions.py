"""Bringing the sessions of a run, without the protocol around it."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from perfsuite.artifacts import RunStore
from perfsuite.http import HttpSettings
from perfsuite_blazemeter.client.api import BlazeMeter, connected
from perfsuite_blazemeter.client.downloads import Patience
from perfsuite_blazemeter.models.artifacts import ProcessedArtifacts
from perfsuite_blazemeter.service.sessions import SessionsRequest, process_sessions
from perfsuite_blazemeter.service.sessions_book import Watch
from perfsuite_blazemeter.service.sessions_download import Fetching
from perfsuite_blazemeter.settings import BlazeMeterSettings


def asking() -> AbstractAsyncContextManager[BlazeMeter]:
    """BlazeMeter as the environment names it."""
    return connected(BlazeMeterSettings.load(), HttpSettings.load())


async def at_once(_seconds: float) -> None:
    """Wait for nothing."""


def bring(
    runs: RunStore, run_id: object, *, partial: bool = False, watch: Watch | None = None, **fetching: Any
) -> ProcessedArtifacts:
    """Bring the sessions of a run, waiting for no archive longer than its answers take."""
    how: dict[str, Any] = {"sleep": at_once, "patience": Patience((1, 1)), **fetching}
    request = SessionsRequest(str(run_id), partial=partial)
    return process_sessions(runs, request, Fetching(asking, **how), watch)


def told(into: list[str]) -> Watch:
    """Someone who writes down what is said."""
    return Watch(tell=lambda _share, what: into.append(what))


Fault = Callable[..., None]
