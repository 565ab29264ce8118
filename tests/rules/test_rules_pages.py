"""What the pages for agents say is true of the tools, the layout and the stages, and short enough to be read."""

import re
from importlib import import_module

import pytest

from perfsuite.artifacts import layout
from perfsuite.artifacts.comparisons import COMPARISON
from perfsuite.mcp.pages import Page, pages
from perfsuite.mcp.rules import check_calls
from perfsuite.workflow import stages
from perfsuite.workflow.stages import Gate, Stage
from perfsuite_datadog.service.configured import ENVIRONMENTS
from perfsuite_perfanalysis.models.slas import FILE as SLAS
from perfsuite_perfreport.models.workflow import SUMMARY, WORKFLOW
from rules.reading import Section, files_in, names_in, page_of, placeholders, sections
from suite.generated import tools
from suite.repository import production_modules, servers

LONGEST = 6000
PAGES = [pytest.param(page, id=page.server or "workflow") for page in pages()]
WITH_SERVER = [pytest.param(name, id=name) for name in servers()]
CALLED = [stage for stage in stages.ALL if stage is not stages.IMPORT]
"""The stages that tools carry out."""
# Beside the run folders, and what users write.
OTHERS = {
    WORKFLOW.place.replace("{run_id}", "workflows/{workflow_id}"),
    SUMMARY.place.replace("{run_id}", "workflows/{workflow_id}"),
    f"comparisons/{{comparison_id}}/{COMPARISON.place}",
    ENVIRONMENTS,
    SLAS,
}


def section_of(page: str, stage: str) -> Section:
    [found] = [one for one in sections(page) if one.stage == stage]
    return found


def is_of_layout(path: str) -> bool:
    """Whether it is the place of a file of a run, with placeholders or filled, or seen from the report."""
    inside = path.removeprefix("../")
    return any(inside == one.place or one.match(inside) for one in layout.ALL)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_short_enough_to_be_read_every_time(page: Page) -> None:
    assert len(page.text) <= LONGEST


@pytest.mark.parametrize("page", PAGES)
def test_every_call_would_be_taken_by_the_tools(page: Page) -> None:
    known = [tool for name in ([page.server] if page.server else servers()) for tool in tools(name)]
    own = {tool.name for tool in known}
    others = [tool for name in servers() for tool in tools(name) if tool.name not in own]
    assert [str(problem) for problem in check_calls(page.text, [*known, *others])] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_file_is_one_of_the_layout(page: Page) -> None:
    assert {path for path in files_in(page.text) - OTHERS if not is_of_layout(path)} == set()


@pytest.mark.parametrize("page", PAGES)
def test_every_name_is_one_that_the_code_knows(page: Page) -> None:
    words = {word for module in production_modules() for word in re.findall(r"\w+", module.read_text(encoding="utf-8"))}
    assert names_in(page.text) - words == set()


@pytest.mark.parametrize("stage", CALLED, ids=lambda one: one.id)
def test_the_steps_of_a_stage_are_those_of_the_ledger(stage: Stage) -> None:
    section = section_of(page_of(), stage.id)
    assert section.steps == len(stage.steps)
    listed = {step for row in section.rows for step in row.steps}
    assert listed == {(number, step.title) for number, step in enumerate(stage.steps, start=1)}
    assert [number for row in section.rows for number, _ in row.steps] == sorted(
        n for row in section.rows for n, _ in row.steps
    )


def test_the_numbers_of_steps_are_said_as_they_are() -> None:
    numbers = [len(stage.steps) for stage in (stages.BLAZEMETER, *stages.FOLLOWING)]
    said = " ".join(page_of().split())
    assert f"{', '.join(map(str, numbers))}, with JMeter {len(stages.JMETER.steps)} in place of {numbers[0]}" in said
    assert f"`perfsuite import FILE --run-id ID` does those {len(stages.IMPORT.steps)} steps" in said


