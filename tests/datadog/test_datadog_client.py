"""Settings, access, rate limits and errors of every shape, over real sockets."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from fixtures import fixture
from perfsuite.artifacts import RunFolder
from perfsuite.errors import AccessDenied, BadAnswer, BadSettings, PerfsuiteError, RateLimited, RemoteError
from perfsuite.http import HttpSettings
from perfsuite.sandbox.standins.faults import Fault
from perfsuite_datadog.client.api import Datadog
from perfsuite_datadog.settings import DatadogSettings, normal_site
from shared.http.loopback import FakeTime, Server, answer, serving

KEY, APP_KEY = "canary-api-0123456789", "canary-app-0123456789"
QA = {"QA": {"env_tag": "perf", "hosts": [{"hostname": "shop-web-1"}]}}


def datadog_at(server: Server, time: FakeTime | None = None) -> Datadog:
    settings = DatadogSettings(api_key=SecretStr(KEY), app_key=SecretStr(APP_KEY), override=server.url)
    return Datadog(settings, HttpSettings(timeout_s=5), timing=(time or FakeTime()).timing)


def limits(remaining: int, reset: int, limit: int = 10, period: int = 10) -> dict[str, str]:
    named = {"Limit": limit, "Period": period, "Remaining": remaining, "Reset": reset}
    return {f"X_RateLimit_{name}": str(value) for name, value in named.items()}


@pytest.mark.parametrize(
    ("written", "site"),
    [
        ("datadoghq.eu", "datadoghq.eu"),
        ("https://app.datadoghq.eu/", "datadoghq.eu"),
        ("api.us5.datadoghq.com", "us5.datadoghq.com"),
        ("https://us3.datadoghq.com/dashboard/lists?x=1", "us3.datadoghq.com"),
        (" US5 ", "us5.datadoghq.com"),
        ("EU1", "datadoghq.eu"),
        ("app.ddog-gov.com", "ddog-gov.com"),
    ],
)
def test_a_site_is_understood_however_it_was_copied(written: str, site: str) -> None:
    assert normal_site(written) == site


@pytest.mark.parametrize("site", ["datadog.com", "datadoghq.com.evil.example", "evil.example/datadoghq.com", "://", ""])
def test_what_is_no_site_of_datadog_is_refused(site: str) -> None:
    with pytest.raises(ValueError, match="it should be one of datadoghq"):
        normal_site(site)


def test_missing_keys_are_named_with_where_to_get_them() -> None:
    with pytest.raises(BadSettings) as error:
        DatadogSettings.load({})
    assert "DD_API_KEY is not set" in str(error.value)
    assert "DD_APP_KEY is not set" in str(error.value)


@pytest.mark.parametrize("url", ["http://proxy.example", "ftp://127.0.0.1", "127.0.0.1:80"])
def test_keys_go_unencrypted_to_this_machine_alone(url: str) -> None:
    with pytest.raises(BadSettings, match="it should begin with https://"):
        DatadogSettings.load({"DD_API_KEY": KEY, "DD_APP_KEY": APP_KEY, "DATADOG_BASE_URL": url})


def test_the_site_decides_the_address_unless_another_is_given() -> None:
    keys = {"DD_API_KEY": KEY, "DD_APP_KEY": APP_KEY}
    assert DatadogSettings.load({**keys, "DD_SITE": "eu"}).base_url == "https://api.datadoghq.eu"
    other = {**keys, "DATADOG_BASE_URL": "http://127.0.0.1:8126/"}
    assert DatadogSettings.load(other).base_url == "http://127.0.0.1:8126"


async def test_requests_carry_both_keys_and_may_be_sent_again() -> None:
    async with serving(answer(503), answer(body=b'{"ok": 1}')) as server, datadog_at(server) as datadog:
        assert await datadog.post("/api/v2/query/timeseries", {"a": 1}, scope="timeseries_query") == {"ok": 1}
    assert [one.method for one in server.received] == ["POST", "POST"]
    assert server.received[0].headers["dd-api-key"] == KEY
    assert server.received[0].headers["dd-application-key"] == APP_KEY


async def test_a_used_up_allowance_is_waited_for_before_the_next_request() -> None:
    time = FakeTime()
    steps = (answer(**limits(1, 9)), answer(**limits(0, 7)), answer(**limits(9, 10)), answer())
    async with serving(*steps) as server, datadog_at(server, time) as datadog:
        await datadog.get("/a", scope="x")
        await datadog.get("/a", scope="x")
        assert time.slept == []
        await datadog.get("/a", scope="x")
        assert time.slept == [7.0]
        await datadog.get("/b", scope="x")
        assert time.slept == [7.0]


async def test_an_allowance_that_begins_anew_in_an_hour_is_an_error_that_says_so() -> None:
    async with serving(answer(**limits(0, 2462, 600, 3600))) as server, datadog_at(server) as datadog:
        await datadog.get("/a", scope="x")
        with pytest.raises(RateLimited, match="of 600 requests in 3600 s is used up; it begins anew in 2462 s"):
            await datadog.get("/a", scope="x")
    assert len(server.received) == 1


@pytest.mark.parametrize("name", ["synthetic_429_html.json", "synthetic_429_json.json"])
async def test_a_429_in_any_form_is_waited_for(name: str) -> None:
    recorded = json.loads(fixture(f"datadog/{name}").read_text(encoding="utf-8"))
    body = recorded["body"] if isinstance(recorded["body"], str) else json.dumps(recorded["body"])
    headers = {name.title().replace("-", "_"): value for name, value in recorded["headers"].items()}
    headers |= {"X_Ratelimit_Reset": "3"}
    time = FakeTime()
    async with serving(answer(429, body.encode(), **headers), answer()) as server, datadog_at(server, time) as datadog:
        assert await datadog.get("/api/v1/query", scope="timeseries_query") == {}
    assert time.slept == [3.0]


async def test_an_error_with_status_200_is_an_error() -> None:
    recorded = json.loads(fixture("datadog/synthetic_v1_query_status_error_http200.json").read_text(encoding="utf-8"))
    body = json.dumps(recorded["body"]).encode()
    async with serving(answer(200, body)) as server, datadog_at(server) as datadog:
        with pytest.raises(RemoteError, match=r"with 200 and the error .Error parsing query"):
            await datadog.get("/api/v1/query", scope="timeseries_query")


@pytest.mark.parametrize("body", [b"[]", b"1", b"null", b"<html></html>", b'{"data": ', b""])
async def test_an_answer_that_is_no_object_is_a_bad_one(body: bytes) -> None:
    async with serving(*[answer(200, body)] * 4) as server, datadog_at(server) as datadog:
        with pytest.raises(BadAnswer):
            await datadog.get("/api/v1/validate", scope="none")


async def test_a_refusal_names_site_scope_and_key_and_no_secret() -> None:
    body = json.dumps({"errors": [f"Forbidden {KEY} {APP_KEY}"]}).encode()
    async with serving(answer(403, body, Content_Type="text/plain")) as server, datadog_at(server) as datadog:
        with pytest.raises(AccessDenied) as error:
            await datadog.get("/api/v1/hosts", scope="hosts_read")
    told = str(error.value)
    for part in ("the wrong site", "without the scope hosts_read", "a wrong or revoked key", "`check_datadog_access`"):
        assert part in told
    assert "canary" not in told


async def test_access_is_told_permission_by_permission(datadog: Callable[..., Any], connect: Callable[[], Any]) -> None:
    datadog(missing_scopes=["logs_read_data", "apm_read"])
    async with connect() as caller:
        found = await caller.call("check_datadog_access")
    assert found["allowed"] == {"api_key": True, "metrics": True, "hosts": True, "logs": False, "spans": False}
    assert (
        found["next_step"] == "The site and the keys are right. Add to the application key: logs_read_data, apm_read."
    )


async def test_full_access_leads_on(datadog: Callable[..., Any], connect: Callable[[], Any]) -> None:
    datadog()
    async with connect() as caller:
        found = await caller.call("check_datadog_access")
    assert set(found["allowed"].values()) == {True}
    assert found["problems"] == []


async def test_a_refused_api_key_is_told_from_a_refused_application_key(
    datadog: Callable[..., Any], connect: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    datadog()
    monkeypatch.setenv("DD_APP_KEY", APP_KEY)
    async with connect() as caller:
        found = await caller.call("check_datadog_access")
        assert (found["allowed"]["api_key"], found["allowed"]["metrics"]) == (True, False)
        assert "Make a new DD_APP_KEY" in found["next_step"]
        monkeypatch.setenv("DD_API_KEY", KEY)
        found = await caller.call("check_datadog_access")
    assert found["allowed"] == {"api_key": False, "metrics": None, "hosts": None, "logs": None, "spans": None}
    assert found["next_step"].startswith(
        "Check that DATADOG_BASE_URL is the address that is meant, and that DD_API_KEY"
    )


async def test_what_could_not_be_tried_is_neither_allowed_nor_refused(
    datadog: Callable[..., Any], connect: Callable[[], Any]
) -> None:
    standin = datadog()
    standin.faults.switch_on("datadog.hosts", Fault("wrong_type"))
    async with connect() as caller:
        found = await caller.call("check_datadog_access")
    assert found["allowed"]["hosts"] is None
    assert "hosts_read is there could not be tried" in found["problems"][0]


async def test_the_access_is_told_before_clients_give_up(
    datadog: Callable[..., Any], connect: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    standin = datadog()
    monkeypatch.setenv("PERFSUITE_CALL_DEADLINE_S", "2")
    standin.faults.switch_on("datadog.hosts", Fault("slow", seconds=60))
    async with connect() as caller:
        found = await caller.call("check_datadog_access")
    assert found["allowed"] == {"api_key": True, "metrics": True, "hosts": None, "logs": None, "spans": None}
    assert "The whole call has 2 s" in found["problems"][0]


async def test_a_refused_collection_names_the_three_causes_and_leaks_no_key(
    datadog: Callable[..., Any], configure: Callable[..., None], connect: Callable[[], Any], run: RunFolder,
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level("DEBUG")
    datadog()
    configure(QA)
    monkeypatch.setenv("DD_API_KEY", KEY)
    monkeypatch.setenv("DD_APP_KEY", APP_KEY)
    async with connect() as caller:
        told = await caller.refused("get_host_metrics", environment="QA", run_id=run.run_id)
    assert "without the scope timeseries_query" in told
    texts = [told, caplog.text, *(read(path) for path in run.root.rglob("*") if path.is_file())]
    assert not [text for text in texts if "canary-a" in text]


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


@pytest.mark.parametrize(("status", "kind"), [(400, RemoteError), (404, PerfsuiteError), (422, RemoteError)])
async def test_other_refusals_are_told_in_datadogs_words(status: int, kind: type[PerfsuiteError]) -> None:
    body = b'{"errors": [{"title": "Invalid", "detail": "from is after to", "status": "422"}]}'
    async with serving(answer(status, body)) as server, datadog_at(server) as datadog:
        with pytest.raises(kind, match="from is after to"):
            await datadog.post("/api/v2/spans/events/search", {}, scope="apm_read")
