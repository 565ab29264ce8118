"""`create_server`: an MCP server with everything that the servers of the suite have in common."""

import dataclasses
import inspect
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any

import anyio
from anyio.abc import ObjectReceiveStream, ObjectSendStream
from mcp.server import MCPServer
from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ResourceError, ToolError
from mcp.server.mcpserver.prompts import Prompt
from mcp.server.mcpserver.tools import Tool
from mcp.shared.exceptions import MCPError
from mcp.shared.message import SessionMessage
from mcp_types import INVALID_PARAMS, CallToolResult, GetPromptResult, Icon, InputRequiredResult, ToolAnnotations
from mcp_types import Prompt as ListedPrompt
from mcp_types import Tool as ListedTool
from pydantic import AnyUrl, Field

from perfsuite import __version__
from perfsuite.errors import BadInput, BadSettings
from perfsuite.mcp import failures, logs, resources, schemas
from perfsuite.mcp.answers import tidy
from perfsuite.mcp.arguments import as_text, unknown_arguments, unknown_tool
from perfsuite.mcp.context import AppContext, Suite
from perfsuite.mcp.heavy import WarmUp, one_at_a_time
from perfsuite.mcp.jobs import CancelReport, Jobs
from perfsuite.mcp.pages import add_page
from perfsuite.mcp.registration import WRITES_RUN_FOLDER, changes_outside, checked, off_the_loop
from perfsuite.mcp.resources import Count
from perfsuite.mcp.threads import in_thread
from perfsuite.settings import SuiteSettings

MOST_THREADS = 16
_ONLY_READS = (
    "changes something outside the run folder, and this server only reads. "
    "If the user wants it, they can start the server again without PERFSUITE_READ_ONLY=1."
)


def create_server(
    name: str,
    *,
    title: str,
    instructions: str,
    rules_page: str | None,
    has_jobs: bool = False,
    warm_up: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
) -> "SuiteServer":
    """Make the server that a server.py registers its tools on.

    `rules_page` names its page under agents-rules/, if it has one; `has_jobs` adds `cancel_job`; `warm_up` names the
    families of slow imports that its tools need; `environ` stands in for the environment.
    """
    server = SuiteServer(name, title=title, instructions=instructions, warm_up=warm_up, environ=environ)
    if rules_page is not None:
        _add_rules(server, rules_page)
    _add_run_files(server)
    if has_jobs:
        server.tool(title="Stop long work", annotations=WRITES_RUN_FOLDER)(cancel_job)
    return server