@pytest.mark.parametrize("stage", CALLED, ids=lambda one: one.id)
def test_the_calls_of_a_step_are_those_that_carry_it_out(stage: Stage) -> None:
    section = section_of(page_of(), stage.id)
    for number, step in enumerate(stage.steps, start=1):
        called = {tool for row in section.rows if number in dict(row.steps) for tool in row.tools}
        assert step.tool in called
        may = {tool for row in section.rows for n, _ in row.steps if n == number for tool in row.tools}
        shared = {stage.steps[n - 1] for row in section.rows if number in dict(row.steps) for n, _ in row.steps}
        assert may <= {tool for one in shared for tool in (one.tool, *one.others)}


@pytest.mark.parametrize("stage", CALLED, ids=lambda one: one.id)
def test_every_file_that_a_stage_must_leave_stands_in_its_rows(stage: Stage) -> None:
    named = {file for row in section_of(page_of(), stage.id).rows for file in row.files}
    gates = [gate for step in stage.steps for gate in step.gates]
    assert [gate.place for gate in gates if not _places(gate) & named] == []


def _places(gate: Gate) -> set[str]:
    places = {artifact.place for artifact in gate.artifacts}
    return places | {gate.place}


@pytest.mark.parametrize("stage", CALLED, ids=lambda one: one.id)
def test_the_page_of_a_server_has_the_same_calls_for_its_stage(stage: Stage) -> None:
    assert section_of(page_of(stage.id), stage.id) == section_of(page_of(), stage.id)


def test_the_page_of_perfreport_begins_and_ends_a_workflow_alike() -> None:
    for name in ("begin", "end"):
        assert section_of(page_of("perfreport"), name) == section_of(page_of(), name)


@pytest.mark.parametrize("stage", [stages.BLAZEMETER, stages.DATADOG, stages.CONFLUENCE], ids=lambda one: one.id)
def test_how_often_an_api_is_tried_again_is_said(stage: Stage) -> None:
    assert f"retry up to {stage.retries} times" in page_of(stage.id)
    assert f"retried up to {stage.retries} times" in page_of()


@pytest.mark.parametrize("stage", [stages.JMETER, stages.PERFANALYSIS, stages.PERFREPORT], ids=lambda one: one.id)
def test_code_is_never_tried_again(stage: Stage) -> None:
    assert stage.retries == 0
    assert "Nothing is retried" in page_of(stage.id)
    assert "Others never retry" in page_of()


def test_what_is_asked_at_the_start_is_what_the_workflow_takes() -> None:
    [begin] = section_of(page_of(), "begin").rows
    [tool] = [tool for tool in tools("perfreport") if tool.name == "start_workflow"]
    taken = set(tool.input_schema["properties"]) - {"workflow_id"}
    assert {name for name in taken if f"{name}=" in begin.calls[0]} == taken
    assert len(placeholders(begin.calls[0])) == len(taken)


@pytest.mark.parametrize("server", WITH_SERVER)
def test_a_page_says_how_to_resume_and_how_to_do_it_again(server: str) -> None:
    text = page_of(server)
    assert "Resume:" in text
    assert "Again:" in text or "repeat it because" in text
    assert "get_workflow_status(" in text or "get_analysis_status(" in text


@pytest.mark.parametrize("server", WITH_SERVER)
async def test_a_page_is_a_prompt_of_its_server(server: str) -> None:
    module = import_module(f"perfsuite_{server}.server")
    prompts = {prompt.name for prompt in await module.server.list_prompts()}
    assert prompts == {f"{server}_rules", *({"perfsuite_workflow"} if server == "perfreport" else ())}
    found = await module.server.get_prompt(f"{server}_rules")
    assert found.messages[0].content.text == page_of(server)


async def test_the_page_about_everything_is_a_prompt_of_the_server_that_owns_workflows() -> None:
    from perfsuite_perfreport.server import server

    found = await server.get_prompt("perfsuite_workflow")
    assert found.messages[0].content.text == page_of()  # type: ignore[union-attr]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_one_heading_on_top(page: Page) -> None:
    assert re.match(r"# \S", page.text)
    assert len(re.findall(r"^# ", page.text, re.MULTILINE)) == 1
