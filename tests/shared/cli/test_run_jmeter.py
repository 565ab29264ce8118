"""`perfsuite run-jmeter`: a load test from a terminal, by the tools of the jmeter server."""

import json
import os
import signal
from pathlib import Path

import pytest

from shared.cli.desk import Desk

FINISHED = 0
NOT_ALLOWED = 2
NOT_FINISHED = 8
INTERRUPTED = 130
COME_BACK = "`perfsuite run-jmeter --run-id r1` watches the run again."


@pytest.fixture
def gate(desk: Desk) -> Path:
    """A pipe: opening it waits until the fake server waits at it, and closing it lets the server go on."""
    pipe = desk.folder / "gate"
    os.mkfifo(pipe)
    desk.set(FAKE_GATE=str(pipe))
    return pipe


def test_a_test_is_checked_started_watched_and_collected(desk: Desk) -> None:
    ended = desk.run("checkout.jmx", "--run-id", "r1", "--yes")

    assert ended.returncode == FINISHED, ended.stderr
    assert desk.tools == [
        "validate_test_plan", "start_jmeter_test", "get_jmeter_run_status", "collect_jmeter_results",
    ]  # fmt: skip
    assert "Files in the/folder:" in ended.stdout
    assert ended.stdout.count("r1 finished") == 1
    assert "r1 running · 4 s · 5 users · 120 samples · 20.5 per s · 52 ms mean" in ended.stdout
    assert "93 % CPU of the generator" in ended.stdout
    for said in ("GET /1", "30 of 31 labels", "12 x GET /1 500 no", "saturated", "A note.", "jmeter/test-results.csv"):
        assert said in ended.stdout
    for warned in ("There is no timer.", "One row was torn.", "The console counted 119."):
        assert warned in ended.stdout + ended.stderr
    assert "cookie" not in ended.stdout + ended.stderr


def test_everything_that_was_asked_for_reaches_the_server(desk: Desk) -> None:
    desk.run(
        "checkout.jmx", "-Jusers=50", "-J", "note=a=b,c", "--secret", "password=SHOP_PASSWORD", "--rerun", "--yes",
        "--remote", "127.0.0.1:1, 127.0.0.1:2,", "--run-id", "r1",
    )  # fmt: skip

    properties = {"users": "50", "note": "a=b,c"}
    remote_hosts = ["127.0.0.1:1", "127.0.0.1:2"]
    assert desk.calls[0] == {
        "tool": "validate_test_plan",
        "plan": str(desk.plan),
        "properties": properties,
        "remote_hosts": remote_hosts,
    }
    assert desk.calls[1] == {
        "tool": "start_jmeter_test",
        "plan": str(desk.plan),
        "run_id": "r1",
        "scenario": None,
        "properties": properties,
        "secret_properties": {"password": "SHOP_PASSWORD"},
        "remote_hosts": remote_hosts,
        "rerun": True,
    }


def test_a_run_without_an_id_is_named_for_its_plan(desk: Desk) -> None:
    ended = desk.run("checkout.jmx", "--yes")

    assert desk.calls[1]["scenario"] == "checkout"
    assert "checkout-1 finished" in ended.stdout


def test_json_is_one_document(desk: Desk) -> None:
    ended = desk.run("checkout.jmx", "--run-id", "r1", "--yes", "--json")

    found = json.loads(ended.stdout)
    assert (found["run_id"], found["state"], found["exit_code"], found["detached"]) == ("r1", "finished", 0, False)
    assert found["started"]["state"] == "starting"
    assert found["status"]["total"]["samples"] == 120
    assert found["collected"]["files"] == ["jmeter/test-results.csv"]
    assert found["warnings"] == ["There is no timer."]
    assert ended.stderr == ""


def test_where_nobody_can_be_asked_nothing_is_started(desk: Desk) -> None:
    ended = desk.run("checkout.jmx", "--json")

    error = json.loads(ended.stdout)["error"]
    assert ended.returncode == NOT_ALLOWED
    assert error["code"] == "refused"
    assert "Start a load test with 'checkout.jmx'?" in error["message"]
    assert "--yes" in error["next_step"]
    assert desk.tools == ["validate_test_plan"]


