"""What the page about everything promises is what happens when somebody follows it, with real servers and stand-ins."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from jmeter.running import PLAN, target
from perfsuite.artifacts import RunFolder, RunStore, layout
from perfsuite.sandbox.up import ENVIRONMENT, Up, Wishes, opened
from perfsuite.workflow import stages
from perfsuite.workflow.ledger import Ledger
from perfsuite_jmeter.client.engines.packages import jar_package, packaged_java
from rules.following import Follower, Toolbox, toolbox
from rules.reading import Row, page_of, placeholders, sections

SETTLED = ("done", "skipped")
SLAS = "default_sla: {response_time_sla_ms: 10000, percentile: P90}\n"
OUTCOME = {False: "Success", True: "Partial Success"}
CACHE = Path(__file__).resolve().parents[2] / ".cache" / "jmeter-tests"
pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """Stand-ins with three runs, the first of which is archived."""
    with opened(Wishes(runs=3), tmp_path_factory.mktemp("up")) as found:
        yield found


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunStore:
    monkeypatch.setenv("PERFSUITE_ARTIFACTS_DIR", str(tmp_path / "artifacts"))
    monkeypatch.setenv("PERFSUITE_CONFIG_DIR", str(tmp_path))
    return RunStore(tmp_path / "artifacts")


@pytest.fixture
def connected(up: Up, runs: RunStore, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Have the servers ask the stand-ins, of Confluence the one of this flavour."""

    def connect(mode: str) -> None:
        environment = {name: value for name, value in up.environment.items() if not name.startswith("CONFLUENCE_")}
        confluence = up.environment if mode == "cloud" else up.confluence_onprem
        environment |= {name: value for name, value in confluence.items() if name.startswith("CONFLUENCE_")}
        for name, value in environment.items():
            monkeypatch.setenv(name, value)

    return connect


class Dropped(Exception):
    """The client leaves in the middle of a run."""


class Watcher:
    """Looks after every row whether what it promised is there."""

    def __init__(self, runs: RunStore, tools: Toolbox, source: str, leaves_after: str) -> None:
        self.runs = runs
        self.tools = tools
        parts = [part for part in sections(page_of()) if part.stage not in stages.SOURCES or part.stage == source]
        self.rows = [row for part in parts for row in part.rows]
        self.seen: list[tuple[str, Row]] = []
        self.leaves_after = leaves_after

    async def __call__(self, row: Row, run_id: str) -> None:
        run = self.runs.open(run_id)
        assert [file for file in row.files if not is_there(run, file)] == []
        await self.see_ledger(run, row)
        self.seen.append((run_id, row))
        if self.leaves_after in row.tools:
            raise Dropped

    async def see_ledger(self, run: RunFolder, row: Row) -> None:
        if not await self.notes(row):
            return
        stage = stages.by_id(row.stage)
        [status] = [one for one in Ledger(run).status().stages if one.stage == stage.id]
        states = {one.step: one.state for one in status.steps}
        named = {stage.steps[number - 1].id for number, _ in row.steps}
        assert {step: states[step] for step in named if states[step] not in SETTLED} == {}
        later = self.rows[self.rows.index(row) + 1 :]
        answer = await self.tools.call("get_workflow_status", {"workflow_id": run.run_id})
        [progress] = answer.fields["runs"]
        assert progress["next_tool"] in {None, *(tool for one in later for tool in one.tools)}, progress

    async def notes(self, row: Row) -> bool:
        """Whether its calls write into the ledger; those that only look cannot."""
        listed = {tool.name: tool for one in row.tools for tool in (await self.tools.clients[one].list_tools()).tools}
        return any(not listed[tool].annotations.read_only_hint for tool in row.tools)  # type: ignore[union-attr]


def is_there(run: RunFolder, file: str) -> bool:
    """Whether the run has the file, or one in whose path the placeholders are filled."""
    path = file.replace("{run_id}", run.run_id)
    if not placeholders(path):
        return (run.root / path).stat().st_size > 0
    [artifact] = [one for one in layout.ALL if one.place == file]
    return any(artifact.match(found.relative_to(run.root).as_posix()) for found in run.root.rglob("*"))


Follow = Callable[..., Any]


@pytest.fixture
def follow(runs: RunStore) -> Follow:
    """Open all tools for somebody who follows the page, and knows what the user said."""

    @asynccontextmanager
    async def following(
        source: str, *run_ids: str, leaves_after: str = "", **said: Any
    ) -> AsyncIterator[tuple[Follower, Watcher]]:
        async with toolbox() as tools:
            watcher = Watcher(runs, tools, source, leaves_after)
            yield Follower(tools, page_of(), {"run_ids": list(run_ids), **said}, watcher), watcher

    return following


