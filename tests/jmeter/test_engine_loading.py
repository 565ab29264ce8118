"""Plans are loaded by the real JMeter, and nothing of them runs."""

import os
import socket
from pathlib import Path

import psutil
import pytest

from fixtures import fixture
from jmeter.homes import fake_engine
from perfsuite.errors import BadInput, NotFound
from perfsuite_jmeter.client.loading import load_plan
from perfsuite_jmeter.models.engine import Engine

PLAN = """<?xml version="1.0" encoding="UTF-8"?>
<jmeterTestPlan version="1.2" properties="5.0" jmeter="5.5">
  <hashTree>
    <TestPlan guiclass="TestPlanGui" testclass="TestPlan" testname="Plan" enabled="true">
      <elementProp name="TestPlan.user_defined_variables" elementType="Arguments">
        <collectionProp name="Arguments.arguments">
          <elementProp name="acting" elementType="Argument">
            <stringProp name="Argument.name">acting</stringProp>
            <stringProp name="Argument.value">${{__StringToFile({written}, text)}}</stringProp>
          </elementProp>
        </collectionProp>
      </elementProp>
    </TestPlan>
    <hashTree>
      <SetupThreadGroup guiclass="SetupThreadGroupGui" testclass="SetupThreadGroup" testname="Setup" enabled="true">
        <elementProp name="ThreadGroup.main_controller" elementType="LoopController">
          <boolProp name="LoopController.continue_forever">false</boolProp>
          <stringProp name="LoopController.loops">1</stringProp>
        </elementProp>
        <stringProp name="ThreadGroup.num_threads">1</stringProp>
      </SetupThreadGroup>
      <hashTree>
        <HTTPSamplerProxy guiclass="HttpTestSampleGui" testclass="HTTPSamplerProxy" testname="Request" enabled="true">
          <stringProp name="HTTPSampler.domain">127.0.0.1</stringProp>
          <stringProp name="HTTPSampler.port">{port}</stringProp>
          <stringProp name="HTTPSampler.method">GET</stringProp>
        </HTTPSamplerProxy>
        <hashTree/>
      </hashTree>
      <ResultCollector guiclass="SimpleDataWriter" testclass="ResultCollector" testname="Writer" enabled="true">
        <stringProp name="filename">{written}</stringProp>
      </ResultCollector>
      <hashTree/>
      {more}
    </hashTree>
  </hashTree>
</jmeterTestPlan>
"""


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


def plan_in(folder: Path, *, port: int = 1, more: str = "", name: str = "plan.jmx") -> Path:
    folder.mkdir(exist_ok=True)
    plan = folder / name
    plan.write_text(PLAN.format(written=folder / "written", port=port, more=more), encoding="utf-8")
    return plan


@pytest.mark.parametrize("name", ["golden.jmx", "utg.jmx", "om2.jmx", "bl.jmx"])
def test_plans_with_thread_groups_of_every_kind_are_loaded(name: str, engine: Engine, work: Path) -> None:
    loaded = load_plan(engine, fixture(f"jmx/{name}"), {"threads": "5"}, work)
    assert (loaded.ok, loaded.lines, loaded.rows) == (True, (), ())
    assert loaded.seconds > 0
    assert list(work.iterdir()) == []


def test_thread_groups_of_plugins_and_open_models_are_loaded(engine: Engine, tmp_path: Path, work: Path) -> None:
    more = """
        <kg.apc.jmeter.threads.UltimateThreadGroup guiclass="a" testclass="b" testname="c" enabled="true">
          <collectionProp name="ultimatethreadgroupdata">
            <collectionProp name="row"><stringProp name="1">2</stringProp></collectionProp>
          </collectionProp>
        </kg.apc.jmeter.threads.UltimateThreadGroup><hashTree/>
        <OpenModelThreadGroup guiclass="a" testclass="OpenModelThreadGroup" testname="c" enabled="true">
          <elementProp name="ThreadGroup.main_controller" elementType="OpenModelThreadGroupController"/>
          <stringProp name="OpenModelThreadGroup.schedule">rate(10/sec) random_arrivals(60 sec)</stringProp>
        </OpenModelThreadGroup><hashTree/>
    """
    loaded = load_plan(engine, plan_in(tmp_path, more=more), {}, work)
    assert (loaded.ok, loaded.lines, loaded.rows) == (True, (), ())


