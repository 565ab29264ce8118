"""Long work: it outlives the call, is joined by the next one, and never wedges the server."""

import threading
from typing import Any

import anyio
import anyio.to_thread
import pytest
from mcp import Client
from mcp_types import CallToolResult, TextContent

from perfsuite.errors import Conflict, LimitExceeded, NotFound, NotReady
from perfsuite.mcp.jobs import MOST_FINISHED, MOST_RUNNING, JobContext, JobReport, Jobs
from shared.mcp.conftest import Connect
from shared.mcp.demo_server import CANARY, Work

PATIENCE_S = 30


def text_of(result: CallToolResult) -> str:
    assert isinstance(result.content[0], TextContent)
    return result.content[0].text


async def happened(event: threading.Event) -> None:
    assert await anyio.to_thread.run_sync(event.wait, PATIENCE_S)


async def crunch(client: Client, **arguments: Any) -> CallToolResult:
    return await client.call_tool("crunch", {"run_id": "r1", **arguments})


async def test_quick_work_is_done_in_one_call(connect: Connect, work: Work) -> None:
    work.may_end.set()
    async with connect() as client:
        result = await crunch(client)

    assert result.structured_content
    assert result.structured_content["state"] == "done"
    assert result.structured_content["result"] == {"run_id": "r1", "size": 1}
    assert result.structured_content.keys() == {"state", "result", "elapsed_s"}


async def test_the_same_call_again_joins_the_work_and_then_gets_its_result(connect: Connect, work: Work) -> None:
    async with connect() as client:
        first = await crunch(client, wait_s=0)
        await happened(work.started)
        second = await crunch(client, wait_s=0)
        work.may_end.set()
        third = await crunch(client)

    reports = [result.structured_content for result in (first, second, third)]
    assert [report["state"] for report in reports if report] == ["working", "working", "done"]
    assert reports[1] is not None
    assert (reports[1]["done"], reports[1]["message"]) == (1.0, "one")
    assert "Call `crunch` again" in reports[1]["next_step"]
    assert work.count == 1


async def test_after_its_result_was_told_the_same_call_starts_anew(connect: Connect, work: Work) -> None:
    work.may_end.set()
    async with connect() as client:
        await crunch(client)
        await crunch(client)

    assert work.count == 2


async def test_other_arguments_while_it_works_are_a_conflict(connect: Connect, work: Work) -> None:
    async with connect() as client:
        await crunch(client, wait_s=0, size=1)
        result = await crunch(client, wait_s=0, size=2)
        other_run = await client.call_tool("crunch", {"run_id": "r2", "size": 2, "wait_s": 0})

    assert result.is_error
    assert "`crunch` is running for run 'r1' already, with other values of size." in text_of(result)
    assert not other_run.is_error


async def test_work_that_fails_is_told_to_the_next_caller_and_the_server_goes_on(
    connect: Connect, work: Work, caplog: pytest.LogCaptureFixture
) -> None:
    async with connect() as client:
        await crunch(client, size=-1, wait_s=0)
        work.may_end.set()
        failed = await crunch(client, size=-1)
        again = await crunch(client, size=1)

    assert failed.is_error
    assert "failed inside" in text_of(failed)
    assert CANARY not in text_of(failed)
    assert "size is -1" in caplog.text
    assert again.structured_content
    assert again.structured_content["state"] == "done"


async def test_cancelling_stops_the_work(connect: Connect, work: Work) -> None:
    async with connect() as client:
        await crunch(client, wait_s=0)
        await happened(work.started)
        cancelled = await client.call_tool("cancel_job", {"run_id": "r1", "tool": "crunch"})
        work.may_end.set()
        anew = await crunch(client)

    assert work.saw_cancel.is_set()
    assert cancelled.structured_content
    assert cancelled.structured_content["state"] == "cancelled"
    assert anew.structured_content
    assert anew.structured_content["state"] == "done"


async def test_those_who_wait_are_told_that_the_work_was_cancelled(connect: Connect, work: Work) -> None:
    told: list[CallToolResult] = []

    async def wait(client: Client) -> None:
        told.append(await crunch(client))

    async with connect() as client, anyio.create_task_group() as tasks:
        tasks.start_soon(wait, client)
        await happened(work.started)
        await client.call_tool("cancel_job", {"run_id": "r1", "tool": "crunch"})

    assert told[0].is_error
    assert "was cancelled" in text_of(told[0])


async def test_cancelling_nothing_says_what_there_is(connect: Connect, work: Work) -> None:
    async with connect() as client:
        await crunch(client, wait_s=0)
        result = await client.call_tool("cancel_job", {"run_id": "r2", "tool": "crunch"})

    assert result.is_error
    assert "`crunch` for 'r1'" in text_of(result)


async def test_cancelling_where_nothing_runs_says_that_there_is_nothing_to_stop(connect: Connect) -> None:
    async with connect() as client:
        result = await client.call_tool("cancel_job", {"run_id": "r2", "tool": "crunch"})
    assert text_of(result) == ("No job of `crunch` runs for run 'r2', and no other either. There is nothing to stop.")


async def test_a_client_that_gives_up_waiting_does_not_stop_the_work(connect: Connect, work: Work) -> None:
    async with connect() as client:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(crunch, client)
            await happened(work.started)
            tasks.cancel_scope.cancel()
        work.may_end.set()
        result = await crunch(client)

    assert result.structured_content
    assert result.structured_content["state"] == "done"
    assert not work.saw_cancel.is_set()
    assert work.count == 1