@pytest.mark.parametrize(("tool", "code"), [("start_jmeter_test", NOT_ALLOWED), ("validate_test_plan", 3)])
def test_a_refusal_is_shown_in_the_servers_own_words(desk: Desk, tool: str, code: int) -> None:
    desk.set(FAKE_FAILS=tool)
    ended = desk.run("checkout.jmx", "--yes")

    assert ended.returncode == code
    assert "The host 'shop.example' is not allowed. Add it to allowed_hosts." in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("fault", "code", "said"),
    [
        ("invalid", 3, "JMeter cannot run 'checkout.jmx': The file 'users.csv' is missing. line 7"),
        ("forbidden", NOT_ALLOWED, "do not let 'checkout.jmx' run: The host 'shop.example' is not allowed. See guard"),
    ],
)
def test_a_plan_that_cannot_or_must_not_run_is_not_started(desk: Desk, fault: str, code: int, said: str) -> None:
    desk.set(FAKE_CHECK=fault)
    ended = desk.run("checkout.jmx", "--yes")

    assert ended.returncode == code
    assert said in ended.stderr
    assert desk.tools == ["validate_test_plan"]


def test_a_run_is_watched_again_by_its_id_alone(desk: Desk) -> None:
    ended = desk.run("--run-id", "r1")

    assert ended.returncode == FINISHED
    assert desk.tools == ["get_jmeter_run_status", "collect_jmeter_results"]


@pytest.mark.parametrize("state", ["failed", "interrupted", "lost", "stopped"])
def test_a_run_that_did_not_finish_says_so_in_the_exit_code(desk: Desk, state: str) -> None:
    desk.set(FAKE_STATES=f"running,{state}", FAKE_COLLECTS="nothing")
    ended = desk.run("--run-id", "r1", "--json")

    found = json.loads(ended.stdout)
    assert (ended.returncode, found["state"], found["collected"]) == (NOT_FINISHED, state, None)
    assert found["warnings"] == [f"Run 'r1' has no samples. Run it again. {COME_BACK}"]


def test_a_finished_run_whose_results_cannot_be_collected_is_an_error(desk: Desk) -> None:
    desk.set(FAKE_COLLECTS="nothing")
    ended = desk.run("--run-id", "r1")

    assert ended.returncode == 7
    assert "has no samples" in ended.stderr
    assert COME_BACK in ended.stderr