def test_nothing_of_a_plan_runs_and_nothing_is_written_beside_it(engine: Engine, tmp_path: Path, work: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as target:
        plan = plan_in(tmp_path / "plans", port=target.getsockname()[1])
        loaded = load_plan(engine, plan, {}, work)
        target.setblocking(False)
        with pytest.raises(BlockingIOError):
            target.accept()
    assert loaded.ok
    assert [path.name for path in plan.parent.iterdir()] == ["plan.jmx"]


def test_properties_go_through_a_file_and_cannot_have_scripts_run_at_the_start(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    keep = f'for part; do case $part in *.properties) cp -p "$part" {seen};; esac; done'
    engine = fake_engine(tmp_path, f'{keep}; echo "$@" > {tmp_path}/arguments')
    load_plan(engine, plan_in(tmp_path), {"token": "s3cret", "jsr223.init.file": "own.groovy"}, tmp_path)
    arguments = (tmp_path / "arguments").read_text().split()
    assert "s3cret" not in " ".join(arguments)
    assert "token=s3cret" in seen.read_text()
    assert seen.stat().st_mode & 0o077 == 0
    assert arguments.index("-q") < arguments.index("-Jjsr223.init.file=")


def test_a_plan_may_lie_below_any_name(engine: Engine, tmp_path: Path, work: Path) -> None:
    assert load_plan(engine, plan_in(tmp_path / "été 20 % #1", name="prüfung.jmx"), {"ключ": "€ \\ = \n"}, work).ok


def test_an_unknown_class_is_named_with_its_path_and_line_in_the_plan(
    engine: Engine, tmp_path: Path, work: Path
) -> None:
    plan = plan_in(tmp_path, more='<com.example.Timer testname="x"/><hashTree/>')
    line = next(n for n, text in enumerate(plan.read_text().splitlines(), 1) if "com.example.Timer" in text)
    loaded = load_plan(engine, plan, {}, work)
    assert not loaded.ok
    assert loaded.unknown_class == "com.example.Timer"
    assert loaded.lines == (
        "CannotResolveClassException: com.example.Timer",
        f"at /jmeterTestPlan/hashTree/hashTree/com.example.Timer, line {line}",
    )


def test_elements_without_their_trees_are_named(engine: Engine, tmp_path: Path, work: Path) -> None:
    more = '<CookieManager guiclass="a"/><CookieManager guiclass="b"/><hashTree/>'
    loaded = load_plan(engine, plan_in(tmp_path, more=more), {}, work)
    assert not loaded.ok
    assert loaded.unknown_class is None
    assert "ClassCastException" in loaded.lines[0]
    assert "CookieManager" in loaded.lines[1]


@pytest.mark.parametrize("exists", [True, False])
def test_an_included_plan_is_looked_for_beside_the_plan(
    exists: bool, engine: Engine, tmp_path: Path, work: Path
) -> None:
    more = (
        '<IncludeController guiclass="IncludeControllerGui" testclass="IncludeController" testname="Include">'
        '<stringProp name="IncludeController.includepath">part.jmx</stringProp></IncludeController><hashTree/>'
    )
    plan = plan_in(tmp_path / "plans", more=more)
    if exists:
        plan_in(plan.parent, name="part.jmx")
    loaded = load_plan(engine, plan, {}, work)
    assert loaded.ok is exists
    assert exists or "part.jmx" in loaded.lines[0]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("<jmeterTestPlan><hashTree><TestPlan></hashTree>", "not well-formed XML: mismatched tag: line 1"),
        ("", "not well-formed XML: no element found"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><jmeterTestPlan/>", "document type declaration"),
        ("<project/>", "'project' where 'jmeterTestPlan' is expected"),
        ("<jmeterTestPlan><TestPlan/></jmeterTestPlan>", "'TestPlan' where 'hashTree' is expected"),
        ("<jmeterTestPlan/>", "holds no elements"),
        ("<jmeterTestPlan><hashTree/></jmeterTestPlan>", "holds no elements"),
        ("<jmeterTestPlan><hashTree>\n</hashTree><a/></jmeterTestPlan>", "holds no elements"),
    ],
)
def test_what_is_no_plan_is_said_without_starting_java(content: str, line: str, tmp_path: Path) -> None:
    plan = tmp_path / "plan.jmx"
    plan.write_text(content, encoding="utf-8")
    loaded = load_plan(fake_engine(tmp_path, "exit 9"), plan, {}, tmp_path)
    assert not loaded.ok
    assert line in loaded.lines[0]


def test_a_plan_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="No such file"):
        load_plan(fake_engine(tmp_path, "exit 9"), tmp_path / "absent.jmx", {}, tmp_path)


def test_what_could_be_read_for_ever_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "plan.jmx")
    with pytest.raises(BadInput, match="is not a file"):
        load_plan(fake_engine(tmp_path, "exit 9"), tmp_path / "plan.jmx", {}, tmp_path)


def test_a_jmeter_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, f"sleep 300 & echo $! $$ > {tmp_path}/pids; wait")
    loaded = load_plan(engine, plan_in(tmp_path), {}, tmp_path, timeout_s=1)
    assert (loaded.ok, loaded.timed_out) == (False, True)
    assert loaded.lines == ("JMeter had not loaded the plan after 1 s and was ended.",)
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    processes = [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]
    gone, alive = psutil.wait_procs(processes, timeout=5)
    assert [one for one in alive if one.status() != psutil.STATUS_ZOMBIE] == []
    assert len(gone) + len(alive) == len(processes)


def test_a_jmeter_that_ends_well_without_running_is_not_believed(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, "echo WARNING: noise; echo An error; exit 0")
    loaded = load_plan(engine, plan_in(tmp_path), {}, tmp_path)
    assert loaded.lines == ("JMeter ended with code 0 before the end of the run.", "An error")


def test_results_in_other_columns_than_asked_for_are_an_error(tmp_path: Path) -> None:
    loaded = load_plan(fake_engine(tmp_path, "echo ... end of run"), plan_in(tmp_path), {}, tmp_path)
    assert loaded.lines == ("The results begin with '' and not with the columns that were asked for.",)


def test_a_java_that_cannot_be_started_is_said(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, "exit 0").model_copy(update={"java": tmp_path / "absent"})
    loaded = load_plan(engine, plan_in(tmp_path), {}, tmp_path)
    assert "cannot be started: No such file or directory." in loaded.lines[0]