async def test_the_caller_is_told_how_far_the_work_is(connect: Connect, work: Work) -> None:
    seen: list[tuple[float, float | None, str | None]] = []

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        seen.append((progress, total, message))
        work.may_end.set()

    async with connect() as client:
        await client.call_tool("crunch", {"run_id": "r1", "size": 9}, progress_callback=on_progress)

    assert seen == [(1.0, 9.0, "one")]


async def test_work_still_going_on_when_the_client_leaves_is_cancelled(connect: Connect, work: Work) -> None:
    async with connect() as client:
        await crunch(client, wait_s=0)
        await happened(work.started)

    assert work.saw_cancel.is_set()


async def run(jobs: Jobs, work: Any, *, run_id: str = "r", wait_s: float = PATIENCE_S, **arguments: Any) -> Any:
    return await jobs.run(run_id, "tool", work, arguments=arguments, wait_s=wait_s)


async def test_async_work_is_cancelled_where_it_waits() -> None:
    async def wait_for_ever(job: JobContext) -> None:
        await anyio.sleep_forever()

    async with Jobs.opened() as jobs:
        await run(jobs, wait_for_ever, wait_s=0)
        report = await jobs.cancel("r", "tool")

    assert report.state == "cancelled"


async def test_async_work_that_fails_raises_for_its_caller() -> None:
    async def fail(job: JobContext) -> None:
        raise NotReady("Not yet.", next_step="Wait.")

    async with Jobs.opened() as jobs:
        with pytest.raises(NotReady):
            await run(jobs, fail)


async def test_progress_only_ever_grows() -> None:
    may_go_on = [threading.Event(), threading.Event()]
    told: list[float] = []

    def work(job: JobContext) -> None:
        job.progress(5, 10)
        may_go_on[0].wait(PATIENCE_S)
        job.progress(3, 10)
        job.progress(6, 10)
        may_go_on[1].wait(PATIENCE_S)

    async def report(done: float, total: float | None, message: str | None) -> None:
        told.append(done)
        may_go_on[len(told) - 1].set()

    async with Jobs.opened() as jobs:
        await jobs.run("r", "tool", work, arguments={}, wait_s=PATIENCE_S, report=report)

    assert told == [5, 6]


async def test_work_that_looks_at_nothing_is_left_behind() -> None:
    may_end = threading.Event()
    async with Jobs.opened(grace_s=0.05) as jobs:
        await run(jobs, lambda job: may_end.wait(PATIENCE_S), wait_s=0)
        report = await jobs.cancel("r", "tool", wait_s=0.01)
        with pytest.raises(Conflict, match="other values of size"):
            await run(jobs, lambda job: None, size=2)

    may_end.set()
    assert report.state == "stopping"


async def test_work_that_ends_before_it_sees_the_cancel_has_a_result() -> None:
    def work(job: JobContext) -> str:
        asked = threading.Event()
        job.on_cancel(asked.set)
        assert asked.wait(PATIENCE_S)
        assert job.cancelled
        return "done after all"

    async with Jobs.opened() as jobs:
        await run(jobs, work, wait_s=0.05)
        report = await jobs.cancel("r", "tool")
        told: JobReport[str] = await run(jobs, work)

    assert report.state == "finished"
    assert told.result == "done after all"


async def test_a_callback_that_fails_does_not_keep_others_from_being_called(caplog: pytest.LogCaptureFixture) -> None:
    called = threading.Event()

    def fail() -> None:
        raise ValueError("no")

    job = JobContext()
    job.on_cancel(fail)
    job.on_cancel(called.set)
    job.cancel()
    job.cancel()

    assert called.is_set()
    assert caplog.text.count("ValueError: no") == 1


def test_a_callback_that_comes_too_late_is_called_at_once() -> None:
    called = threading.Event()
    job = JobContext()
    job.cancel()
    job.on_cancel(called.set)

    assert called.is_set()


async def test_so_many_jobs_at_a_time_and_no_more() -> None:
    async with Jobs.opened() as jobs:

        async def wait(job: JobContext) -> None:
            await anyio.sleep_forever()

        for number in range(MOST_RUNNING):
            await run(jobs, wait, run_id=f"s{number}", wait_s=0)
        with pytest.raises(LimitExceeded, match="`tool` for 's0'"):
            await run(jobs, wait, run_id="one-more")


async def test_results_that_nobody_fetches_are_forgotten_in_the_end() -> None:
    done: list[int] = []
    async with Jobs.opened() as jobs:
        for number in range(MOST_FINISHED + 5):
            finished = anyio.Event()

            async def work(job: JobContext, number: int = number, finished: anyio.Event = finished) -> None:
                done.append(number)
                finished.set()

            await run(jobs, work, run_id=f"r{number}", wait_s=0)
            await finished.wait()
            await anyio.wait_all_tasks_blocked()
        with pytest.raises(NotFound):
            await jobs.cancel("r0", "tool")
        newest = await jobs.cancel(f"r{MOST_FINISHED}", "tool")

    assert newest.state == "finished"
    assert len(done) == MOST_FINISHED + 5


async def test_a_finished_job_with_other_arguments_gives_way() -> None:
    async with Jobs.opened() as jobs:
        started = anyio.Event()

        async def work(job: JobContext) -> str:
            started.set()
            return "result"

        await run(jobs, work, wait_s=0, size=1)
        await started.wait()
        await anyio.wait_all_tasks_blocked()
        told = await run(jobs, work, size=2)

    assert told.result == "result"