def test_collecting_that_takes_long_is_waited_for(desk: Desk) -> None:
    desk.set(FAKE_COLLECTS="slowly")
    found = json.loads(desk.run("--run-id", "r1", "--json").stdout)

    assert found["collected"] == {"run_id": "r1", "samples": 120}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "No plan was named"),
        (("missing.jmx",), 4, "There is no plan 'missing.jmx'"),
        (("checkout.jmx", "-J", "users"), 2, "-J 'users' is no NAME=VALUE"),
        (("checkout.jmx", "--secret", "=X"), 2, "--secret '=X' is no NAME=VALUE"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_started(
    desk: Desk, arguments: tuple[str, ...], code: int, said: str
) -> None:
    ended = desk.run(*arguments)

    assert ended.returncode == code
    assert said in ended.stderr
    assert desk.calls == []


@pytest.mark.parametrize(
    ("server", "code", "said"),
    [
        ("no-such-command", 4, "There is no command 'no-such-command'"),
        ("'", 2, "is no command: No closing quotation"),
        ("false", 7, "'false' does not speak as an MCP server"),
    ],
)
def test_a_server_that_is_none_is_said_to_be_none(desk: Desk, server: str, code: int, said: str) -> None:
    ended = desk.run("checkout.jmx", server=server)

    assert ended.returncode == code
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_server_that_dies_leaves_a_way_back(desk: Desk) -> None:
    desk.set(FAKE_STATES="running,die")
    ended = desk.run("--run-id", "r1")

    assert ended.returncode == 7
    assert "did not answer `get_jmeter_run_status`" in ended.stderr
    assert COME_BACK in ended.stderr


def test_in_a_terminal_the_user_is_asked_and_sees_a_table(desk: Desk) -> None:
    with desk.in_terminal("checkout.jmx", "--run-id", "r1") as terminal:
        terminal.until("Start a load test with 'checkout.jmx'? [y/N]")
        terminal.type("y\n")
        terminal.until("GET /1 ")
        assert terminal.end() == FINISHED
    assert "r1 finished" in terminal.seen
    assert "start_jmeter_test" in desk.tools


def test_a_user_who_says_no_starts_nothing(desk: Desk) -> None:
    with desk.in_terminal("checkout.jmx") as terminal:
        terminal.until("[y/N]")
        terminal.type("n\n")
        assert terminal.end() == NOT_ALLOWED
    assert "Nothing was started, as you answered." in terminal.seen
    assert desk.tools == ["validate_test_plan"]


def test_ctrl_c_at_the_question_means_no(desk: Desk) -> None:
    with desk.in_terminal("checkout.jmx") as terminal:
        terminal.until("[y/N]")
        terminal.interrupt(signal.SIGINT)
        assert terminal.end() == NOT_ALLOWED
    assert desk.tools == ["validate_test_plan"]


def test_ctrl_c_stops_the_test_gently_and_keeps_what_was_measured(desk: Desk) -> None:
    desk.set(FAKE_STATES="running")
    with desk.in_terminal("checkout.jmx", "--run-id", "r1", "--yes") as terminal:
        terminal.until("r1 running")
        terminal.interrupt(signal.SIGINT)
        assert terminal.end() == INTERRUPTED
    assert "Stopping the test gently" in terminal.seen
    assert "r1 stopped" in terminal.seen
    assert desk.tools[-1] == "collect_jmeter_results"


def test_a_stop_that_is_refused_is_said_and_the_watch_goes_on(desk: Desk) -> None:
    desk.set(FAKE_STATES="running", FAKE_FAILS="stop_jmeter_test")
    with desk.in_terminal("--run-id", "r1") as terminal:
        terminal.until("r1 running")
        terminal.interrupt(signal.SIGINT)
        terminal.until("is not allowed")
        terminal.until("r1 running")
        terminal.interrupt(signal.SIGINT)
        assert terminal.end() == INTERRUPTED


def test_a_second_ctrl_c_leaves_the_test_and_says_how_to_come_back(desk: Desk) -> None:
    desk.set(FAKE_STATES="running", FAKE_STOPS="never")
    with desk.in_terminal("checkout.jmx", "--run-id", "r1", "--yes") as terminal:
        terminal.until("r1 running")
        terminal.interrupt(signal.SIGINT)
        terminal.until("Ctrl-C again")
        terminal.until("r1 running")
        terminal.interrupt(signal.SIGINT)
        assert terminal.end() == INTERRUPTED
    assert COME_BACK in terminal.seen
    assert "collect_jmeter_results" not in desk.tools


def test_ctrl_c_while_the_test_starts_stops_it_as_soon_as_it_has(desk: Desk, gate: Path) -> None:
    with desk.in_terminal("checkout.jmx", "--run-id", "r1", "--yes") as terminal:
        with gate.open("w"):
            terminal.interrupt(signal.SIGINT)
            terminal.until("Stopping the test gently")
            assert "stop_jmeter_test" not in desk.tools
        assert terminal.end() == INTERRUPTED
    assert "stop_jmeter_test" in desk.tools


def test_a_second_ctrl_c_while_the_test_starts_says_how_to_find_it(desk: Desk, gate: Path) -> None:
    with desk.in_terminal("checkout.jmx", "--yes") as terminal, gate.open("w"):
        terminal.interrupt(signal.SIGINT)
        terminal.until("Ctrl-C again")
        terminal.interrupt(signal.SIGINT)
        assert terminal.end() == INTERRUPTED
    assert "`perfsuite runs`" in terminal.seen


def test_ctrl_c_while_the_plan_is_checked_ends_the_command(desk: Desk, gate: Path) -> None:
    desk.set(FAKE_GATE="", FAKE_CHECK_GATE=str(gate))
    with desk.in_terminal("checkout.jmx") as terminal, gate.open("w"):
        terminal.interrupt(signal.SIGINT)
        assert terminal.end() == INTERRUPTED
    assert "start_jmeter_test" not in desk.tools


def test_the_end_of_input_at_the_question_means_no(desk: Desk) -> None:
    with desk.in_terminal("checkout.jmx") as terminal:
        terminal.until("[y/N]")
        terminal.type("\x04")
        assert terminal.end() == NOT_ALLOWED
    assert desk.tools == ["validate_test_plan"]


def test_a_server_that_tells_little_is_enough(desk: Desk) -> None:
    desk.set(FAKE_STATES="bare")
    ended = desk.run("--run-id", "r1")

    assert ended.returncode == FINISHED
    assert "finished" in ended.stdout


def test_an_answer_without_content_is_no_answer(desk: Desk) -> None:
    desk.set(FAKE_COLLECTS="text")
    ended = desk.run("--run-id", "r1")

    assert ended.returncode == 7
    assert "`collect_jmeter_results` answered without content." in ended.stderr
