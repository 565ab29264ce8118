"""What `perfsuite doctor` learns by asking the servers, all at once: whether they answer, which JMeter there is, and
whether the accounts that the environment names can be used."""

import os
import sysconfig
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import anyio

from perfsuite.cli import output
from perfsuite.cli.accounts import ACCOUNTS, Account, remember_secrets
from perfsuite.samples.engine import Progress
from perfsuite.samples.rows import printable

if TYPE_CHECKING:
    from mcp.client import Client

_PATIENCE_S: Final = 30
# A JMeter that was never tried on this machine is put together first, and tried with every Java there is.
_ENGINE_PATIENCE_S: Final = 240
_ENGINE_TOOL: Final = "check_jmeter_engine"
_JMETER: Final = "jmeter-mcp"
_ACCOUNT_PATIENCE_S: Final = 25
# The server gives up before that, and knows why.
_DEADLINES: Final = {"PERFSUITE_CALL_DEADLINE_S": "20", "PERFSUITE_HTTP_DEADLINE_S": "20"}
_LONGEST: Final = 1_000


@dataclass(frozen=True)
class Finding:
    """One thing that was tried."""

    check: str
    state: Literal["ok", "unset", "warning", "broken"]
    """`unset` is an account that nobody has configured, which is no mistake."""
    found: str
    next_step: str = ""


def ask_all_servers() -> list[Finding]:
    """Ask every server that this installation brings."""
    remember_secrets()
    scripts = distribution("perfsuite").entry_points.select(group="console_scripts")
    folder = Path(sysconfig.get_path("scripts"))
    commands = {name: [str(folder / name)] for name in sorted(scripts.names) if name.endswith("-mcp")}
    return _asked(commands)


def ask_server(name: str, *command: str) -> list[Finding]:
    """Ask one server, started by this command."""
    return _asked({name: command})


def _asked(commands: Mapping[str, Sequence[str]]) -> list[Finding]:
    with ExitStack() as stack:
        return anyio.run(_ask_together, commands, stack.enter_context(output.progress_bar()))


async def _ask_together(commands: Mapping[str, Sequence[str]], tell: Progress) -> list[Finding]:
    found: dict[str, list[Finding]] = {}

    async def ask(name: str) -> None:
        found[name] = await _findings_of(name, commands[name], tell)

    async with anyio.create_task_group() as tasks:
        for name in commands:
            tasks.start_soon(ask, name)
    return [finding for name in commands for finding in found[name]]


async def _findings_of(name: str, command: Sequence[str], tell: Progress) -> list[Finding]:
    """What one server says: that it is there, and about what only it knows."""
    from mcp.client import Client
    from mcp.client.stdio import StdioServerParameters

    # Without the environment, the server would not see JMETER_HOME and the like.
    environ = {**os.environ, **_DEADLINES}
    wire = StdioServerParameters(command=command[0], args=list(command[1:]), env=environ)
    try:
        with anyio.fail_after(_PATIENCE_S) as limit:
            async with Client(wire) as client:
                tools = [tool.name for tool in (await client.list_tools()).tools]
                there = Finding(name, "ok", f"answers over stdio with {len(tools)} tools")
                limit.deadline += _ENGINE_PATIENCE_S
                return [there, *await _engine(client, name, tools, tell), *await _accounts(client, name)]
    except FileNotFoundError:
        return [Finding(name, "broken", f"the command {command[0]} is missing", "Install perfsuite again.")]
    except Exception as error:  # noqa: BLE001 - whatever a server dies of is what doctor is for
        told = printable(repr(error))
        return [Finding(name, "broken", f"does not answer: {told}", f"Run `{name}` in a terminal to see why.")]


async def _engine(client: "Client", name: str, tools: Sequence[str], tell: Progress) -> list[Finding]:
    """The JMeter that the server found. The all-in-one has the same tool, and would find the same."""
    if name != _JMETER or _ENGINE_TOOL not in tools:
        return []

    async def told(progress: float, total: float | None, message: str | None) -> None:
        tell(message or "", progress / (total or 1.0))

    report, said = _content(await client.call_tool(_ENGINE_TOOL, progress_callback=told))
    if report is None:
        return [Finding("JMeter", "broken", said, f"Run `{_JMETER}` in a terminal to see why.")]
    engine = report["used"]
    passed_over = [f"{one['source']}: {one['reason']}" for one in report["candidates"] if not one["usable"]]
    if engine is None:
        return [Finding("JMeter", "warning", f"none that works; {'; '.join(passed_over)}", report["next_step"])]
    found = f"JMeter {engine['version']} ({engine['source']}) on Java {engine['java_version']}, in {engine['home']}"
    problems = "".join(f"; {problem}" for problem in [engine["groovy_problem"], *passed_over] if problem)
    if problems:
        return [Finding("JMeter", "warning", found + problems, report["next_step"])]
    return [Finding("JMeter", "ok", found)]


async def _accounts(client: "Client", name: str) -> list[Finding]:
    """The accounts of this server. The all-in-one has them all, and they are tried once."""
    return [await _account(client, one) for one in ACCOUNTS if name == f"{one.server}-mcp"]


async def _account(client: "Client", account: Account) -> Finding:
    if not account.is_configured(os.environ):
        return Finding(account.title, "unset", f"not configured: {account.wanted(os.environ)}")
    way = account.likeliest(os.environ)
    with anyio.move_on_after(_ACCOUNT_PATIENCE_S):
        answer, said = _content(await client.call_tool(account.tool, dict(way.arguments)))
        if answer is None:
            return Finding(account.title, "broken", said, "Then run `perfsuite doctor` again.")
        return Finding(account.title, *account.read(answer))
    return Finding(
        account.title, "broken", f"no answer within {_ACCOUNT_PATIENCE_S} s", "Check the network, then try again."
    )


def _content(answer: Any) -> tuple[dict[str, Any] | None, str]:
    """What a tool answered, or why it did not."""
    said = " ".join(block.text for block in answer.content if block.type == "text")
    return answer.structured_content, printable(said, _LONGEST)
