"""Who may ask the stand-in of Confluence, how lists go on, and what CQL finds."""

import base64
from typing import Any

import httpx
import pytest

from shared.sandbox.confluence_desk import V2, Desk, desk, said

SPEC = {"most_on_a_page": 4}
"""Of the stand-ins of this module."""


def all_of(http: httpx.Client, path: str, prefix: str = "") -> list[dict[str, Any]]:
    """The rows of a list to its end, as its own links say."""
    found: list[dict[str, Any]] = []
    while path:
        part = http.get(f"{prefix}{path}").raise_for_status().json()
        found += part["results"]
        path = part["_links"].get("next", "")
    return found


def cql(wiki: Desk, query: str) -> list[str]:
    answer = wiki.http.get(f"{wiki.v1}/content/search", params={"cql": query, "limit": 50})
    return [row["title"] for row in answer.raise_for_status().json()["results"]]


def test_the_cloud_takes_its_token_with_the_address_of_its_owner(cloud: Desk) -> None:
    spec = cloud.standin.spec
    path = f"{cloud.base_url}/api/v2/spaces"
    refused = httpx.get(path, auth=(spec.email, "wrong"))
    assert (refused.status_code, refused.json()) == (401, {"code": 401, "message": "Unauthorized"})
    assert httpx.get(path).status_code == 401
    assert httpx.get(path, auth=(spec.email, spec.scoped_token)).status_code == 401
    assert [one.credentials for one in cloud.standin.journal.received()] == ["wrong", "none", "wrong"]


def test_a_server_takes_a_personal_token_or_a_password_and_refuses_with_a_page() -> None:
    with desk("onprem") as wiki:
        spec = wiki.standin.spec
        path = f"{wiki.base_url}/rest/api/user/current"
        assert httpx.get(path, auth=(spec.user, spec.password)).json()["username"] == spec.user
        assert httpx.get(path, headers={"Authorization": f"Bearer {spec.pat}"}).status_code == 200
        refused = httpx.get(path, headers={"Authorization": "Bearer wrong"})
        assert (refused.status_code, refused.headers["Content-Type"]) == (401, "text/html; charset=utf-8")
        assert "WWW-Authenticate" in refused.headers


def test_the_gateway_takes_a_scoped_token_alone_and_knows_its_site(cloud: Desk) -> None:
    spec = cloud.standin.spec
    told = httpx.get(cloud.base_url.removesuffix("/wiki") + "/_edge/tenant_info").json()
    assert cloud.gateway_url.endswith(f"/ex/confluence/{told['cloudId']}")
    path = f"{cloud.gateway_url}{V2}/spaces"
    assert httpx.get(path, auth=(spec.email, spec.scoped_token)).status_code == 200
    assert httpx.get(path, headers={"Authorization": f"Bearer {spec.scoped_token}"}).status_code == 200
    assert httpx.get(path, auth=(spec.email, spec.api_token)).status_code == 401
    elsewhere = path.replace(told["cloudId"], "00000000-0000-4000-8000-000000000000")
    assert httpx.get(elsewhere, auth=(spec.email, spec.scoped_token)).status_code == 401
    with httpx.Client(auth=(spec.email, spec.scoped_token)) as http:
        keys = [one["key"] for one in all_of(http, f"{V2}/spaces?limit=3", cloud.gateway_url)]
    assert keys == list(cloud.standin.site.wiki.spaces)


def test_the_cloud_says_who_asks(cloud: Desk) -> None:
    assert cloud.http.get("/wiki/rest/api/user/current").json()["email"] == cloud.standin.spec.email


def test_a_server_tells_only_what_it_is_asked_for(onprem: Desk) -> None:
    page_id = onprem.new_page("Run 1")
    onprem.http.post(f"/rest/api/content/{page_id}/label", json={"name": "perf-run"})
    path = f"/rest/api/content/{page_id}"
    bare, whole = onprem.http.get(path).json(), onprem.http.get(f"{path}?expand=metadata.labels,history").json()
    assert not {"version", "body", "metadata", "history"} & bare.keys()
    assert [one["name"] for one in whole["metadata"]["labels"]["results"]] == ["perf-run"]
    assert whole["history"]["createdBy"]["displayName"] == "Sandbox"
    assert onprem.http.get("/rest/api/space/QA?expand=description.plain").json()["description"]["plain"]["value"] == ""


