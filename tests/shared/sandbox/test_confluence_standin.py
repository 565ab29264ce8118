"""The stand-in of Confluence, in both flavours: pages with versions, unique titles, a trash, and what is refused."""

import httpx
import pytest

from perfsuite.errors import BadInput
from perfsuite.sandbox.confluence import ROUTES, ConfluenceSpec
from shared.sandbox.confluence_desk import STATUS, V2, Desk, desk, said


def test_a_page_is_made_and_read_back(wiki: Desk) -> None:
    page_id = wiki.new_page("Run 1", "<p>one</p>")
    found = wiki.get_page(page_id)
    assert (found["title"], found["status"], found["version"]["number"]) == ("Run 1", "current", 1)
    assert found["body"]["storage"]["value"] == "<p>one</p>"
    assert "<p>one</p>" in wiki.look(page_id)


def test_macros_come_back_with_ids_as_they_are_kept(wiki: Desk) -> None:
    body = f"<p>{STATUS}</p><ac:structured-macro ac:name='code'><ac:plain-text-body><![CDATA[<ac:structured-macro ]]>"
    kept = wiki.get_page(wiki.new_page("Run 1", f"{body}</ac:plain-text-body></ac:structured-macro>"))
    value = kept["body"]["storage"]["value"]
    assert value.count("ac:macro-id=") == 2
    assert "<![CDATA[<ac:structured-macro ]]>" in value


def test_an_update_needs_the_next_number(wiki: Desk) -> None:
    page_id = wiki.new_page("Run 1")
    assert wiki.put_page(page_id, 2, "Run 1", "<p>two</p>").json()["version"]["number"] == 2
    for number in (1, 2, 4):
        refused = wiki.put_page(page_id, number, "Run 1")
        assert refused.status_code == 409
        assert said(refused).endswith("Version must be incremented on update. Current version is: 2")
    assert wiki.get_page(page_id)["body"]["storage"]["value"] == "<p>two</p>"


def test_an_update_without_a_number_is_refused(wiki: Desk) -> None:
    refused = wiki.put_page(wiki.new_page("Run 1"), 2, "Run 1", version={})
    assert (refused.status_code, "No version supplied" in said(refused)) == (400, True)


def test_a_title_is_taken_once_in_a_space_whatever_its_capitals(wiki: Desk) -> None:
    page_id = wiki.new_page("Run 1")
    refused = wiki.post_page("RUN 1")
    assert refused.status_code == 400
    assert "A page with this title already exists" in said(refused)
    assert wiki.post_page("Run 1", space="QA").status_code == 200
    other = wiki.new_page("Run 2")
    assert wiki.put_page(other, 2, "Run 1").status_code == 400
    assert wiki.put_page(page_id, 2, "run 1").status_code == 200


def test_each_flavour_words_a_taken_title_in_its_own_way(cloud: Desk, onprem: Desk) -> None:
    assert cloud.post_page("Load test reports").json()["errors"][0]["title"].endswith("same TITLE in this space")
    found = onprem.post_page("Load test reports").json()
    assert found["message"].endswith("with the title Load test reports in the space with key PERF")
    assert (found["statusCode"], found["reason"]) == (400, "Bad Request")


def test_some_servers_find_a_taken_title_late(onprem: Desk) -> None:
    onprem.fault("create_page", "title_500")
    assert onprem.post_page("Load test reports").status_code == 500
    assert onprem.post_page("Run 1").status_code == 200


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("<p><b>x</p></b>", "Unexpected close tag </p>; expected </b>."),
        ("<p>", "Unexpected close tag </xml>; expected </p>."),
        ("a & b", "Error parsing xhtml"),
        ("<p>&unknown;</p>", "Entity 'unknown' not defined"),
        ("<x:y/>", "Namespace prefix x on y is not defined"),
        ("\x08", "invalid Char value 8"),
        ("</page><page>", "Error parsing xhtml"),
        ("<!DOCTYPE a><p/>", "Error parsing xhtml"),
    ],
)
def test_what_is_no_storage_format_is_refused_with_its_place(wiki: Desk, body: str, words: str) -> None:
    refused = wiki.post_page("Run 1", body)
    assert refused.status_code == 400
    assert words in said(refused)
    assert "[row,col {unknown-source}]: [1," in said(refused)
    page_id = wiki.new_page("Run 1")
    assert wiki.put_page(page_id, 2, "Run 1", body).status_code == 400
    assert wiki.get_page(page_id)["version"]["number"] == 1


