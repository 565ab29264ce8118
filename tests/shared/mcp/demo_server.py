"""A server with one tool of every kind, run by the tests in this process or as a program."""

import gc
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from mcp_types import CallToolResult, ImageContent, TextContent
from pydantic import BaseModel, ConfigDict, Field

from perfsuite.artifacts import RunId
from perfsuite.errors import NotFound, NotReady
from perfsuite.mcp.confirmation import Confirm, Confirmed, asks
from perfsuite.mcp.context import AppContext
from perfsuite.mcp.jobs import JobContext, JobReport, WaitSeconds
from perfsuite.mcp.registration import CHANGES_OUTSIDE, READ_ONLY, WRITES_RUN_FOLDER
from perfsuite.mcp.server import SuiteServer, create_server
from perfsuite.settings import remember_secret

CANARY = "canary-7c1f-do-not-print"
remember_secret(CANARY)


class Sum(BaseModel):
    total: float


class Point(BaseModel):
    model_config = ConfigDict(extra="forbid")

    x: float = Field(description="where")
    title: str | None = None


class Line(BaseModel):
    points: list[Point]
    title: str


class Crunched(BaseModel):
    run_id: str
    size: int


class Work:
    """The work of the demo's long tool, held by the test that looks at it."""

    def __init__(self) -> None:
        self.may_end = threading.Event()
        self.started = threading.Event()
        self.saw_cancel = threading.Event()
        self.count = 0

    def note_cancel(self) -> None:
        self.saw_cancel.set()
        if trace := os.environ.get("DEMO_TRACE"):
            Path(trace).write_text("cancelled", encoding="utf-8")


work = Work()


def fresh_work() -> Work:
    """Forget what an earlier test did."""
    global work
    work = Work()
    return work


def add(
    a: Annotated[int, Field(description="first number", ge=0)],
    b: Annotated[int, Field(description="second number", le=100)] = 1,
) -> Sum:
    """Add two numbers.

    Use it rather than counting.
    """
    return Sum(total=a + b)


async def draw(
    points: Annotated[list[Point], Field(description="the points", min_length=1)],
    method: Annotated[Literal["linear", "cubic"], Field(description="how")] = "linear",
) -> Line:
    """Draw a line through points."""
    return Line(points=points, title=method)


def say(text: Annotated[str, Field(description="what to say")]) -> str:
    """Say something back, as text."""
    return text


async def chart() -> CallToolResult:
    """Show a chart."""
    return CallToolResult(
        content=[
            TextContent(text="charts/a.png"),
            ImageContent(data="aGk=", mime_type="image/png"),
        ]
    )


async def infinite() -> Sum:
    """Return a number that JSON does not have."""
    return Sum(total=float("nan"))


def fail(kind: Annotated[str, Field(description="how to fail")]) -> Sum:
    """Fail in one of many ways."""
    known: Mapping[str, Exception] = {
        "ours": NotReady(f"Run 'r1' has no samples, key {CANARY}.", next_step="Call `add` first."),
        "group": ExceptionGroup("both", [NotFound("No a.", next_step="Make a."), NotFound("No b.", next_step="B.")]),
        "mixed": ExceptionGroup("both", [NotFound("No a.", next_step="Make a."), ValueError("secret path")]),
        "surrogate": NotFound("No file 'a\udcffb'.", next_step="Rename it."),
        "long": NotFound("x" * 100_000, next_step="Shorten it."),
        "exit": SystemExit(3),  # type: ignore[dict-item]
        "stop": StopIteration("early"),
    }
    raise known.get(kind) or ValueError(f"something about {CANARY}")


def noise() -> Sum:
    """Write to standard output in every way there is."""
    print("a print, never flushed")  # noqa: T201
    os.write(1, b"written to descriptor 1\n")
    subprocess.run([sys.executable, "-c", "print('child says hello')"], check=True)
    return Sum(total=len(sys.stdin.read()))


def question(page: str) -> str:
    return f"Publish page {page!r}?"


async def publish(
    page: Annotated[str, Field(description="the page")],
    confirmed: Annotated[Confirmed, asks(question)],
    confirm: Confirm = False,
) -> str:
    """Publish a page."""
    return f"published {page} {confirmed}"


async def crunch(
    run_id: RunId,
    ctx: AppContext,
    size: Annotated[int, Field(description="how much")] = 1,
    wait_s: WaitSeconds = 30,
) -> JobReport[Crunched]:
    """Crunch a run's numbers."""

    def crunched(job: JobContext) -> Crunched:
        work.count += 1
        job.on_cancel(work.note_cancel)
        job.progress(1, size, "one")
        work.started.set()
        while not work.may_end.wait(0.01) and not job.cancelled:
            pass
        if size < 0:
            raise ValueError(f"size is {size}, {CANARY}")
        if job.cancelled:
            raise NotReady("stopped early", next_step="-")
        return Crunched(run_id=run_id, size=size)

    return await ctx.job(run_id, "crunch", crunched, arguments={"size": size}, wait_s=wait_s)


def stubborn(seconds: Annotated[float, Field(description="how long")]) -> Sum:
    """Work on and look at nothing."""
    threading.Event().wait(seconds)
    return Sum(total=seconds)


def where(ctx: AppContext) -> str:
    """Say where the runs are."""
    return str(ctx.settings.artifacts_dir)


async def collects_garbage() -> str:
    """Say whether memory is looked after."""
    return str(gc.isenabled())


def count_runs(ctx: AppContext) -> Sum:
    """Count the runs."""
    return Sum(total=len(ctx.runs.runs()))


PAGE = Path(__file__).parent / "demo_rules.md"


def build(environ: Mapping[str, str] | None = None) -> SuiteServer:
    demo = create_server(
        "demo",
        title="Demo",
        instructions="For tests only.",
        rules_page=str(PAGE),
        has_jobs=True,
        warm_up=("samples",),
        environ=environ,
    )
    for tool, title in ((add, "Add"), (draw, "Draw"), (fail, "Fail"), (noise, "Noise"), (infinite, "Nan")):
        demo.tool(title=title, annotations=READ_ONLY)(tool)
    for tool, title in ((say, "Say"), (chart, "Chart"), (where, "Where"), (collects_garbage, "GC")):
        demo.tool(title=title, annotations=READ_ONLY, structured_output=False)(tool)
    for tool, title in ((stubborn, "Stubborn"), (count_runs, "Count")):
        demo.tool(title=title, annotations=READ_ONLY)(tool)
    demo.tool(title="Crunch", annotations=WRITES_RUN_FOLDER)(crunch)
    demo.tool(title="Publish", annotations=CHANGES_OUTSIDE, structured_output=False)(publish)
    return demo


print("a print while importing")  # noqa: T201
server = build()
