"""One server that carries the tools of the others."""

import importlib
import re

from perfsuite.mcp.server import SuiteServer, create_server
from perfsuite_suite.choices import CORE
from perfsuite_suite.settings import AllInOneSettings

_FIRST_CLAUSE = re.compile(r"[^.:;]*")
_INTRODUCTION = "Load tests, from the run to the published page:"
_BEGIN = "Begin with `start_workflow`; `get_workflow_status` says what is left."
_LEFT_OUT = (
    "is not offered with the preset core. If the user wants it, they can start the server again without "
    "`--preset core`, or with `--only` and the servers that they need."
)


def build(settings: AllInOneSettings) -> SuiteServer:
    """The server with the tools that are chosen."""
    parts = [_server_of(name) for name in settings.servers]
    whole = create_server(
        "perfsuite", title="perfsuite", instructions=_instructions(parts), rules_page=None, has_jobs=True
    )
    for part in parts:
        whole.carry(part, only=CORE if settings.preset == "core" else None, otherwise=_LEFT_OUT)
    return whole


def _server_of(name: str) -> SuiteServer:
    server: SuiteServer = importlib.import_module(f"perfsuite_{name}.server").server
    return server


def _instructions(parts: list[SuiteServer]) -> str:
    """What every server is for, in its own first words."""
    lines = [f"- {part.title}: {_first_clause(part.instructions or '')}." for part in parts]
    has_workflows = any("start_workflow" in part.tools for part in parts)
    return "\n".join([_INTRODUCTION, *lines, *([_BEGIN] if has_workflows else [])])


def _first_clause(text: str) -> str:
    found = _FIRST_CLAUSE.match(text)
    return found[0] if found else ""


server = build(AllInOneSettings.load())
