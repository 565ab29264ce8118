"""A jmeter server without JMeter: the tools of the real one, and a run that goes as the environment says.

FAKE_RUN is a folder: `calls.jsonl` gets every call, and the run ends when `stop` appears in it. FAKE_STATES are the
states that status calls report, the last one again and again; FAKE_FAILS names a tool that refuses.
"""

import json
import os
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field

from perfsuite.artifacts import RunId
from perfsuite.errors import NotReady, Refused
from perfsuite.mcp.confirmation import Confirm, Confirmed, asks
from perfsuite.mcp.registration import CHANGES_OUTSIDE, READ_ONLY, WRITES_RUN_FOLDER
from perfsuite.mcp.server import create_server

FOLDER = Path(os.environ.get("FAKE_RUN", "."))
server = create_server(
    "jmeter", title="Fake JMeter", instructions="For tests.", rules_page=str(Path(__file__).with_name("rules.md"))
)


class Plain(BaseModel):
    """Any answer: the models of the real server have more."""

    model_config = {"extra": "allow"}


def noted(tool: str, **arguments: object) -> int:
    """Write a call down, refuse it where the test says so, and tell how often the tool was called."""
    calls = FOLDER / "calls.jsonl"
    with calls.open("a", encoding="utf-8") as file:
        file.write(f"{json.dumps({'tool': tool, **arguments})}\n")
    if os.environ.get("FAKE_FAILS") == tool:
        raise Refused("The host 'shop.example' is not allowed.", next_step="Add it to allowed_hosts.")
    return sum(json.loads(line)["tool"] == tool for line in calls.read_text(encoding="utf-8").splitlines())


def wait_at(name: str) -> None:
    """Wait until somebody has opened and closed the pipe that the environment names."""
    if pipe := os.environ.get(name):
        Path(pipe).read_bytes()


Text = Annotated[str | None, Field(description="text")]
Named = Annotated[dict[str, str] | None, Field(description="values by name")]


@server.tool(title="Check", annotations=READ_ONLY)
def validate_test_plan(
    plan: Annotated[str, Field(description="path")],
    properties: Named = None,
    remote_hosts: Annotated[tuple[str, ...], Field(description="hosts")] = (),
) -> Plain:
    """Check a plan."""
    noted("validate_test_plan", plan=plan, properties=properties, remote_hosts=remote_hosts)
    wait_at("FAKE_CHECK_GATE")
    findings = [
        {"severity": "error", "message": "The file 'users.csv' is missing.", "where": "line 7"},
        {"severity": "warning", "message": "There is no timer.", "where": None},
        {"severity": "advice", "message": "There is no cookie manager."},
        "not a finding",
    ]
    fault = os.environ.get("FAKE_CHECK", "")
    return Plain(  # type: ignore[call-arg]
        valid=fault != "invalid", allowed=fault != "forbidden", findings=findings[fault != "invalid" :],
        violations=[{"message": "The host 'shop.example' is not allowed.", "change": "See guardrails.yaml."}],
    )  # fmt: skip


def question(plan: str) -> str:
    return f"Start a load test with {Path(plan).name!r}?"


@server.tool(title="Start", annotations=CHANGES_OUTSIDE)
def start_jmeter_test(
    plan: Annotated[str, Field(description="path")],
    confirmed: Annotated[Confirmed, asks(question)],
    run_id: Text = None,
    scenario: Text = None,
    properties: Named = None,
    secret_properties: Named = None,
    remote_hosts: Annotated[tuple[str, ...], Field(description="hosts")] = (),
    rerun: Annotated[bool, Field(description="again")] = False,
    confirm: Confirm = False,
) -> Plain:
    """Start a test."""
    del confirmed, confirm
    noted(
        "start_jmeter_test", plan=plan, run_id=run_id, scenario=scenario, properties=properties,
        secret_properties=secret_properties, remote_hosts=remote_hosts, rerun=rerun,
    )  # fmt: skip
    wait_at("FAKE_GATE")
    return Plain(run_id=run_id or f"{scenario}-1", state="starting", folder="the/folder")  # type: ignore[call-arg]


@server.tool(title="Status", annotations=READ_ONLY)
def get_jmeter_run_status(
    run_id: Annotated[RunId, Field(description="run")], wait_s: Annotated[float, Field(description="s")] = 0
) -> Plain:
    """Say how a run goes."""
    number = noted("get_jmeter_run_status", run_id=run_id)
    states = os.environ.get("FAKE_STATES", "running,finished").split(",")
    state = "stopped" if (FOLDER / "stopped").exists() else states[min(number, len(states)) - 1]
    if state == "die":
        os._exit(1)
    if state == "bare":
        return Plain(state="finished", labels="none", total=None)  # type: ignore[call-arg]
    numbers: dict[str, Any] = {"samples": 120, "errors": 12, "error_rate": 0.1, "mean_ms": 51.5, "p95_ms": 80.0}
    labels = [{"label": f"GET /{n}", "kind": "sample", **numbers, "throughput_per_s": None} for n in range(31)]
    return Plain(  # type: ignore[call-arg]
        run_id=run_id, state=state, reason="It is so.", elapsed_s=4.0, time_left_s=6.0, users_now=5,
        findings=["The generator is saturated."], recent_throughput_per_s=20.5, total=numbers, labels=labels,
        labels_total=31, errors=[{"label": "GET /1", "response_code": "500", "message": "no", "count": 12}],
        generator={"latest": {"machine_cpu_pct": 93.0}}, notes=["A note."], next_step="Wait.",
    )  # fmt: skip


@server.tool(title="Stop", annotations=CHANGES_OUTSIDE)
def stop_jmeter_test(
    run_id: Annotated[RunId, Field(description="run")],
    confirmed: Annotated[Confirmed, asks(lambda run_id: f"Stop {run_id}?")],
    confirm: Confirm = False,
) -> Plain:
    """Stop a test."""
    del confirmed, confirm
    noted("stop_jmeter_test", run_id=run_id)
    if os.environ.get("FAKE_STOPS") != "never":
        (FOLDER / "stopped").touch()
    return Plain(run_id=run_id, state="stopping")  # type: ignore[call-arg]


def collect_text(run_id: Annotated[RunId, Field(description="run")]) -> str:
    """Collect, and say so in words alone."""
    return f"Collected {run_id}."


def collect_jmeter_results(run_id: Annotated[RunId, Field(description="run")]) -> Plain:
    """Collect the results."""
    number = noted("collect_jmeter_results", run_id=run_id)
    if os.environ.get("FAKE_COLLECTS") == "nothing":
        raise NotReady(f"Run {run_id!r} has no samples.", next_step="Run it again.")
    if os.environ.get("FAKE_COLLECTS") == "slowly":
        result = {"run_id": run_id, "samples": 120} if number > 1 else None
        return Plain(state="done" if result else "working", result=result)  # type: ignore[call-arg]
    counts = {"differences": ["The console counted 119."]}
    return Plain(  # type: ignore[call-arg]
        run_id=run_id, state="finished", samples=120, counts=counts, files=["jmeter/test-results.csv"],
        notes=["One row was torn."], next_step="Ask `query_samples`.",
    )  # fmt: skip


if os.environ.get("FAKE_COLLECTS") == "text":
    server.tool(name="collect_jmeter_results", title="Collect", annotations=WRITES_RUN_FOLDER, structured_output=False)(
        collect_text
    )
else:
    server.tool(title="Collect", annotations=WRITES_RUN_FOLDER)(collect_jmeter_results)