async def see_end(found: Follower, runs: RunStore) -> None:
    """Every run that went well is complete, the summary says so, and every file of the last rows is there."""
    workflow_id = found.said["workflow_id"]
    status = (await found.tools.call("get_workflow_status", {"workflow_id": workflow_id})).fields
    assert {run["run_id"] for run in status["runs"] if not run["complete"]} == set(found.failures)
    for run in status["runs"]:
        assert run["complete"] or run["problems"]
    summary = found.told[-1].fields
    assert {run["run_id"]: run["outcome"] for run in summary["runs"]} == {
        run_id: "Failed" if run_id in found.failures else "Success" for run_id in found.said["run_ids"]
    }
    assert summary["outcome"] == OUTCOME[bool(found.failures)]
    for suffix in ("json", "md"):
        assert (runs.root / f"workflows/{workflow_id}.{suffix}").stat().st_size > 0


async def test_a_run_of_blazemeter_ends_as_a_page_in_the_cloud(
    up: Up, connected: Callable[[str], None], follow: Follow, runs: RunStore
) -> None:
    connected("cloud")
    run_id = str(up.newest_run)
    publishing = {"mode": "cloud", "space": up.space, "parent": "Load test reports"}
    wanted = {"workspace": up.workspace, "environment": ENVIRONMENT, "environment_type": "hybrid", **publishing}
    async with follow("blazemeter", run_id, **wanted) as (found, watcher):
        await found.follow("blazemeter")
        await see_end(found, runs)
    assert found.failures == {}
    # Nothing of the page was left out: every row that is of this source was followed.
    followed = [row for row in watcher.rows if row.stage not in ("begin", "compare", "end")]
    assert [row for _, row in watcher.seen] == followed
    assert [question.partition(" of ")[0] for question in found.tools.questions] == ["Publish the report"]
    record = runs.open(run_id).record()
    assert {step.state for step in record.ledger} == {"done"}
    assert record.request.environment_type == "hybrid"


async def test_a_run_that_fails_lets_the_next_ones_go_on(
    up: Up, connected: Callable[[str], None], follow: Follow, runs: RunStore
) -> None:
    connected("onprem")
    archived = str(up.newest_run - 2)
    run_ids = [str(up.newest_run - 1), archived, str(up.newest_run)]
    publishing = {"mode": "onprem", "space": up.space, "parent": "Load test reports"}
    async with follow("blazemeter", *run_ids, workspace=up.workspace, **publishing) as (found, watcher):
        await found.follow("blazemeter")
        await see_end(found, runs)
    assert {run_id: stage for run_id, (stage, _) in found.failures.items()} == {archived: "blazemeter"}
    assert "archived" in found.failures[archived][1]
    [reason] = [run["reason"] for run in found.told[-1].fields["runs"] if run["run_id"] == archived]
    assert "archived" in reason
    # One run after the other: no call for one comes between those for another.
    named = [arguments["run_id"] for _, arguments in found.calls if "run_id" in arguments]
    assert list(dict.fromkeys(named)) == run_ids
    assert named == sorted(named, key=run_ids.index)
    assert found.calls[-2][0] == "compare_test_runs"
    assert "differences" in found.told[-1].fields["markdown"].lower()
    assert not any(run_id == archived and row.stage != "blazemeter" for run_id, row in watcher.seen)


@pytest.mark.skipif(jar_package() is None or packaged_java() is None, reason="there is no JMeter: the extra is missing")
async def test_a_run_of_jmeter_is_resumed_after_a_break_and_one_stage_done_again(
    follow: Follow, runs: RunStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERFSUITE_JMETER_CACHE_DIR", str(CACHE))
    monkeypatch.setenv("PERFSUITE_JMETER_HEAP", "256m")
    plan = tmp_path / "home.jmx"
    plan.write_text(PLAN, encoding="utf-8")
    with target() as service:
        said = {"plan": str(plan), "properties": {"port": str(service.port), "duration": "3"}}
        async with follow("jmeter", "home-1", leaves_after="analyze_environment_metrics", **said) as (left, _):
            with pytest.raises(Dropped):
                await left.follow("jmeter")
    assert "Start" in left.tools.questions[0]
    async with follow("jmeter", "home-1", workflow_id="home-1") as (found, watcher):
        await found.resume("jmeter")
        await see_end(found, runs)
        assert {row.stage for _, row in watcher.seen} == {"perfanalysis", "perfreport"}
        (tmp_path / "slas.yaml").write_text(SLAS, encoding="utf-8")
        assert await found.again("jmeter", "perfanalysis") == ["perfreport"]
    assert found.failures == {}
    states = {one.stage: one.state for one in Ledger(runs.open("home-1")).status().stages}
    assert states == {
        "jmeter": "done", "datadog": "skipped", "perfanalysis": "done", "perfreport": "done", "confluence": "skipped",
    }  # fmt: skip
    analysis = runs.open("home-1").load(layout.PERFORMANCE_ANALYSIS)
    assert analysis.sla is not None
    assert analysis.sla.verdict in ("pass", "warn")
