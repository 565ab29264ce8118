"""Where Confluence is, and as whom it is asked: addresses and credentials as people have them."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from confluence.conftest import RUN, VARIABLES, Publisher, Tools, write_report
from perfsuite.artifacts import RunStore
from perfsuite.errors import BadSettings
from perfsuite.sandbox.confluence import ConfluenceSpec, OpenConfluence, opened
from perfsuite_confluence.settings import ConfluenceSettings

pytestmark = pytest.mark.anyio
Environment = dict[str, str]
CLOUD = {"CONFLUENCE_EMAIL": "a@example.com", "CONFLUENCE_API_TOKEN": "a-token"}
SITE = "https://example.atlassian.net"


def settings(**environment: str) -> ConfluenceSettings:
    return ConfluenceSettings.load({f"CONFLUENCE_{name}": value for name, value in environment.items()})


@pytest.mark.parametrize(
    "url", [SITE, f"{SITE}/", f"{SITE}/wiki", f"{SITE}/wiki/", f"{SITE}/wiki/spaces/PERF/overview", f"{SITE}/wiki/home"]
)
def test_an_address_in_the_cloud_may_have_wiki_or_not(url: str) -> None:
    found = settings(URL=url, EMAIL="a@example.com", API_TOKEN="a-token")
    assert found.cloud.base_url == f"{SITE}/wiki"
    assert found.site_url == f"{SITE}/wiki"


@pytest.mark.parametrize("path", ["", "/confluence", "/wiki"])
def test_an_address_on_premises_keeps_its_path(path: str) -> None:
    for end in ("", "/", "/rest/api", "/rest/api/"):
        found = settings(URL=f"https://wiki.example.com{path}{end}", PAT="a-token")
        assert found.onprem.base_url == f"https://wiki.example.com{path}"


def test_an_address_without_encryption_is_taken_for_this_machine_alone() -> None:
    assert settings(URL="http://127.0.0.1:8090", PAT="a-token").onprem.base_url == "http://127.0.0.1:8090"
    with pytest.raises(BadSettings, match="https://"):
        settings(URL="http://wiki.example.com", PAT="a-token")


def test_a_token_with_scopes_goes_to_the_gateway() -> None:
    found = settings(URL=SITE, EMAIL="a@example.com", API_TOKEN="a-token", CLOUD_ID="0a1b-2c")
    assert found.cloud.base_url == "https://api.atlassian.com/ex/confluence/0a1b-2c/wiki"
    assert found.site_url == f"{SITE}/wiki"
    with pytest.raises(BadSettings, match="CONFLUENCE_CLOUD_ID"):
        _ = settings(URL=SITE, EMAIL="a@example.com", API_TOKEN="a-token", CLOUD_ID="../x").cloud


@pytest.mark.parametrize(
    ("mode", "given", "missing"),
    [
        ("cloud", {}, "CONFLUENCE_API_TOKEN"),
        ("cloud", {"API_TOKEN": "a-token"}, "CONFLUENCE_EMAIL"),
        ("cloud", {"PAT": "a-token"}, "CONFLUENCE_API_TOKEN"),
        ("onprem", {}, "CONFLUENCE_PAT"),
        ("onprem", {"USER": "somebody"}, "CONFLUENCE_PASSWORD"),
        ("onprem", {"PASSWORD": "something"}, "CONFLUENCE_USER"),
        ("onprem", {"EMAIL": "a@example.com", "API_TOKEN": "a-token"}, "CONFLUENCE_PAT"),
    ],
)
def test_what_is_missing_is_named(mode: str, given: Environment, missing: str) -> None:
    found = settings(URL=SITE, **given)
    with pytest.raises(BadSettings, match=f"{missing} is not set"):
        _ = found.cloud if mode == "cloud" else found.onprem


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch, runs: RunStore) -> Callable[..., Any]:
    """Publish a report to a stand-in that was opened by the test."""

    async def publish(mode: str, environment: Environment) -> dict[str, Any]:
        for name in VARIABLES:
            monkeypatch.delenv(f"CONFLUENCE_{name}", raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        write_report(runs.open_or_create(RUN))
        from mcp import Client

        from perfsuite_confluence.server import server

        async with Client(server) as client:
            return await Publisher(Tools(client), mode).publish()

    return publish


@contextmanager
def standin(**options: Any) -> Iterator[OpenConfluence]:
    with opened(ConfluenceSpec(**options)) as found:
        yield found


Standin = AbstractContextManager[OpenConfluence]


async def test_reports_go_through_the_gateway_with_a_token_of_an_account(published: Any) -> None:
    with standin(flavour="cloud") as found:
        spec = found.standin.spec
        told = await published(
            "cloud",
            {
                "CONFLUENCE_URL": found.gateway_url,
                "CONFLUENCE_EMAIL": spec.email,
                "CONFLUENCE_API_TOKEN": spec.scoped_token,
            },
        )
        assert told["url"].startswith(f"{found.base_url}/spaces/PERF/pages/")


async def test_reports_go_through_the_gateway_with_a_token_of_a_service(published: Any) -> None:
    with standin(flavour="cloud") as found:
        environment = {"CONFLUENCE_URL": found.gateway_url, "CONFLUENCE_API_TOKEN": found.standin.spec.scoped_token}
        assert (await published("cloud", environment))["outcome"] == "created"


@pytest.mark.parametrize("path", ["", "/wiki", "/wiki/"])
async def test_the_address_of_a_cloud_site_works_with_and_without_wiki(published: Any, path: str) -> None:
    with standin(flavour="cloud") as found:
        spec = found.standin.spec
        environment = {
            "CONFLUENCE_URL": f"{found.url}{path}",
            "CONFLUENCE_EMAIL": spec.email,
            "CONFLUENCE_API_TOKEN": spec.api_token,
        }
        assert (await published("cloud", environment))["url"].startswith(f"{found.base_url}/spaces/")


@pytest.mark.parametrize("path", ["", "/confluence", "/wiki"])
async def test_a_server_on_premises_is_reached_under_its_path_by_name_and_password(published: Any, path: str) -> None:
    with standin(flavour="onprem", context_path=path) as found:
        spec = found.standin.spec
        environment = {
            "CONFLUENCE_URL": found.base_url,
            "CONFLUENCE_USER": spec.user,
            "CONFLUENCE_PASSWORD": spec.password,
        }
        told = await published("onprem", environment)
        assert told["url"].startswith(f"{found.base_url}/")


async def test_credentials_in_a_netrc_file_are_not_sent(
    published: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login someone password else\n", encoding="utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with standin(flavour="onprem") as found:
        environment = {"CONFLUENCE_URL": found.base_url, "CONFLUENCE_PAT": found.standin.spec.pat}
        assert (await published("onprem", environment))["outcome"] == "created"


async def test_what_is_no_confluence_is_said(connect: Any, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv("CONFLUENCE_URL", f"http://127.0.0.1:{unused.getsockname()[1]}")
        monkeypatch.setenv("PERFSUITE_HTTP_DEADLINE_S", "2")
        async with connect() as tools:
            said = await tools.refused("list_spaces", mode=mode)
    assert "did not answer" in said
    assert "no connection came about" in said
