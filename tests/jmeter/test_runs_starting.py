"""Starting a test: checked, once, with its secrets out of sight, and with the earlier attempts kept."""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jmeter.running import Desk, desk_in, steps, until
from perfsuite.artifacts import RunFolder, RunStore
from perfsuite.artifacts.schemas import RunFacts
from perfsuite.errors import BadInput, BadSettings, Conflict, NotFound, Refused, StorageFailed
from perfsuite.settings import redact
from perfsuite_jmeter.client.processes import free_udp_port
from perfsuite_jmeter.models.runs import SPEC, PlannedLoad

CANARY = "c4n4ry of the run = \\ é"

STARTING = """
import sys
from pathlib import Path
from jmeter.running import Desk, RunStore, pretended_engine
from perfsuite.errors import PerfsuiteError
root, plan, home, run_id = sys.argv[1:]
desk = Desk(RunStore(Path(root)), Path(plan), pretended_engine(Path(home)))
print("ready", flush=True)
sys.stdin.readline()
try:
    print(desk.start(run_id or None).run_id)
except PerfsuiteError as error:
    print(f"{type(error).__name__}: {error.message}")
"""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with desk_in(tmp_path) as found:
        yield found


def test_a_started_run_runs_and_says_what_to_call_next(desk: Desk) -> None:
    started = desk.start()
    assert (started.run_id, started.state, started.attempt, started.users) == ("r1", "running", 1, 2)
    assert (started.planned_duration_s, started.duration_limit_s, started.earlier_attempt) == (10, None, None)
    assert started.next_step == "Call `get_jmeter_run_status` for run 'r1'."
    assert Path(started.folder) == desk.run().root / "jmeter"
    assert desk.state() == "running"
    assert desk.run().record().source == "jmeter"


def test_the_steps_and_what_they_rest_on_are_in_the_ledger(desk: Desk) -> None:
    desk.start()
    assert steps(desk) == {"validate_plan": "done", "check_guard_rails": "done", "start": "done"}
    start = next(one for one in desk.run().record().ledger if one.step == "start")
    assert [(one.path, one.external) for one in start.inputs] == [(str(desk.plan), True)]
    assert [one.path for one in start.outputs] == ["jmeter/plan.jmx", "jmeter/run-spec.json"]
    assert start.outputs[0].sha256 == start.inputs[0].sha256 == desk.run().load(SPEC).plan_sha256
    assert start.tool == "start_jmeter_test"


@pytest.mark.parametrize(("duration_s", "limit_s"), [(None, 60), (60, 90)])
def test_a_test_that_ends_by_itself_has_time_for_its_last_samples(
    desk: Desk, duration_s: float | None, limit_s: float
) -> None:
    desk.checks.limit_s, desk.checks.load = 60, PlannedLoad(duration_s=duration_s)
    assert desk.start().duration_limit_s == limit_s
    assert desk.run().load(SPEC).duration_limit_s == limit_s


def test_what_is_started_is_pinned(desk: Desk) -> None:
    desk.start(properties={"users": "5"}, remote_hosts=("127.0.0.1:24001", "engine-2"))
    spec = desk.run().load(SPEC)
    command, root = list(spec.command), desk.run().root
    assert command[command.index("-t") + 1] == str(desk.plan)
    assert command[command.index("-l") + 1] == str(root / "jmeter" / "test-results.csv")
    assert command[command.index("-R") + 1] == "127.0.0.1:24001,engine-2"
    pinned = {one for one in command if one.startswith("-J")}
    assert {f"-Jjmeterengine.nongui.{name}={spec.udp_port}" for name in ("port", "maxport")} <= pinned
    assert "-Jjmeterengine.force.system.exit=true" in pinned
    assert "-Jjmeter.save.saveservice.autoflush=true" in pinned
    assert "-Jjmeter.save.saveservice.hostname=true" in pinned
    assert f"-G{root}/jmeter/run.properties" in command
    assert not [one for one in command if "users" in one]
    assert (root / "jmeter" / "run.properties").stat().st_mode & 0o777 == 0o600


