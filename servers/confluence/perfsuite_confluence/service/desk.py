"""A connection to Confluence for the time of one call."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from perfsuite.artifacts import RunStore
from perfsuite.http import HttpSettings
from perfsuite_confluence.client.api import Confluence, connected
from perfsuite_confluence.models.entities import Mode
from perfsuite_confluence.settings import ConfluenceSettings

T = TypeVar("T")
Tell = Callable[[float, float | None, str | None], None]


@dataclass(frozen=True)
class Desk:
    """The collaborators of one call."""

    confluence: Confluence
    runs: RunStore
    site: str
    """The address that people know it by."""
    tell: Tell = lambda done, total, what: None


async def ask(mode: Mode, runs: RunStore, question: Callable[[Desk], Awaitable[T]]) -> T:
    """Ask Confluence as the environment says."""
    async with opened(mode, runs) as desk:
        return await question(desk)


@asynccontextmanager
async def opened(mode: Mode, runs: RunStore, tell: Tell | None = None) -> AsyncIterator[Desk]:
    """A desk, for as long as the block lasts."""
    settings = ConfluenceSettings.load()
    async with connected(mode, settings, HttpSettings.load()) as confluence:
        yield Desk(confluence, runs, site_of(mode, settings), *([tell] if tell else []))


def site_of(mode: Mode, settings: ConfluenceSettings) -> str:
    """The address of the site, for people and to tell one site from another."""
    service = settings.cloud if mode == "cloud" else settings.onprem
    return (settings.site_url if mode == "cloud" else None) or service.base_url
