"""A server that has looked for a JMeter, and answers as the environment says."""

import json
import os
from typing import Any

from pydantic import BaseModel

from perfsuite.errors import BadSettings
from perfsuite.mcp.context import AppContext
from perfsuite.mcp.registration import READ_ONLY
from perfsuite.mcp.server import create_server

server = create_server("engines", title="Engines", instructions="None.", rules_page="AGENTS.md")


class Report(BaseModel):
    used: dict[str, Any] | None
    candidates: list[dict[str, Any]]
    next_step: str


@server.tool(title="Check the engine", annotations=READ_ONLY)
async def check_jmeter_engine(ctx: AppContext) -> Report:
    """Say what was found."""
    await ctx.report(0.5, 1.0, "Looking")
    if "FAKE_ENGINE" not in os.environ:
        raise BadSettings("PERFSUITE_JMETER_HEAP is not usable.", next_step="Set it.")
    return Report(**json.loads(os.environ["FAKE_ENGINE"]), next_step="Do this.")
