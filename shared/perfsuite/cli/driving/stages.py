"""Which calls carry out which steps: the sequence that the pages for agents describe."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from perfsuite.artifacts import layout
from perfsuite.cli.driving.talk import Call, Facts, Talk
from perfsuite.cli.driving.wishes import Load
from perfsuite.cli.jmeter_views import findings, violations
from perfsuite.errors import BadFile, Conflict, NotReady, Refused

_PATIENT: Final = {"wait_s": 45}
_GOING_ON: Final = frozenset({"queued", "starting", "running", "stopping"})
_USABLE: Final = frozenset({"finished", "stopped", "interrupted"})


async def blazemeter(talk: Talk) -> None:
    """Nine steps by six tools; one of them again where the run went on while it was first called."""
    run = {"run_id": talk.run_id}
    workspace = talk.run.record().request.workspace
    results = Call("blazemeter", "get_run_results", {**run, "master_id": talk.wishes.master_id})
    await talk.step("find_workspace", Call("blazemeter", "get_workspaces", {**run, "workspace": workspace}))
    first = await talk.step("read_run_results", results)
    ended = Call("blazemeter", "check_test_status", {**run, **_PATIENT}, goes_on=_has_not_ended)
    await talk.step("confirm_run_ended", ended)
    if first and first[0].get("state") not in ("ended", "archived"):
        await talk.step("read_run_results", results, even_if_done=True)
    await talk.step("list_session_artifacts", Call("blazemeter", "get_artifact_file_list", run))
    bring = Call("blazemeter", "process_session_artifacts", {**run, **_PATIENT})
    await talk.step(("download", "extract", "merge"), bring)
    await talk.step(("aggregate_report", "validate"), Call("blazemeter", "get_aggregate_report", run))


async def jmeter(talk: Talk) -> None:
    """Check, start, follow and collect. What was started is found again, and never started twice."""
    if await _is_whole(talk):
        return
    load = talk.wishes.load
    if not await _is_started(talk):
        if load is None:
            raise NotReady(
                f"No JMeter test of run {talk.run_id!r} can be gone on with.", next_step="Name the plan by --plan."
            )
        await _start(talk, load)
    await _follow(talk)
    collect = Call("jmeter", "collect_jmeter_results", {"run_id": talk.run_id, **_PATIENT})
    await talk.step(("wait", "collect", "aggregate_report", "validate"), collect)


async def imported(talk: Talk) -> None:
    """Nothing is done: `perfsuite import` has brought the results, or must do so first."""
    for one in talk.status().steps:
        if one.state == "stale":
            talk.watch.warn(f"{one.title} is stale: {'; '.join(one.reasons)}")
        elif one.state != "done":
            raise NotReady(
                f"The results of run {talk.run_id!r} were not brought in: {one.title} is {one.state}.",
                next_step=f"Bring them in by `perfsuite import FILE --run-id {talk.run_id}`.",
            )
    talk.leave_alone()


async def datadog(talk: Talk) -> None:
    """What the environment holds decides what is collected."""
    if await _is_whole(talk):
        return
    run, server = {"run_id": talk.run_id}, talk.stage.id
    environment = talk.run.record().request.environment
    load = Call(server, "load_environment", {**run, "environment": environment})
    [found] = await talk.step("load_environment", load, even_if_done=True)
    names = found.get("names", {})
    wanted = {
        "get_host_metrics": names.get("hosts"),
        "get_kubernetes_metrics": names.get("services") or names.get("pods"),
        "get_kpi_timeseries": names.get("kpi_queries"),
    }
    if calls := [Call(server, tool, {**run, **_PATIENT}) for tool, there in wanted.items() if there]:
        await talk.step("metrics", *calls)
    await talk.step("logs", Call(server, "get_logs", {**run, "type": "errors", **_PATIENT}))


async def perfanalysis(talk: Talk) -> None:
    """Every analysis writes its file, also where there is little to analyse."""
    run, server = {"run_id": talk.run_id, **_PATIENT}, talk.stage.id
    profile = {"sla_profile": talk.wishes.sla_profile}
    await talk.step("test_results", Call(server, "analyze_test_results", {**run, **profile}))
    await talk.step("environment_metrics", Call(server, "analyze_environment_metrics", run))
    causes = [Call(server, tool, run) for tool in ("correlate_test_results", "identify_bottlenecks")]
    await talk.step("correlation_and_bottlenecks", *causes)
    await talk.step("logs", Call(server, "analyze_logs", run))


async def perfreport(talk: Talk) -> None:
    """The report draws its own charts first; those that must be there are drawn in any case."""
    run, server = {"run_id": talk.run_id}, talk.stage.id
    await talk.step("report", Call(server, "create_performance_test_report", {**run, **_PATIENT}))
    await talk.step("list_chart_types", Call(server, "list_chart_types", run))
    await talk.step("infrastructure_charts", *(_chart(run, name) for name in ("CPU_UTILIZATION", "MEMORY_UTILIZATION")))
    await talk.step("p90_chart", _chart(run, "P90_USERS"))


async def confluence(talk: Talk) -> None:
    """The report as a page. A step that is done leaves the key of the space and the id of the parent in the run."""
    server, wanted = talk.stage.id, talk.run.record().request.confluence
    run, mode = {"run_id": talk.run_id}, {"mode": wanted.mode}
    space = {**run, **mode, "space": wanted.space}
    await talk.step("find_space", Call(server, "list_spaces", space))
    await talk.step("space_details", Call(server, "get_space_details", space))
    await talk.step("find_parent_page", Call(server, "list_pages", {**space, "title": wanted.parent}))
    await talk.step("choose_report", Call(server, "get_available_reports", run))
    await talk.step("publish", Call(server, "publish_report", {**run, **mode, **_PATIENT}))


STAGES: Final[Mapping[str, Callable[[Talk], Awaitable[None]]]] = {
    "blazemeter": blazemeter,
    "jmeter": jmeter,
    "import": imported,
    "datadog": datadog,
    "perfanalysis": perfanalysis,
    "perfreport": perfreport,
    "confluence": confluence,
}


async def _is_whole(talk: Talk) -> bool:
    """Whether every step is done already, and shall be left so."""
    is_whole = talk.keeps and talk.status().state == "done"
    if is_whole:
        await talk.step(tuple(step.id for step in talk.stage.steps))
    return is_whole


def _chart(run: Facts, chart_id: str) -> Call:
    return Call("perfreport", "create_chart", {**run, "chart_id": chart_id}, part=chart_id)


def _has_not_ended(facts: Facts) -> bool:
    return facts.get("phase") in ("starting", "running", "ending")


async def _is_started(talk: Talk) -> bool:
    """Whether there is a test to go on with. One that never ran may be started once more."""
    if talk.run.file_or_none(layout.JMETER_SPEC.place) is None or talk.wishes.redoes(talk.stage):
        return False
    if not talk.keeps:
        raise Conflict(
            f"Run {talk.run_id!r} was tested already.",
            next_step=f"`perfsuite run --run-id {talk.run_id} --resume` goes on with that test, --from jmeter with "
            "--plan makes another one, and the earlier is kept.",
        )
    status = await talk.call(_following(talk, 0))
    return status.get("state") in _GOING_ON | _USABLE or talk.wishes.load is None


async def _start(talk: Talk, load: Load) -> None:
    asked = {
        "plan": str(load.plan),
        "properties": dict(load.properties),
        "remote_hosts": list(load.remote_hosts),
    }
    check = await talk.call(Call("jmeter", "validate_test_plan", asked))
    if check.get("valid") is False:
        raise BadFile(f"JMeter cannot run it: {' '.join(findings(check, 'error'))}", next_step="Mend the plan.")
    if check.get("allowed") is False:
        raise Refused(f"The guard rails forbid it: {' '.join(violations(check))}", next_step="Change the plan.")
    for text in findings(check, "error", "warning"):
        talk.watch.warn(text)
    again = talk.run.file_or_none(layout.JMETER_SPEC.place) is not None
    wanted = {**asked, "run_id": talk.run_id, "secret_properties": dict(load.secrets), "rerun": again}
    start = Call("jmeter", "start_jmeter_test", wanted, may_repeat=False)
    await talk.step(("validate_plan", "check_guard_rails", "start"), start, even_if_done=True)


def _following(talk: Talk, wait_s: int) -> Call:
    asked = {"run_id": talk.run_id, "wait_s": wait_s}
    return Call("jmeter", "get_jmeter_run_status", asked, goes_on=lambda facts: bool(wait_s) and _is_live(facts))


def _is_live(facts: Facts) -> bool:
    return facts.get("state") in _GOING_ON


async def _follow(talk: Talk) -> None:
    title = talk.stage.step("wait").title
    talk.watch.step(title)
    status = await talk.call(_following(talk, 45))
    state, reason = status.get("state"), status.get("reason", "")
    if state not in _USABLE:
        raise NotReady(f"The test of run {talk.run_id!r} is {state}: {reason}", next_step="Call `analyze_jmeter_log`.")
    if state != "finished":
        talk.watch.warn(f"The test of run {talk.run_id!r} was {state}, and is not whole: {reason}")
