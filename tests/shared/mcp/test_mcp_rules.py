"""Every call written in a page for agents must be one that the live tools take."""

import pytest
from mcp_types import Tool

from perfsuite.mcp.rules import check_calls
from shared.mcp import demo_server


@pytest.fixture
async def tools() -> list[Tool]:
    return await demo_server.build({}).list_tools()


@pytest.mark.parametrize(
    "page",
    [
        "Call `add(a=1)` first.",
        "Call `add(a=1, b=2)` and then `add(a=3)`.",
        "Call ``add(a=1)`` first.",
        "`add(a=...)`, `add(...)`, `add(a=first)`",
        '`crunch(run_id="{run_id}", wait_s=30)` and `crunch(run_id="<the run>")`',
        "`publish(page='p', confirm=true)`, `publish(page='p', confirm=True)`",
        '`draw(points=[{"x": 1, "title": null}], method="cubic")`',
        "`draw(points=[{'x': ...}])` and `draw(points=points(1))`",
        "`add(a=1, b=-5)`",
        "```\nadd(\n    a=1,\n    b=2,\n)\n```",
        '```python\nadd(a=1)\nsay(text="it\'s (not) closed")\n```',
        "```bash\nunknown_tool(a=1)\n```",
        "~~~json\nadd(c=1)\n~~~",
        "Not code: add(c=1).",
        "`round(1)` is no tool, and `df.add(c=1)` is a method.",
    ],
)
async def test_calls_that_the_tools_take_are_no_problem(page: str, tools: list[Tool]) -> None:
    assert check_calls(page, tools) == []


@pytest.mark.parametrize(
    ("page", "line", "said"),
    [
        ("# Page\n\n`cruch_all(a=1)`", 3, "there is no tool 'cruch_all'"),
        ("`cancel_jobs(run_id='r', tool='crunch')`", 1, "did you mean 'cancel_job'?"),
        ("`add()`", 1, "the argument 'a' is required"),
        ("`add(a=1, c=2)`", 1, "there is no argument 'c'; there are ['a', 'b']"),
        ("`add(1)`", 1, "arguments must be written by name"),
        ("`add(**arguments)`", 1, "arguments must be written by name"),
        ("`add(a='x')`", 1, "the argument 'a' is not usable: 'x' is not of type 'integer'"),
        ("`add(a=1, b=101)`", 1, "101 is greater than the maximum of 100"),
        ("`add(a=<number>)`", 1, "cannot be read as a call"),
        ("`draw(points=[{'y': 1}])`", 1, "'x' is a required property"),
        ("`draw(points=[{'x': 1}], method='spline')`", 1, "'spline' is not one of"),
        ("text\n```\nadd(\n    a=1\n)\nadd(\n    c=...\n)\n```\n", 6, "there is no argument 'c'"),
        ("```\nadd(a=1\n```", 2, "cannot be read as a call"),
        ("    text\n````\n```\nadd(c=...)\n```\n````", 4, "there is no argument 'c'"),
    ],
)
async def test_a_call_that_the_tools_would_not_take_is_named_with_its_line(
    page: str, line: int, said: str, tools: list[Tool]
) -> None:
    problems = check_calls(page, tools)

    assert {problem.line for problem in problems} == {line}
    assert any(said in str(problem) for problem in problems)


async def test_the_page_of_the_demo_fits_its_tools(tools: list[Tool]) -> None:
    assert check_calls(demo_server.PAGE.read_text(encoding="utf-8"), tools) == []