def test_a_token_may_lack_a_scope(cloud: Desk) -> None:
    cloud.fault("create_page", "missing_scope", times=1)
    refused = cloud.post_page("Run 1")
    assert (refused.status_code, refused.json()["message"]) == (401, "Unauthorized; scope does not match")


def test_whoever_asks_too_often_is_told_when_to_come_back(wiki: Desk) -> None:
    wiki.fault("search", "too_many", times=1, seconds=7)
    path = f"{wiki.v1}/search?cql=type=page"
    refused, later = wiki.http.get(path), wiki.http.get(path)
    assert (refused.status_code, refused.headers["Retry-After"], later.status_code) == (429, "7", 200)
    assert refused.headers["X-RateLimit-Remaining"] == "0"


def test_lists_go_on_to_their_end_whatever_limit_was_asked_for(wiki: Desk) -> None:
    path = f"{V2}/spaces?limit=100" if wiki.is_cloud else "/rest/api/space?limit=100"
    found = all_of(wiki.http, path)
    assert [one["key"] for one in found] == list(wiki.standin.site.wiki.spaces)
    assert len(wiki.standin.journal.received()) == -(-len(found) // 4)


def test_parts_on_premises_say_how_long_they_are() -> None:
    with desk("onprem", most_on_a_page=4, context_path="/confluence") as wiki:
        part = wiki.http.get("/rest/api/space?start=31&limit=100").json()
        assert (part["start"], part["limit"], part["size"], "next" in part["_links"]) == (31, 4, 2, False)
        first = wiki.http.get("/rest/api/space").json()["_links"]
        assert (first["base"], first["context"]) == (wiki.base_url, "/confluence")
        assert first["next"] == "/rest/api/space?start=4&limit=4"


def test_a_search_goes_on_in_both_ways(wiki: Desk) -> None:
    query = f"{wiki.v1}/search?cql=type=page+order+by+title&limit=3"
    prefix = "/wiki" if wiki.is_cloud else ""
    path, found = query, []
    while path:
        part = wiki.http.get(path).json()
        found += [row["content"]["title"] for row in part["results"]]
        path = f"{prefix}{part['_links']['next']}" if "next" in part["_links"] else ""
    assert found == sorted(found, key=str.casefold)
    assert len(found) == part["totalSize"] == len(wiki.standin.site.wiki.pages)


@pytest.mark.parametrize("cursor", ["nonsense", "bm9uc2Vuc2U=", base64.b64encode(b'{"start": -1}').decode(), "[]", "é"])
def test_a_cursor_of_somebody_elses_is_refused(cloud: Desk, cursor: str) -> None:
    assert cloud.http.get(f"{V2}/spaces", params={"cursor": cursor}).status_code == 400


@pytest.mark.parametrize("limit", ["x", "-1", "9" * 40])
def test_a_limit_is_a_number(wiki: Desk, limit: str) -> None:
    path = f"{V2}/spaces" if wiki.is_cloud else "/rest/api/space"
    assert wiki.http.get(path, params={"limit": limit}).status_code == 400


def test_pages_are_listed_by_space_title_and_status(cloud: Desk) -> None:
    def titles(**asked: str) -> list[str]:
        return [one["title"] for one in cloud.http.get(f"{V2}/pages", params=asked).json()["results"]]

    assert titles(**{"space-id": cloud.space_id("QA"), "limit": "2"}) == ["Quality Home", "Load test reports"]
    assert titles(title="How to") == ["How to"]
    assert titles(title="How to", **{"space-id": cloud.space_id("QA")}) == []
    page_id = cloud.new_page("Run 1")
    cloud.delete_page(page_id)
    assert (titles(title="Run 1"), titles(title="Run 1", status="trashed")) == ([], ["Run 1"])
    assert titles(id=page_id, status="current,trashed") == ["Run 1"]
    assert cloud.http.get(f"{V2}/spaces/{cloud.space_id('QA')}/pages").json()["results"][2]["title"] == "Test plans"


def test_trees_can_be_walked_in_both_directions(cloud: Desk) -> None:
    home = cloud.http.get(f"{V2}/spaces/{cloud.space_id()}").json()["homepageId"]
    rows = cloud.http.get(f"{V2}/pages/{home}/children").json()["results"]
    assert [(one["title"], one["childPosition"]) for one in rows] == [("Load test reports", 0), ("How to", 1)]
    [year, _] = cloud.http.get(f"{V2}/pages/{rows[0]['id']}/direct-children").json()["results"]
    above = cloud.http.get(f"{V2}/pages/{year['id']}/ancestors").json()["results"]
    assert [one["id"] for one in above] == [home, rows[0]["id"]]


def test_a_server_lists_spaces_and_their_pages() -> None:
    with desk("onprem") as wiki:
        found = wiki.http.get("/rest/api/space/QA?expand=homepage").json()
        assert found["homepage"]["title"] == "Quality Home"
        pages = wiki.http.get("/rest/api/space/QA/content/page").json()
        assert [one["title"] for one in pages["results"]] == ["Quality Home", "Load test reports", "Test plans"]
        assert wiki.http.get("/rest/api/space/QA/content").json()["page"]["size"] == 3
        below = wiki.http.get(f"/rest/api/content/{found['homepage']['id']}/child/page").json()
        assert below["size"] == 2
        assert wiki.http.get("/rest/api/space?spaceKey=QA").json()["size"] == 1
        asked = {"spaceKey": "QA", "title": "test plans", "expand": "version,space"}
        [plans] = wiki.http.get("/rest/api/content", params=asked).json()["results"]
        assert (plans["version"]["number"], plans["space"]["key"]) == (1, "QA")
        assert "body" in plans["_expandable"]
        refused = wiki.http.get("/rest/api/space/NONE")
        assert (refused.status_code, said(refused)) == (404, "No space with key : NONE")
        assert wiki.http.get(f"/rest/api/content/{plans['id']}/history").json()["lastUpdated"]["number"] == 1


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ('space = QA AND title = "Test plans"', ["Test plans"]),
        ("space = 'QA' and title ~ \"plans\"", ["Test plans"]),
        ('title ~ "pla*" and type = page', ["Test plans"]),
        ('title ~ "plan"', []),
        ("space in (QA, PERFARCH) AND title = 'load test reports'", ["Load test reports"] * 2),
        ('space = QA AND title != "Test plans" AND title !~ "home"', ["Load test reports"]),
        ('(title = "2026" OR title = "2025") AND space.key = "PERF" ORDER BY title DESC', ["2026", "2025"]),
        ('space = QA AND NOT (title ~ "home" OR title ~ "plans")', ["Load test reports"]),
        ('space not in ("QA") and title = "How to"', ["How to"]),
        ('label = "perf-run"', []),
    ],
)
def test_cql_finds_what_it_says(wiki: Desk, query: str, titles: list[str]) -> None:
    assert cql(wiki, query) == titles