def test_entities_of_html_are_taken(wiki: Desk) -> None:
    assert "a\xa0é" in wiki.look(wiki.new_page("Run 1", "<p>a&nbsp;&eacute;</p>"))


@pytest.mark.parametrize("title", ["", "  ", "x" * 256, "half \ud800"])
def test_impossible_titles_are_refused(wiki: Desk, title: str) -> None:
    sent = "\\ud800" if "\ud800" in title else title
    if sent is title:
        assert wiki.post_page(title).status_code == 400
    else:
        path = f"{V2}/pages" if wiki.is_cloud else "/rest/api/content"
        assert wiki.http.post(path, content=f'{{"title":"{sent}"}}').status_code == 400


def test_titles_in_any_script_are_taken(wiki: Desk) -> None:
    page_id = wiki.new_page("Prüfung / 負荷 & <b>")
    assert "<title>Prüfung / 負荷 &amp; &lt;b&gt;</title>" in wiki.look(page_id)


def test_a_space_may_be_read_only(wiki: Desk) -> None:
    assert wiki.post_page("Run 1", space="PERFARCH").status_code == 403
    kept = wiki.standin.site.wiki.found(wiki.standin.space("PERFARCH"), "Load test reports")[0]
    assert wiki.put_page(str(kept.id), 2, "Load test reports").status_code == 403
    assert wiki.upload(str(kept.id), "a.png", b"x").status_code == 403
    assert wiki.delete_page(str(kept.id)).status_code == 403


def test_a_page_in_the_trash_gives_its_title_up_and_comes_back_unchanged(wiki: Desk) -> None:
    page_id = wiki.new_page("Run 1", "<p>one</p>")
    assert wiki.delete_page(page_id).status_code == 204
    assert wiki.get_page(page_id)["status"] == "trashed"
    assert "in the trash" in wiki.look(page_id)
    restored = wiki.put_page(page_id, 2, "Run 1", "<p>two</p>")
    assert restored.status_code == 200
    assert (wiki.get_page(page_id)["status"], wiki.page(page_id).latest.body) == ("current", "<p>one</p>")
    wiki.delete_page(page_id)
    assert wiki.new_page("Run 1") != page_id
    assert wiki.put_page(page_id, 2, "Run 1").status_code == 400


def test_what_stood_under_a_deleted_page_moves_up(cloud: Desk) -> None:
    above = cloud.new_page("Above")
    below = cloud.new_page("Below", parentId=above)
    cloud.delete_page(above)
    assert cloud.get_page(below)["parentId"] == str(cloud.standin.space("PERF").home_id)


def test_a_page_is_purged_from_the_trash_only(cloud: Desk) -> None:
    page_id = cloud.new_page("Run 1")
    purge = f"{V2}/pages/{page_id}?purge=true"
    assert cloud.http.delete(purge).status_code == 400
    cloud.delete_page(page_id)
    assert cloud.http.delete(purge).status_code == 204
    assert cloud.http.get(f"{V2}/pages/{page_id}").status_code == 404


@pytest.mark.parametrize(("parent", "status"), [("1", 404), ("x", 400), ("9" * 30, 400)])
def test_a_parent_must_be_there(cloud: Desk, parent: str, status: int) -> None:
    assert cloud.post_page("Run 1", parentId=parent).status_code == status


def test_a_page_moves_but_never_under_itself_nor_into_another_space(onprem: Desk) -> None:
    above, below = onprem.new_page("Above"), onprem.new_page("Below")
    assert onprem.put_page(below, 2, "Below", ancestors=[{"id": above}]).status_code == 200
    assert [one["title"] for one in onprem.get_page(below)["ancestors"]] == ["Performance Testing Home", "Above"]
    assert onprem.put_page(above, 2, "Above", ancestors=[{"id": below}]).status_code == 400
    elsewhere = onprem.new_page("Elsewhere", space="QA")
    assert onprem.put_page(below, 3, "Below", ancestors=[{"id": elsewhere}]).status_code == 400


def test_somebody_else_may_be_quicker(wiki: Desk) -> None:
    page_id = wiki.new_page("Run 1")
    wiki.fault("update_page", "edited_meanwhile", times=1)
    assert wiki.put_page(page_id, 2, "Run 1").status_code == 409
    found = wiki.get_page(page_id)
    assert (found["version"]["number"], "Somebody else" in found["body"]["storage"]["value"]) == (2, True)
    wiki.fault("update_page", "optimistic_lock", times=1)
    assert "stale data" in said(wiki.put_page(page_id, 3, "Run 1"))
    wiki.fault("update_page", "deleted_meanwhile", times=1)
    assert wiki.put_page(page_id, 3, "Run 1").status_code == 404
    assert wiki.get_page(page_id)["status"] == "trashed"


