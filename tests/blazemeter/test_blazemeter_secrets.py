"""The key and signed links are found nowhere, and the settings say what is wrong with them."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from blazemeter.conftest import NEWEST, TEST, Connect
from perfsuite.errors import BadSettings
from perfsuite.sandbox.blazemeter import BlazeMeterSpec, opened
from perfsuite.sandbox.standins.faults import Fault
from perfsuite.settings import REDACTED
from perfsuite_blazemeter.settings import BlazeMeterSettings

SECRET = "c4n4ry-s3cr3t"
CALLS: dict[str, dict[str, Any]] = {
    "get_workspaces": {"workspace": "Retail", "run_id": str(NEWEST)},
    "get_projects": {},
    "get_tests": {"project": "Checkout"},
    "get_test_runs": {"test": str(TEST)},
    "start_test": {"test": str(TEST), "confirm": True},
    "stop_test": {"master_id": NEWEST, "confirm": True},
    "check_test_status": {"run_id": str(NEWEST)},
    "get_run_results": {"run_id": str(NEWEST)},
    "get_artifact_file_list": {"run_id": str(NEWEST)},
    "process_session_artifacts": {"run_id": str(NEWEST), "wait_s": 45},
    "get_aggregate_report": {"run_id": str(NEWEST)},
    "get_error_report": {"run_id": str(NEWEST)},
    "get_public_report": {"master_id": NEWEST, "confirm": True},
}
RESULTS = Path(__file__).parents[1] / "data" / "checkout.jtl"


def texts_in(folder: Path) -> list[str]:
    return [path.read_text(encoding="utf-8", errors="replace") for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("kind", ["", "server_error", "wrong_type", "error_in_200", "reset", "lost_answer"])
async def test_the_key_is_in_no_answer_no_log_and_no_file(
    connect: Connect,
    artifacts: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    kind: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    spec = BlazeMeterSpec((RESULTS,), runs=12, key_secret=SECRET)
    with opened(spec, tmp_path / "other") as service:
        for name, value in service.environment.items():
            monkeypatch.setenv(name, value)
        if kind:
            service.standin.faults.switch_on("blazemeter.*", Fault(kind, times=1))
        async with connect() as tools:
            said = [(await tools.try_to(tool, **arguments)).text for tool, arguments in CALLS.items()]
        received = service.standin.journal.received()
    assert {one.credentials for one in received if one.path.startswith("/api/")} == {"right"}
    assert {one.credentials for one in received if not one.path.startswith("/api/")} <= {"none"}
    for text in (*said, caplog.text, *texts_in(artifacts)):
        assert SECRET not in text
        assert "Basic " not in text
        assert "X-Amz-Signature=" not in text.replace(f"X-Amz-Signature={REDACTED}", "")


async def test_a_key_may_stand_in_a_file(connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "key.json"
    file.write_text(json.dumps({"id": "sandbox-key-id", "secret": "sandbox-key-secret"}), encoding="utf-8")
    monkeypatch.delenv("API_KEY_ID")
    monkeypatch.delenv("API_KEY_SECRET")
    monkeypatch.setenv("BLAZEMETER_API_KEY", str(file))
    async with connect() as tools:
        assert (await tools.call("get_projects"))["total"] == 2


@pytest.mark.parametrize("content", ["", "[]", '{"id": "a"}', '{"id": "", "secret": "c4n4ry"}', "c4n4ry", "[" * 10_000])
def test_a_file_without_a_key_is_named_and_not_shown(tmp_path: Path, content: str) -> None:
    file = tmp_path / "key.json"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(BadSettings) as raised:
        _ = BlazeMeterSettings.load({"BLAZEMETER_API_KEY": str(file)}).credentials
    assert str(file) in str(raised.value)
    assert "c4n4ry" not in str(raised.value)


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({}, "No key of BlazeMeter is set"),
        ({"API_KEY_ID": "a"}, "API_KEY_SECRET is not set"),
        ({"API_KEY_SECRET": "secret"}, "API_KEY_ID is not set"),
        ({"BLAZEMETER_API_KEY": "/no/such/file"}, "cannot be read"),
    ],
)
def test_a_key_that_is_missing_is_told_with_where_to_get_it(environ: dict[str, str], says: str) -> None:
    with pytest.raises(BadSettings) as raised:
        _ = BlazeMeterSettings.load(environ).credentials
    assert says in raised.value.message
    assert "BLAZEMETER_API_KEY" in str(raised.value)


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("https://a.blazemeter.com", "https://a.blazemeter.com/api/v4"),
        ("https://a.blazemeter.com/", "https://a.blazemeter.com/api/v4"),
        ("https://a.blazemeter.com/api/v4/", "https://a.blazemeter.com/api/v4"),
        ("http://127.0.0.1:8080/api/v4", "http://127.0.0.1:8080/api/v4"),
        ("http://localhost:8080", "http://localhost:8080/api/v4"),
        ("http://[::1]:8080", "http://[::1]:8080/api/v4"),
    ],
)
def test_the_address_may_be_written_with_or_without_its_path(given: str, used: str) -> None:
    assert BlazeMeterSettings.load({"BLAZEMETER_BASE_URL": given}).base_url == used


@pytest.mark.parametrize("given", ["http://a.blazemeter.com/api/v4", "ftp://localhost", "a.blazemeter.com", "http://["])
def test_a_key_is_not_sent_in_the_clear(given: str) -> None:
    with pytest.raises(BadSettings, match="BLAZEMETER_BASE_URL"):
        BlazeMeterSettings.load({"BLAZEMETER_BASE_URL": given})


async def test_settings_that_are_missing_are_the_error_of_a_call(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, fault: Callable[..., None]
) -> None:
    monkeypatch.delenv("API_KEY_SECRET")
    async with connect() as tools:
        assert "API_KEY_SECRET is not set" in await tools.refused("get_workspaces")
