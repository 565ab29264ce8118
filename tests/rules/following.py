"""Somebody who knows the page, what the user said and what tools answered, and does what the page says."""

import ast
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Final

from mcp import Client
from mcp_types import ElicitRequestParams, ElicitResult, TextContent

from rules.reading import Row, Section, placeholders, sections
from suite.repository import servers

_JSON: Final = {"true": True, "false": False, "null": None}
_GOING_ON: Final = frozenset({"working", "queued", "starting", "running", "stopping", "ending"})
_SOURCES: Final = ("blazemeter", "jmeter", "import")
_NOTHING: Final = object()


@dataclass(frozen=True)
class Answer:
    """What a tool said."""

    is_error: bool
    text: str
    fields: dict[str, Any]


@dataclass
class Toolbox:
    """The tools of all servers, as a client that knows them all sees them."""

    clients: dict[str, Client] = field(default_factory=dict)
    questions: list[str] = field(default_factory=list)
    """What the user was asked, and agreed to."""

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> Answer:
        result = await self.clients[tool].call_tool(tool, dict(arguments))
        text = "\n".join(block.text for block in result.content if isinstance(block, TextContent))
        return Answer(bool(result.is_error), text, dict(result.structured_content or {}))

    async def agree(self, context: Any, params: ElicitRequestParams) -> ElicitResult:
        self.questions.append(params.message)
        return ElicitResult(action="accept", content={"agreed": True})


@asynccontextmanager
async def toolbox() -> AsyncIterator[Toolbox]:
    """Every server of the suite, each with a client of its own."""
    found = Toolbox()
    async with AsyncExitStack() as stack:
        for name in servers():
            module = import_module(f"perfsuite_{name}.server")
            client = await stack.enter_async_context(Client(module.server, elicitation_callback=found.agree))
            found.clients |= {tool.name: client for tool in (await client.list_tools()).tools}
        yield found


Watch = Callable[[Row, str], Awaitable[None]]


@dataclass
class Follower:
    """Follows a page. `said` is what the user said; what answers tell is added where the page asks for it."""

    tools: Toolbox
    page: str
    said: dict[str, Any]
    watch: Watch
    """Called after every row of a run that went well, with the run's id."""
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    failures: dict[str, tuple[str, str]] = field(default_factory=dict)
    """By run: the stage that failed, and the error."""
    told: list[Answer] = field(default_factory=list)

    async def follow(self, source: str) -> None:
        """Begin, take every run through all stages, one after the other, and end."""
        [begin, *stages, compare, end] = self._parts(source)
        await self._do(begin.rows, self.said)
        for run_id in self.said["run_ids"]:
            await self._run(run_id, stages)
        analysed = [run_id for run_id in self.said["run_ids"] if run_id not in self.failures]
        self.said |= {"baseline": analysed[0], "others": analysed[1:]} if analysed else {}
        await self._do((*compare.rows, *end.rows), self.said)

    async def resume(self, source: str) -> None:
        """Go on with a workflow: every run from the first row of the stage whose tool comes next, and end."""
        [_, *stages, _, end] = self._parts(source)
        for run in await self._progress():
            if run["next_tool"]:
                first = next(number for number, part in enumerate(stages) if run["next_tool"] in part.tools)
                await self._run(run["run_id"], stages[first:])
        await self._do(end.rows, self.said)

    async def again(self, source: str, stage: str) -> list[str]:
        """Do one stage of every run again, then those that are stale after it; the names of these."""
        stale = list[str]()
        for run_id in self.said["run_ids"]:
            await self._run(run_id, [part for part in self._parts(source) if part.stage == stage])
            [run] = [one for one in await self._progress() if one["run_id"] == run_id]
            stale += [one for one, state in run["stages"].items() if state == "stale"]
            await self._run(run_id, [part for part in self._parts(source) if part.stage in stale])
        return stale

    async def _progress(self) -> list[dict[str, Any]]:
        answer = await self.tools.call("get_workflow_status", {"workflow_id": self.said["workflow_id"]})
        return list(answer.fields["runs"])

    def _parts(self, source: str) -> list[Section]:
        return [part for part in sections(self.page) if part.stage == source or part.stage not in _SOURCES]

    async def _run(self, run_id: str, stages: list[Section]) -> None:
        known = {**self.said, "run_id": run_id}
        for part in stages:
            for row in part.rows:
                error = await self._row(row, known)
                if error is not None:
                    self.failures[run_id] = (row.stage, error)
                    return
                if _is_wanted(row, known):
                    await self.watch(row, run_id)

    async def _do(self, rows: tuple[Row, ...], known: dict[str, Any]) -> None:
        for row in rows:
            error = await self._row(row, known)
            assert error is None, error

    async def _row(self, row: Row, known: dict[str, Any]) -> str | None:
        """Make the calls of a row; the error of the first that fails."""
        if not _is_wanted(row, known):
            return None
        for call in row.calls:
            answer = await self._call(call, known, waits=row.waits)
            if answer.is_error:
                return answer.text
            asked_for = placeholders(self.page)
            known |= {name: value for name, value in _told(answer.fields) if name in asked_for and not known.get(name)}
        return None

    async def _call(self, call: str, known: Mapping[str, Any], *, waits: bool) -> Answer:
        tool, arguments = filled(call, known)
        while True:
            self.calls.append((tool, arguments))
            answer = await self.tools.call(tool, arguments)
            self.told.append(answer)
            state = answer.fields.get("phase" if waits and "phase" in answer.fields else "state")
            goes_on = state == "working" or (waits and state in _GOING_ON)
            if answer.is_error or not goes_on:
                return answer


def filled(call: str, known: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The tool and the arguments of a call, without those that nobody gave."""
    node = ast.parse(call, mode="eval").body
    assert isinstance(node, ast.Call)
    assert isinstance(node.func, ast.Name)
    given = ((keyword.arg or "", _value(keyword.value, known)) for keyword in node.keywords)
    return node.func.id, {name: value for name, value in given if value is not _NOTHING}


def _value(node: ast.expr, known: Mapping[str, Any]) -> Any:
    if isinstance(node, ast.Name):
        return _JSON[node.id]
    text = ast.unparse(node) if isinstance(node, ast.Set) else ast.literal_eval(node)
    names = placeholders(text) if isinstance(text, str) else set()
    if not names:
        return text
    [name] = names
    return known.get(name) or _NOTHING


def _is_wanted(row: Row, known: Mapping[str, Any]) -> bool:
    return all(any(known.get(name) for name in group) for group in row.needs)


def _told(fields: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every field of an answer, those of its parts after its own."""
    yield from fields.items()
    for value in fields.values():
        if isinstance(value, Mapping):
            yield from _told(value)