def test_cql_knows_labels_texts_and_trees(wiki: Desk) -> None:
    page_id = wiki.new_page('Run "1"', "<p>Payment was slow.</p>")
    wiki.http.post(f"{wiki.v1}/content/{page_id}/label", json=[{"name": "perf-run"}])
    home = wiki.standin.space("PERF").home_id
    for query in ("label = PERF-run", "text ~ 'payment slow'", f"id = {page_id}", r'title = "Run \"1\""'):
        assert cql(wiki, query) == ['Run "1"']
    assert 'Run "1"' in cql(wiki, f"ancestor = {home} order by id desc")
    wiki.fault("search_content", "not_indexed", times=1)
    assert cql(wiki, f"id = {page_id}") == []
    wiki.delete_page(page_id)
    assert cql(wiki, "label = perf-run") == []


@pytest.mark.parametrize(
    "query",
    ["", "title", "title =", "title = 'a' and", "(title = a", "title = a)", "nothing = a", "space ~ a", "title in a",
     "title = 'a", "title = a order by colour", "(" * 40 + "title = a", "title > 3", "x" * 5000, "and and and"],
)  # fmt: skip
def test_cql_that_cannot_be_read_is_refused(wiki: Desk, query: str) -> None:
    refused = wiki.http.get(f"{wiki.v1}/search", params={"cql": query})
    assert refused.status_code == 400
    assert "Could not parse cql" in said(refused)
