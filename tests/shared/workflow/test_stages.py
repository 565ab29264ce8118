"""The stages and steps of the contract."""

import pytest

from perfsuite.artifacts import layout
from perfsuite.errors import NotFound
from perfsuite.workflow import stages

STEPS = {"blazemeter": 9, "jmeter": 7, "import": 3, "datadog": 3, "perfanalysis": 4, "perfreport": 4, "confluence": 5}
GATES = {
    "blazemeter": ["jmeter.log", "test-results.csv", "aggregate_performance_report.csv"],
    "jmeter": ["test-results.csv", "jmeter.log", "aggregate_performance_report.csv"],
    "import": ["samples.parquet", "import/aggregate_performance_report.csv"],
    "datadog": ["host_metrics_{host}.csv", "logs_{type}_{env}.csv"],
    "perfanalysis": [
        "performance_analysis.json",
        "infrastructure_analysis.json",
        "correlation_analysis.json",
        # Not among the contract's gates, but the step is for both: without it, nobody would be told that it lacks.
        "bottleneck_analysis.json",
        "log_analysis.json",
    ],
    "perfreport": [
        "performance_report_{run_id}.md",
        "CPU_UTILIZATION.png",
        "MEMORY_UTILIZATION.png",
        "P90_USERS.png",
    ],
    "confluence": ["publish.json"],
}


def test_the_stages_have_the_steps_of_the_contract() -> None:
    assert {stage.id: len(stage.steps) for stage in stages.ALL} == STEPS
    for stage in stages.ALL:
        assert len({step.id for step in stage.steps}) == len(stage.steps)
        assert all(step.id.replace("_", "").isalnum() and step.id.islower() for step in stage.steps)


@pytest.mark.parametrize("stage", stages.ALL, ids=lambda stage: stage.id)
def test_the_gates_are_the_files_of_the_contract(stage: stages.Stage) -> None:
    places = [gate.place for step in stage.steps for gate in step.gates]
    assert len(places) == len(GATES[stage.id])
    assert all(place.endswith(name) for place, name in zip(places, GATES[stage.id], strict=True))


@pytest.mark.parametrize("stage", stages.ALL, ids=lambda stage: stage.id)
def test_a_gate_is_written_by_a_tool_of_its_stage(stage: stages.Stage) -> None:
    tools = {tool for step in stage.steps for tool in (step.tool, *step.others)}
    for step in stage.steps:
        for gate in step.gates:
            assert all(artifact in layout.ALL for artifact in gate.artifacts)
            assert tools & set(gate.artifacts[0].written_by)


def test_only_clients_of_an_api_try_again() -> None:
    assert {stage.id for stage in stages.ALL if stage.retries} == {"blazemeter", "datadog", "confluence"}
    assert {stage.retries for stage in stages.ALL} == {0, 3}


def test_an_unknown_stage_or_step_names_the_nearest() -> None:
    with pytest.raises(NotFound, match="Name import"):
        stages.by_id("imports")
    with pytest.raises(NotFound, match="Name collect or aggregate_report or validate"):
        stages.IMPORT.step("xyz")
