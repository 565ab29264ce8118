"""`create_server`: an MCP server with everything that the servers of the suite have in common."""

import dataclasses
import inspect
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any

import anyio
from anyio.abc import ObjectReceiveStream, ObjectSendStream
from mcp.server import MCPServer
from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ResourceError, ToolError
from mcp.server.mcpserver.tools import Tool
from mcp.shared.message import SessionMessage
from mcp_types import CallToolResult, Icon, InputRequiredResult, ToolAnnotations
from mcp_types import Tool as ListedTool
from pydantic import AnyUrl, Field

from perfsuite import __version__
from perfsuite.errors import BadInput, BadSettings
from perfsuite.mcp import failures, logs, resources, schemas
from perfsuite.mcp.answers import tidy
from perfsuite.mcp.arguments import unknown_arguments, unknown_tool
from perfsuite.mcp.context import AppContext, Suite
from perfsuite.mcp.heavy import WarmUp
from perfsuite.mcp.jobs import CancelReport, Jobs
from perfsuite.mcp.pages import add_page
from perfsuite.mcp.registration import WRITES_RUN_FOLDER, changes_outside, checked, off_the_loop
from perfsuite.mcp.resources import Count
from perfsuite.mcp.threads import in_thread
from perfsuite.settings import SuiteSettings

MOST_THREADS = 16


def create_server(
    name: str,
    *,
    title: str,
    instructions: str,
    rules_page: str,
    has_jobs: bool = False,
    warm_up: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
) -> "SuiteServer":
    """Make the server that a server.py registers its tools on.

    `rules_page` names its page under agents-rules/; `has_jobs` adds `cancel_job`; `warm_up` names the families of
    slow imports that its tools need; `environ` stands in for the environment.
    """
    server = SuiteServer(name, title=title, instructions=instructions, warm_up=warm_up, environ=environ)
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
        self._warm_up = WarmUp(warm_up)
        self._slots = anyio.CapacityLimiter(MOST_THREADS)
        self._tools: dict[str, Tool] = {}
        self._withheld: set[str] = set()
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
        if tool.name in self._tools:
            raise BadInput(f"There are two tools {tool.name!r}.", next_step="Rename one of them.")
        if self._settings.read_only and changes_outside(annotations):
            self._withheld.add(tool.name)
            return
        self._tools[tool.name] = tool
        self._listed = None

    def remove_tool(self, name: str) -> None:
        """Give a tool up again."""
        if self._tools.pop(name, None) is None:
            raise ToolError(unknown_tool(name, self._tools))
        self._listed = None

    async def list_tools(self) -> list[ListedTool]:
        """The tools, in as few characters as they can be described in."""
        if self._listed is None:
            self._listed = [_listed(tool) for tool in self._tools.values()]
        return self._listed

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Suite, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """Call a tool. Whatever goes wrong is raised as a `ToolError` that says what to do."""
        tool = self._tools.get(name)
        if tool is None:
            raise ToolError(failures.told(self._missing(name)))
        if fault := unknown_arguments(tool, arguments):
            raise ToolError(failures.told(fault))
        await self._warm_up.finish()
        try:
            result = await tool.run(arguments, context or Context(mcp_server=self), convert_result=True)
            return tidy(result) if isinstance(result, CallToolResult) else result
        except (ToolError, ValueError) as error:
            raise failures.tool_failure(tool, error) from None

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

    def _missing(self, name: str) -> str:
        if name not in self._withheld:
            return unknown_tool(name, self._tools)
        return (
            f"`{name}` changes something outside the run folder, and this server only reads. "
            "If the user wants it, they can start the server again without PERFSUITE_READ_ONLY=1."
        )

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[Suite]:
        self._slots = anyio.CapacityLimiter(MOST_THREADS)
        async with Jobs.opened() as jobs:
            self._warm_up.schedule()
            yield Suite(jobs, self._environ)


async def cancel_job(
    run_id: Annotated[str, Field(description="The run that the work is for.")],
    tool: Annotated[str, Field(description="The tool that started the work.")],
    ctx: AppContext,
) -> CancelReport:
    """Stop the long work that a tool does for a run.

    Only for work that is still going on; what it has written so far stays until the tool is called again.
    """
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