def test_the_checks_see_what_will_run_and_no_secret(desk: Desk) -> None:
    desk.environ["TOKEN"] = CANARY
    desk.start(properties={"users": "5"}, secret_properties={"token": "TOKEN"})
    seen = (desk.plan, {"users": "5"}, ())
    assert desk.checks.asked == [("validate", *seen), ("guard", *seen, PlannedLoad(users=2, duration_s=10))]


def test_a_secret_reaches_jmeter_and_nothing_else(desk: Desk, tmp_path: Path) -> None:
    desk.environ["TOKEN"] = CANARY
    desk.start(properties={"seconds": "1", "seen": str(tmp_path / "seen")}, secret_properties={"token": "TOKEN"})
    state = desk.supervisor()
    assert state.java is not None
    commands = [Path(f"/proc/{one.pid}/cmdline").read_bytes() for one in (state.supervisor, state.java)]
    assert not [command for command in commands if b"c4n4ry" in command]
    assert (tmp_path / "seen").read_text(encoding="utf-8") == CANARY
    desk.ended()
    assert not [path for path in desk.runs.root.rglob("*") if path.is_file() and b"c4n4ry" in path.read_bytes()]
    assert desk.run().load(SPEC).secrets_file == "jmeter/secrets.properties"
    assert "c4n4ry" not in redact(f"it is {CANARY}")


def test_secrets_of_a_supervisor_that_was_killed_are_removed_by_the_next_look(desk: Desk) -> None:
    desk.start()
    state = desk.supervisor()
    assert state.java is not None
    secrets = desk.run().root / "jmeter" / "secrets.properties"
    secrets.touch()
    for process in (state.supervisor, state.java):
        os.kill(process.pid, signal.SIGKILL)
    until(lambda: desk.state() == "interrupted")
    assert not secrets.exists()


def test_a_secret_that_is_not_in_the_environment_is_an_error_before_anything_is_made(desk: Desk) -> None:
    with pytest.raises(BadSettings, match=r"'TOKEN', which shall hold the secret property 'token', is not set"):
        desk.start(secret_properties={"token": "TOKEN"})
    assert not desk.runs.runs()


def test_a_plan_that_is_not_there_is_an_error_before_anything_is_made(desk: Desk) -> None:
    with pytest.raises(NotFound, match=r"nothing.jmx' cannot be read: No such file"):
        desk.start(plan=desk.plan.with_name("nothing.jmx"))
    with pytest.raises(NotFound, match="Is a directory"):
        desk.start(plan=desk.plan.parent)
    assert not desk.runs.runs()


@pytest.mark.parametrize("fault", ["invalid", "refused"])
def test_a_plan_that_must_not_run_makes_no_run(desk: Desk, fault: str) -> None:
    setattr(desk.checks, fault, Refused("The host is not allowed.", next_step="Allow it."))
    with pytest.raises(Refused, match="not allowed"):
        desk.start()
    assert not desk.runs.runs()


def test_a_plan_that_must_not_run_is_noted_in_a_run_that_is_there(desk: Desk) -> None:
    desk.runs.create("r1")
    desk.checks.refused = Refused("The host is not allowed.", next_step="Allow it.")
    with pytest.raises(Refused, match="not allowed"):
        desk.start()
    assert steps(desk) == {"validate_plan": "done", "check_guard_rails": "failed"}
    assert not (desk.run().root / "jmeter").exists()
    desk.checks.refused = None
    assert desk.start().state == "running"


