"""`perfsuite doctor` has the jmeter server say which JMeter it found."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from perfsuite.cli.doctor_servers import Finding, ask_server

SERVER = "from perfsuite.mcp.launch import serve; serve('shared.cli.engine_server')"
USED = {
    "version": "5.5", "source": "packages", "java_version": "17.0.9", "home": "/cache/jmeter", "groovy_problem": None,
}  # fmt: skip
TAKEN = {"source": "packages", "usable": True, "reason": None}
WRONG = {"source": "JMETER_HOME", "usable": False, "reason": "there is no folder"}


def asked(monkeypatch: pytest.MonkeyPatch, report: dict[str, Any] | None) -> list[Finding]:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    if report is not None:
        monkeypatch.setenv("FAKE_ENGINE", json.dumps(report))
    return ask_server("jmeter-mcp", sys.executable, "-c", SERVER)


@pytest.mark.parametrize(
    ("report", "state", "found"),
    [
        ({"used": USED, "candidates": [TAKEN]}, "ok", "JMeter 5.5 (packages) on Java 17.0.9, in /cache/jmeter"),
        ({"used": USED, "candidates": [WRONG, TAKEN]}, "warning", "; JMETER_HOME: there is no folder"),
        ({"used": {**USED, "groovy_problem": "No Groovy"}, "candidates": [TAKEN]}, "warning", "; No Groovy"),
        ({"used": None, "candidates": [WRONG]}, "warning", "none that works; JMETER_HOME: there is no folder"),
    ],
)
def test_the_jmeter_that_was_found_is_a_finding(
    report: dict[str, Any], state: str, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    [server, engine] = asked(monkeypatch, report)
    assert (server.check, server.state, server.found) == ("jmeter-mcp", "ok", "answers over stdio with 1 tools")
    assert (engine.check, engine.state) == ("JMeter", state)
    assert engine.found.endswith(found)
    assert engine.next_step == ("" if state == "ok" else "Do this.")


def test_a_check_that_fails_is_broken_and_the_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    [_, engine] = asked(monkeypatch, None)
    assert (engine.check, engine.state) == ("JMeter", "broken")
    assert engine.found == "PERFSUITE_JMETER_HEAP is not usable. Set it."


def test_a_server_that_dies_is_broken() -> None:
    [server] = ask_server("jmeter-mcp", sys.executable, "-c", "raise SystemExit(3)")
    assert (server.check, server.state) == ("jmeter-mcp", "broken")
    assert server.next_step == "Run `jmeter-mcp` in a terminal to see why."