def test_a_body_beyond_the_limit_is_refused() -> None:
    for flavour in ("cloud", "onprem"):
        with desk(flavour, body_limit=2000) as wiki:  # type: ignore[arg-type]
            assert wiki.post_page("Run 1", "x" * 2000).status_code == 413
            page_id = wiki.new_page("Run 1")
            assert wiki.put_page(page_id, 2, "Run 1", "x" * 2000).status_code == 413


def test_a_body_of_the_usual_limit_passes(onprem: Desk) -> None:
    assert onprem.post_page("Run 1", f"<p>{'x' * 5_000_000}</p>").status_code == 200


def test_drafts_hold_no_title_and_are_not_listed(cloud: Desk) -> None:
    draft = cloud.new_page("Load test reports", status="draft")
    assert cloud.get_page(draft)["status"] == "draft"
    listed = cloud.http.get(f"{V2}/pages", params={"title": "Load test reports", "space-id": cloud.space_id()}).json()
    assert [one["id"] for one in listed["results"]] != [draft]
    assert cloud.put_page(draft, 1, "A title of its own").json()["status"] == "current"


def test_the_cloud_has_no_pages_of_the_first_version(cloud: Desk) -> None:
    for method, path in (("GET", "/content/1"), ("POST", "/content"), ("PUT", "/content/1"), ("GET", "/space/PERF")):
        refused = cloud.http.request(method, f"/wiki/rest/api{path}")
        assert refused.status_code == 410
        assert refused.json()["message"].endswith("This deprecated endpoint has been removed.")


@pytest.mark.parametrize("key", ["id", "status", "title", "version", "body"])
def test_an_update_in_the_cloud_is_whole(cloud: Desk, key: str) -> None:
    page_id = cloud.new_page("Run 1")
    sent = {"id": page_id, "status": "current", "title": "Run 1", "version": {"number": 2}}
    sent["body"] = {"representation": "storage", "value": "<p/>"}
    del sent[key]
    assert cloud.http.put(f"{V2}/pages/{page_id}", json=sent).status_code == 400


def test_a_body_says_how_it_is_written(wiki: Desk) -> None:
    bare = {"value": "<p/>"}
    assert wiki.post_page("Run 1", body=bare if wiki.is_cloud else {"storage": bare}).status_code == 400


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"title": 7}', b'{"spaceId": [], "body": 1}', b'{"space": 7}'])
def test_nonsense_is_refused(wiki: Desk, body: bytes) -> None:
    path = f"{V2}/pages" if wiki.is_cloud else "/rest/api/content"
    assert wiki.http.post(path, content=body).status_code in {400, 404}


def test_earlier_versions_can_be_read(cloud: Desk) -> None:
    page_id = cloud.new_page("Run 1", "<p>one</p>")
    cloud.put_page(page_id, 2, "Run 2", "<p>two</p>")
    first = cloud.http.get(f"{V2}/pages/{page_id}?version=1&body-format=storage").json()
    assert (first["title"], first["body"]["storage"]["value"]) == ("Run 1", "<p>one</p>")
    listed = cloud.http.get(f"{V2}/pages/{page_id}/versions").json()["results"]
    assert [(one["number"], one["message"]) for one in listed] == [(2, "by a test"), (1, "")]


def test_every_route_has_a_name_of_its_own_flavour() -> None:
    assert {route.name.rpartition(".")[0] for route in ROUTES} == {"confluence.cloud", "confluence.onprem"}
    assert len({(route.method, route.path, route.name) for route in ROUTES}) == len(ROUTES)


@pytest.mark.parametrize("wrong", [{"attachment_limit": 0}, {"body_limit": 0}, {"context_path": "wiki"}])
def test_what_cannot_be_opened_is_said(wrong: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        ConfluenceSpec(**wrong)  # type: ignore[arg-type]


def test_pages_on_the_web_cannot_ask(wiki: Desk) -> None:
    assert wiki.http.get(f"{wiki.v1}/search?cql=type=page", headers={"Host": "evil.example"}).status_code == 400
    assert httpx.get(wiki.base_url, headers={"Host": "evil.example"}, follow_redirects=True).status_code == 400
