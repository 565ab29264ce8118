"""One server that carries the tools of the others."""

import importlib

from perfsuite.mcp.server import SuiteServer, create_server
from perfsuite_suite.choices import CORE, PURPOSES
from perfsuite_suite.settings import AllInOneSettings

_INTRODUCTION = "Load tests, from the run to the published page:"
_BEGIN = "Begin with `start_workflow`; `get_workflow_status` says what is left."
_LEFT_OUT = (
    "is not offered with the preset core. If the user wants it, they can start the server again without "
    "`--preset core`, or with `--only` and the servers that they need."
)


def build(settings: AllInOneSettings) -> SuiteServer:
    """The server with the tools that are chosen."""
    lines = [_INTRODUCTION, *(f"- {PURPOSES[name]}." for name in settings.servers)]
    begin = [_BEGIN] if "perfreport" in settings.servers else []
    whole = create_server(
        "perfsuite", title="perfsuite", instructions="\n".join([*lines, *begin]), rules_page=None, has_jobs=True
    )
    whole.carry_later(lambda: _carry(whole, settings))
    return whole


def _carry(whole: SuiteServer, settings: AllInOneSettings) -> None:
    for name in settings.servers:
        part: SuiteServer = importlib.import_module(f"perfsuite_{name}.server").server
        whole.carry(part, only=CORE if settings.preset == "core" else None, otherwise=_LEFT_OUT)


server = build(AllInOneSettings.load())
