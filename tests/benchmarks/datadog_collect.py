"""Calls one tool of the datadog server until its job is done; run as a process, so that its memory is its own."""

import json
import sys
from typing import Any

import anyio
from mcp import Client

from perfsuite_datadog.server import server


async def collect(tool: str, arguments: dict[str, Any]) -> None:
    async with Client(server) as client:
        while True:
            answer = await client.call_tool(tool, arguments)
            content = answer.structured_content
            if answer.is_error or content is None:
                sys.exit(str(answer.content))
            if content["state"] == "done":
                break
    if not content["result"]["complete"]:
        sys.exit(json.dumps(content["result"]))


if __name__ == "__main__":
    anyio.run(collect, sys.argv[1], json.loads(sys.argv[2]))