class SuiteServer(MCPServer[Suite]):
    """An MCP server that refuses what it does not know and says what to do instead."""

    def __init__(
        self,
        name: str,
        *,
        title: str,
        instructions: str,
        warm_up: Sequence[str] = (),
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._environ = environ
        self._settings = _settings_if_usable(environ)
        logs.configure(self._settings.log_level)
        super().__init__(
            name, title=title, instructions=instructions, version=__version__, lifespan=lambda _: self._opened()
        )
        self.warm_up = WarmUp(warm_up)
        self.tools: dict[str, Tool] = {}
        self.prompts: list[Prompt] = []
        self.withheld: dict[str, str] = {}
        """The tools that are not offered, each with the reason."""
        self._slots = anyio.CapacityLimiter(MOST_THREADS)
        self._carried: dict[str, SuiteServer] = {}
        self._to_carry: Callable[[], object] | None = None
        self._listed: list[ListedTool] | None = None

    def add_tool(
        self,
        fn: Callable[..., Any],
        name: str | None = None,
        title: str | None = None,
        description: str | None = None,
        annotations: ToolAnnotations | None = None,
        icons: list[Icon] | None = None,
        meta: dict[str, Any] | None = None,
        structured_output: bool | None = None,
    ) -> None:
        """Take a tool, or say what its author forgot. In read-only mode, what changes something outside is left out."""
        tool = checked(
            Tool.from_function(
                off_the_loop(fn, lambda: self._slots),
                name=name,
                title=title,
                description=inspect.cleandoc(description or fn.__doc__ or ""),
                annotations=annotations,
                icons=icons,
                meta=meta,
                structured_output=structured_output,
            )
        )
        if self._settings.read_only and changes_outside(annotations):
            self.withheld[tool.name] = _ONLY_READS
        else:
            self._take(tool)

    def add_prompt(self, prompt: Prompt) -> None:
        """Take a prompt."""
        super().add_prompt(prompt)
        self.prompts.append(prompt)

    def carry(self, other: "SuiteServer", *, only: Collection[str] | None = None, otherwise: str = "") -> None:
        """Offer the tools and prompts of another server too, which is then not run itself.

        `only` names the tools to take, of whatever server; `otherwise` says why others are not there. Every server's
        `cancel_job` is the same tool, and serves all. The files of runs are resources of every server.
        """
        for tool in other.tools.values():
            if only is not None and tool.name not in only:
                self.withheld[tool.name] = otherwise
            elif tool.name not in self.tools or self.tools[tool.name].fn is not tool.fn:
                self._take(tool)
                self._carried[tool.name] = other
        self.withheld |= other.withheld
        for prompt in other.prompts:
            self.add_prompt(prompt)
        self.warm_up = WarmUp(tuple(dict.fromkeys([*self.warm_up.families, *other.warm_up.families])))

    def carry_later(self, carry: Callable[[], object]) -> None:
        """Have this carry the others when a client asks for the first time, so that they cost nothing at the start."""
        self._to_carry = carry

    def work_in(self, slots: anyio.CapacityLimiter) -> None:
        """Let the tools, also those that are carried, work in as many threads as there is room for here."""
        self._slots = slots
        for other in set(self._carried.values()):
            other.work_in(slots)

    def _take(self, tool: Tool) -> None:
        if tool.name in self.tools:
            raise BadInput(f"There are two tools {tool.name!r}.", next_step="Rename one of them.")
        self.tools[tool.name] = tool
        self._listed = None

    def remove_tool(self, name: str) -> None:
        """Give a tool up again."""
        if self.tools.pop(name, None) is None:
            raise ToolError(unknown_tool(name, self.tools))
        self._listed = None

    async def list_tools(self) -> list[ListedTool]:
        """The tools, in as few characters as they can be described in."""
        await self._all_carried()
        if self._listed is None:
            self._listed = [_listed(tool) for tool in self.tools.values()]
        return self._listed

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Suite, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """Call a tool. Whatever goes wrong is raised as a `ToolError` that says what to do."""
        await self._all_carried()
        tool = self.tools.get(name)
        if tool is None:
            raise ToolError(failures.told(self._missing(name)))
        if fault := unknown_arguments(tool, arguments):
            raise ToolError(failures.told(fault))
        # A tool that another server brought waits for what that one needs, and not for the rest.
        await self._carried.get(name, self).warm_up.finish()
        try:
            result = await tool.run(as_text(tool, arguments), context or Context(mcp_server=self), convert_result=True)
            return tidy(result) if isinstance(result, CallToolResult) else result
        except (ToolError, ValueError) as error:
            raise failures.tool_failure(tool, error) from None

    async def list_prompts(self) -> list[ListedPrompt]:
        """The prompts, also those that are carried."""
        await self._all_carried()
        return await super().list_prompts()

    async def get_prompt(
        self, name: str, arguments: dict[str, Any] | None = None, context: Context[Suite, Any] | None = None
    ) -> GetPromptResult | InputRequiredResult:
        """A prompt, whoever brought it."""
        await self._all_carried()
        if name not in (known := [prompt.name for prompt in self.prompts]):
            raise MCPError(INVALID_PARAMS, f"There is no prompt {name!r}; there are {', '.join(known) or 'none'}.")
        return await super().get_prompt(name, arguments, context)

    async def read_resource(
        self, uri: AnyUrl | str, context: Context[Suite, Any] | None = None
    ) -> Iterable[ReadResourceContents] | InputRequiredResult:
        """Read a resource. Its MIME type is that of the file, not that of the template."""
        try:
            contents = await super().read_resource(uri, context)
        except ResourceError as error:
            raise failures.resource_failure(str(uri), error) from None
        if isinstance(contents, InputRequiredResult):
            return contents
        kind = resources.mime_type_of(str(uri).partition("?")[0])
        return [dataclasses.replace(content, mime_type=kind) for content in contents]

    async def serve_streams(
        self,
        incoming: ObjectReceiveStream[SessionMessage | Exception],
        outgoing: ObjectSendStream[SessionMessage],
    ) -> None:
        """Serve one client over these streams until it leaves."""
        # MCPServer opens standard input and output by itself and takes no streams; the server beneath it does.
        server = self._lowlevel_server
        await server.run(incoming, outgoing, server.create_initialization_options())

    async def _all_carried(self) -> None:
        if self._to_carry is not None:
            await in_thread(self._carry_now, name="carrying")
            self.work_in(self._slots)
            self.warm_up.schedule()

    def _carry_now(self) -> None:
        with one_at_a_time:
            if self._to_carry is not None:
                self._to_carry()
                self._to_carry = None

    def _missing(self, name: str) -> str:
        return f"`{name}` {self.withheld[name]}" if name in self.withheld else unknown_tool(name, self.tools)

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[Suite]:
        self.work_in(anyio.CapacityLimiter(MOST_THREADS))
        async with Jobs.opened() as jobs:
            self.warm_up.schedule()
            yield Suite(jobs, self._environ)


async def cancel_job(
    run_id: Annotated[str, Field(description="Whose work.")],
    tool: Annotated[str, Field(description="That started it.")],
    ctx: AppContext,
) -> CancelReport:
    """Stop the long work that a tool does for a run. What it has written so far stays until it is called again."""
    return await ctx.suite.jobs.cancel(run_id, tool)


def _settings_if_usable(environ: Mapping[str, str] | None) -> SuiteSettings:
    """The settings, or harmless ones: whoever calls a tool that needs the real ones is told what is wrong with them."""
    try:
        return SuiteSettings.load(environ)
    except BadSettings as error:
        logs.configure(logs.DEFAULT_LEVEL)
        logs.logger.error("%s Until then, nothing outside can be changed.", error)
        return SuiteSettings(read_only=True)


def _listed(tool: Tool) -> ListedTool:
    return ListedTool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.parameters,
        output_schema=schemas.outline(tool.output_schema) if tool.output_schema else None,
        annotations=tool.annotations,
        icons=tool.icons,
        _meta=tool.meta,
    )


def _add_rules(server: SuiteServer, page: str) -> None:
    description = f"How to work with {server.title}: which tool when, in which order, and what to look out for."
    add_page(server, page, name=f"{server.name}_rules", title=f"{server.title}: rules", description=description)


def _add_run_files(server: SuiteServer) -> None:
    @server.resource(resources.TEMPLATE, title="A file of a run", description="Any file in the folder of a run.")
    async def run_file(
        run_id: str, path: str, ctx: Context[Suite], first_line: Count = 1, lines: Count | None = None
    ) -> str | bytes:
        suite = ctx.request_context.lifespan_context
        return await in_thread(
            lambda: resources.read(suite.runs, run_id, path, first_line, lines), name="run_file"
        )  # fmt: skip
