"""The servers of the suite, each started when it is first asked, and all ended at the end.

A server that dies in the middle of a call is started again, once, and the call is repeated where that is harmless: what
it does is kept in the run folder, and not in the server.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import anyio
from anyio.abc import TaskGroup

from perfsuite.cli.session import Answer, Consent, Progress, Server, outcome_of, server_command, with_server
from perfsuite.errors import PerfsuiteError, Unreachable

T = TypeVar("T")


@dataclass(frozen=True)
class Terms:
    """How servers are started: who answers their questions, who is told of trouble, and what they see around them."""

    consent: Consent
    warn: Callable[[str], None]
    environ: Mapping[str, str]


@dataclass
class _Held:
    """A server that is kept by a task of its own, because a connection must end where it began."""

    ready: anyio.Event = field(default_factory=anyio.Event)
    let_go: anyio.Event = field(default_factory=anyio.Event)
    gone: anyio.Event = field(default_factory=anyio.Event)
    server: Server | None = None
    failure: PerfsuiteError | None = None


class Servers:
    """Made by `with_servers`."""

    def __init__(self, tasks: TaskGroup, terms: Terms) -> None:
        self._tasks = tasks
        self._terms = terms
        self._held: dict[str, _Held] = {}

    async def call(
        self,
        name: str,
        tool: str,
        arguments: Mapping[str, Any],
        *,
        may_repeat: bool = True,
        next_step: str,
        progress: Progress | None = None,
    ) -> Answer:
        """What a tool of a server answers, or an error in the tool's own words."""
        server = await self._server(name)
        try:
            return await server.call(tool, arguments, next_step=next_step, tell=progress)
        except Unreachable:
            await self._drop(name)
            if not may_repeat:
                raise
        self._terms.warn(f"The {name} server ended during `{tool}`. It was started again, and the call repeated.")
        server = await self._server(name)
        return await server.call(tool, arguments, next_step=next_step, tell=progress)

    def close(self) -> None:
        """Let go of all of them."""
        for held in self._held.values():
            held.let_go.set()

    async def _server(self, name: str) -> Server:
        held = self._held.get(name)
        if held is None:
            held = self._held[name] = _Held()
            self._tasks.start_soon(self._hold, name, held)
        await held.ready.wait()
        if held.server is None:
            del self._held[name]
            raise held.failure or Unreachable(f"The {name} server ended at once.", next_step="Run `perfsuite doctor`.")
        return held.server

    async def _drop(self, name: str) -> None:
        if held := self._held.pop(name, None):
            held.let_go.set()
            await held.gone.wait()

    async def _hold(self, name: str, held: _Held) -> None:
        async def keep(server: Server) -> None:
            held.server = server
            held.ready.set()
            await held.let_go.wait()

        try:
            await with_server(name, server_command(name), self._terms.consent, keep, self._terms.environ)
        except PerfsuiteError as error:
            held.failure = error
        finally:
            held.ready.set()
            held.gone.set()


async def with_servers(terms: Terms, work: Callable[[Servers], Awaitable[T]]) -> T:
    """Do this work with the servers."""
    async with anyio.create_task_group() as tasks:
        servers = Servers(tasks, terms)
        try:
            found = await outcome_of(work, servers)
        finally:
            servers.close()
    if isinstance(found, PerfsuiteError):
        raise found
    return found