def test_a_run_id_is_made_of_words_that_nobody_took(desk: Desk) -> None:
    named = {"scenario": "Check out", "type": "load", "version": "v2"}
    assert desk.start(None, {"seconds": "0.2"}, **named).run_id == "Check-out-load-v2"
    assert desk.start(None, {"seconds": "0.2"}, **named).run_id == "Check-out-load-v2-2"
    assert desk.start(None, {"seconds": "0.2"}).run_id == "shop"
    assert desk.run("Check-out-load-v2").record().type == "load"


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"properties": {"a": "1"}, "secret_properties": {"a": "A"}}, "'a' is given as a property and as a secret"),
        ({"properties": {" ": "1"}}, "Properties need names"),
        ({"properties": {str(number): "" for number in range(501)}}, "500 of them; found 501"),
        ({"properties": {"jmeterengine.nongui.port": "4445"}}, "'jmeterengine.nongui.port' is set by"),
        ({"properties": {"jmeter.save.saveservice.autoflush": "false"}}, "autoflush' is set by"),
        ({"remote_hosts": ("h",), "secret_properties": {"a": "PATH"}}, "an engine writes what it is sent into its log"),
        ({"remote_hosts": ("-X",)}, "'-X' is not a remote host"),
        ({"remote_hosts": ("a,b",)}, "'a,b' is not a remote host"),
        ({"run_id": None, "rerun": True}, "`rerun` needs the id"),
        ({"run_id": "../up"}, "is not a run id"),
    ],
)
def test_what_makes_no_sense_is_refused(desk: Desk, asked: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        desk.start(**asked)
    assert not desk.runs.runs()


def test_properties_of_any_characters_arrive_as_they_are(desk: Desk, tmp_path: Path) -> None:
    value = " \t a=b:c#d!e\\f\n\r${g},é😀'\"$(rm) "
    desk.start(properties={"seen": str(tmp_path / "seen"), "token": value, "-X": "x", "a b=c": "y"})
    assert (tmp_path / "seen").read_bytes().decode() == value


def test_the_results_of_another_source_are_not_replaced(desk: Desk) -> None:
    desk.runs.create("r1", RunFacts(source="import"))
    with pytest.raises(Conflict, match="holds the results of 'import'"):
        desk.start(rerun=True)


def test_a_start_that_was_killed_before_jmeter_can_be_started_anew(desk: Desk) -> None:
    folder = desk.runs.create("r1").root / "jmeter"
    folder.mkdir()
    for name in ("run.properties", "secrets.properties", "test-results.csv"):
        (folder / name).write_text("old", encoding="utf-8")
    assert desk.start().state == "running"
    assert "old" not in desk.text("test-results.csv")
    assert not (folder / "secrets.properties").exists()


def test_an_engine_that_cannot_be_started_is_an_error(desk: Desk) -> None:
    desk.engine = desk.engine.model_copy(update={"java": Path("/nowhere/java")})
    with pytest.raises(BadSettings, match=r"/nowhere/java: No such file.*`check_jmeter_engine`"):
        desk.start()
    assert (desk.state(), steps(desk)["start"]) == ("failed", "failed")


def test_a_plan_that_jmeter_does_not_take_is_an_error(desk: Desk) -> None:
    with pytest.raises(
        BadInput, match=r"ended before the plan 'shop.jmx' ran: Error in NonGUIDriver it .*`analyze_jmeter_log`"
    ):
        desk.start(properties={"mode": "die", "says": "Error in NonGUIDriver it"})
    assert desk.start(rerun=True).attempt == 2


def test_a_test_that_is_over_at_once_is_told_with_its_outcome(desk: Desk) -> None:
    started = desk.start(properties={"mode": "over", "seconds": "0"})
    assert (started.state, "Not one sample" in started.reason) == ("failed", True)
    assert started.next_step == "Call `analyze_jmeter_log` for run 'r1'."
    assert steps(desk)["start"] == "done"


def test_a_port_that_was_taken_meanwhile_is_replaced_by_another(desk: Desk, tmp_path: Path) -> None:
    tried = tmp_path / "tried"
    assert desk.start(properties={"mode": "port_taken_once", "tried": str(tried)}).state == "running"
    ports = [int(line) for line in tried.read_text(encoding="utf-8").split()]
    assert len(set(ports)) == 2
    assert desk.run().load(SPEC).udp_port == ports[-1]
    assert (desk.supervisor().attempt, desk.text("console.log").count("Created the tree")) == (1, 1)


def test_ports_that_are_taken_again_and_again_are_an_error(desk: Desk) -> None:
    with pytest.raises(Conflict, match="Each of 3 UDP ports"):
        desk.start(properties={"mode": "port_taken"})


@pytest.mark.parametrize("name", ["it's 'quoted'", "a=b"])
def test_a_folder_in_whose_path_jmeter_reads_a_meaning_is_refused(tmp_path: Path, name: str) -> None:
    odd = tmp_path / name
    odd.mkdir()
    with desk_in(odd) as desk, pytest.raises(BadSettings, match="reads a meaning"):
        desk.start(remote_hosts=("127.0.0.1",))


@pytest.mark.parametrize("run_id", ["r1", ""])
def test_of_two_servers_that_start_a_run_at_once_one_wins_and_the_other_says_so(desk: Desk, run_id: str) -> None:
    homes = [desk.plan.parent / f"home-{number}" for number in range(2)]
    for home in homes:
        home.mkdir()
    command = [sys.executable, "-c", STARTING, str(desk.runs.root), str(desk.plan)]
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    servers = [
        subprocess.Popen(
            [*command, str(home), run_id], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ
        )
        for home in homes
    ]
    for server in servers:
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"
    for server in servers:
        assert server.stdin is not None
        server.stdin.write("go\n")
        server.stdin.flush()
    said = sorted(server.communicate()[0].strip() for server in servers)
    if run_id:
        assert said[1] == "r1"
        assert said[0].startswith(("Conflict: Run 'r1' is being started by another process.", "Conflict: Run 'r1' is"))
        assert [path.name for path in desk.run().root.glob("jmeter/attempts/*")] == []
    else:
        # Without an id, both get one of their own.
        assert said == ["shop", "shop-2"]


def test_a_test_that_takes_long_to_load_is_left_to_itself(desk: Desk) -> None:
    started = desk.start(properties={"mode": "mute"}, up_s=1.5)
    assert (started.state, started.next_step) == ("starting", "Call `get_jmeter_run_status` for run 'r1'.")


def test_a_supervisor_that_does_not_get_going_is_an_error(desk: Desk) -> None:
    folder = desk.runs.create("r1").root / "jmeter"
    folder.mkdir()
    with (folder / "supervisor.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(StorageFailed, match=r"did not start Java within 0.5 s"):
            desk.start(up_s=0.5)
    # When it gets going after all, what was given up is not started.
    assert desk.until_phase("ended").java is None
    assert desk.seen().condition.reason == "Stopped by the user; Shutdown ended it. Nothing was measured."


def test_a_folder_that_takes_no_files_is_an_error(desk: Desk) -> None:
    (desk.runs.create("r1").root / "jmeter" / "run.properties").mkdir(parents=True)
    with pytest.raises(StorageFailed, match=r"cannot be prepared: .*run.properties: Is a directory"):
        desk.start()


def test_run_ids_that_others_keep_taking_are_given_up(desk: Desk) -> None:
    class Contested(RunStore):
        def create(self, run_id: str, facts: RunFacts | None = None) -> RunFolder:
            super().create(run_id)
            return super().create(run_id, facts)

    desk.runs = Contested(desk.runs.root)
    with pytest.raises(Conflict, match="Others took every run id"):
        desk.start(None)


def test_a_port_is_asked_for_where_none_is_left() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        with pytest.raises(Conflict, match=f"from {port} to {port}"):
            free_udp_port([port])


def test_a_run_that_is_being_started_is_queued(desk: Desk) -> None:
    desk.runs.create("r1")
    seen = []
    validate = desk.checks.validate

    def look(*asked: Any) -> PlannedLoad:
        seen.append(desk.state())
        return validate(*asked)

    desk.checks.validate = look  # type: ignore[method-assign]
    desk.start()
    assert seen == ["queued"]


def test_every_port_that_is_taken_is_passed_by(desk: Desk) -> None:
    desk.start()
    port = desk.run().load(SPEC).udp_port
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", port))


def test_the_spec_is_readable_and_names_no_secret_value(desk: Desk) -> None:
    desk.environ["TOKEN"] = CANARY
    desk.start(secret_properties={"token": "TOKEN"})
    spec = json.loads(desk.text("run-spec.json"))
    assert spec["graces"] == {"shutdown_s": 0.6, "stop_now_s": 0.6, "term_s": 0.6}
    assert spec["schema_version"] == "1.0"
