"""`perfsuite doctor` tries every account that is configured, with one call, and never shows a secret."""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from data import checkout
from perfsuite.cli.accounts import ACCOUNTS, Account
from perfsuite.cli.doctor_servers import Finding, ask_server
from perfsuite.sandbox import up as sandbox
from suite.repository import servers
from suite.settings import variables

BIN = Path(sys.executable).parent
BY_SERVER = {account.server: account for account in ACCOUNTS}


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sandbox.Up]:
    with sandbox.opened(sandbox.Wishes((checkout.TARGET,)), tmp_path_factory.mktemp("sandbox")) as up:
        yield up


@pytest.fixture(autouse=True)
def nothing_is_configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PERFSUITE_ARTIFACTS_DIR", str(tmp_path))
    for variable in (one for account in ACCOUNTS for one in account.variables):
        monkeypatch.delenv(variable.name, raising=False)
        monkeypatch.delenv(f"{variable.name}_FILE", raising=False)


def tried(account: Account, monkeypatch: pytest.MonkeyPatch, environ: Mapping[str, str]) -> Finding:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    [there, found] = ask_server(f"{account.server}-mcp", str(BIN / f"{account.server}-mcp"))
    assert there.state == "ok"
    assert found.check == account.title
    return found


@pytest.mark.parametrize("account", ACCOUNTS, ids=lambda account: account.server)
def test_an_account_that_works_is_ok(account: Account, services: sandbox.Up, monkeypatch: pytest.MonkeyPatch) -> None:
    found = tried(account, monkeypatch, services.environment)
    assert found.state == "ok", found


def test_confluence_on_premises_is_asked_as_such(services: sandbox.Up, monkeypatch: pytest.MonkeyPatch) -> None:
    found = tried(BY_SERVER["confluence"], monkeypatch, services.confluence_onprem)
    assert found.state == "ok", found


@pytest.mark.parametrize(
    ("server", "wanted"),
    [
        ("blazemeter", "not configured: API_KEY_ID and API_KEY_SECRET, or BLAZEMETER_API_KEY"),
        ("datadog", "not configured: DD_API_KEY and DD_APP_KEY"),
        (
            "confluence",
            "not configured: CONFLUENCE_URL, CONFLUENCE_EMAIL and CONFLUENCE_API_TOKEN (Cloud), or CONFLUENCE_URL and "
            "CONFLUENCE_PAT (on premises)",
        ),
    ],
)
def test_an_account_that_nobody_configured_is_no_mistake(
    server: str, wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = tried(BY_SERVER[server], monkeypatch, {})
    assert (found.state, found.found, found.next_step) == ("unset", wanted, "")


def test_half_a_key_is_said_to_be_half(monkeypatch: pytest.MonkeyPatch) -> None:
    found = tried(BY_SERVER["blazemeter"], monkeypatch, {"API_KEY_ID": "id"})
    assert found.state == "broken"
    assert "API_KEY_SECRET is not set" in found.found


def test_a_reference_that_a_client_left_as_it_is_counts_as_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    found = tried(BY_SERVER["datadog"], monkeypatch, {"DD_API_KEY": "${DD_API_KEY}", "DD_APP_KEY": "${env:DD_APP_KEY}"})
    assert found.state == "unset"


@pytest.mark.parametrize("account", ACCOUNTS, ids=lambda account: account.server)
def test_what_is_refused_is_broken_and_no_secret_is_shown(
    account: Account, services: sandbox.Up, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "wr0ng-secret-of-the-user"
    wrong = {one.name: secret for one in account.variables if one.kind == "secret"}
    found = tried(account, monkeypatch, {name: wrong.get(name, value) for name, value in services.environment.items()})
    assert found.state == "broken", found
    assert found.next_step
    assert secret not in f"{found}"


def test_a_service_that_does_not_answer_is_broken_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = {"DD_API_KEY": "k", "DD_APP_KEY": "k", "DATADOG_BASE_URL": "http://127.0.0.1:9"}
    found = tried(BY_SERVER["datadog"], monkeypatch, nowhere)
    assert found.state == "broken"
    assert "127.0.0.1:9" in found.found


def test_the_accounts_are_those_of_the_servers() -> None:
    known = {one.name: one for one in variables()}
    for account in ACCOUNTS:
        assert account.server in servers()
        for variable in account.variables:
            assert known[variable.name].is_secret == (variable.kind == "secret")


def test_an_account_that_sees_nothing_is_a_warning() -> None:
    outcome = BY_SERVER["blazemeter"].read({"rows": [], "total": 0, "has_more": False})
    assert outcome.state == "warning"
    some: dict[str, Any] = {"rows": [1], "total": None, "has_more": True}
    assert BY_SERVER["blazemeter"].read(some).found.endswith("at least 1")


def test_missing_permissions_are_a_warning_and_a_wrong_key_is_broken() -> None:
    read = BY_SERVER["datadog"].read
    answer = {"url": "u", "problems": ["No logs."], "next_step": "Add it."}
    some = read({**answer, "allowed": {"api_key": True, "metrics": True, "logs": False}})
    none = read({**answer, "allowed": {"api_key": False, "metrics": None, "logs": None}})
    assert (some.state, some.next_step) == ("warning", "Add it.")
    assert none.state == "broken"
    assert read({**answer, "allowed": {"api_key": True, "metrics": True}}).state == "warning", "a problem is told"
    assert json.dumps(some) == '["warning", "u: No logs.", "Add it."]'
