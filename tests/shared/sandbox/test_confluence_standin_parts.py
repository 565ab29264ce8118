"""What hangs on a page of the stand-in of Confluence: attachments, labels and properties."""

from typing import Any

import httpx
import pytest

from shared.sandbox.confluence_desk import MAY_UPLOAD, V2, Desk, desk, said

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
LIMIT = 100_000
SPEC = {"attachment_limit": LIMIT}
"""Of the stand-ins of this module."""


@pytest.fixture
def page_id(wiki: Desk) -> str:
    return wiki.new_page("Run 1")


def download(wiki: Desk, row: dict[str, Any]) -> httpx.Response:
    return httpx.get(f"{wiki.base_url}{row['_links']['download']}")


def size(row: dict[str, Any]) -> int:
    return int(row["fileSize"] if "fileSize" in row else row["extensions"]["fileSize"])


def test_a_file_is_kept_byte_for_byte(wiki: Desk, page_id: str) -> None:
    [made] = wiki.upload(page_id, "p90 ü.png", PNG).raise_for_status().json()["results"]
    assert made["id"].startswith("att")
    [listed] = wiki.attachments(page_id)
    assert (listed["title"], size(listed)) == ("p90 ü.png", len(PNG))
    found = download(wiki, listed)
    assert (found.content, found.headers["Content-Type"]) == (PNG, "image/png")


def test_a_name_is_taken_once_and_its_data_replaced(wiki: Desk, page_id: str) -> None:
    [made] = wiki.upload(page_id, "a.png", PNG).json()["results"]
    refused = wiki.upload(page_id, "a.png", b"other")
    assert refused.status_code == 400
    assert said(refused).endswith("Cannot add a new attachment with same file name as an existing attachment: a.png")
    for written in (made["id"], made["id"].removeprefix("att")):
        path = f"{wiki.v1}/content/{page_id}/child/attachment/{written}/data"
        replaced = wiki.http.post(path, files={"file": ("b.png", b"new", "image/png")}, headers=MAY_UPLOAD)
        assert replaced.json()["title"] == "a.png"
    [row] = wiki.attachments(page_id)
    assert (row["version"]["number"], size(row), download(wiki, row).content) == (3, 3, b"new")


def test_the_cloud_alone_replaces_with_put(wiki: Desk, page_id: str) -> None:
    path = f"{wiki.v1}/content/{page_id}/child/attachment"
    answers = [wiki.http.put(path, files={"file": ("a.png", PNG)}, headers=MAY_UPLOAD).status_code for _ in range(2)]
    assert answers == ([200, 200] if wiki.is_cloud else [405, 405])
    assert len(wiki.attachments(page_id)) == wiki.is_cloud


def test_an_attachment_is_not_updated_as_content_on_premises(wiki: Desk, page_id: str) -> None:
    [made] = wiki.upload(page_id, "a.png", PNG).json()["results"]
    refused = wiki.http.put(f"{wiki.v1}/content/{made['id']}", json={})
    assert refused.status_code == (410 if wiki.is_cloud else 405)


@pytest.mark.parametrize("token", [None, "nocheck", "yes"])
def test_a_form_needs_the_header_that_pages_on_the_web_cannot_send(wiki: Desk, page_id: str, token: str | None) -> None:
    refused = wiki.upload(page_id, "a.png", PNG, headers={"X-Atlassian-Token": token} if token else {})
    taken = wiki.is_cloud and token == "nocheck"
    assert refused.status_code == (200 if taken else 403)
    assert taken or said(refused).endswith("XSRF check failed")


def test_a_file_beyond_the_limit_is_refused(wiki: Desk, page_id: str) -> None:
    assert wiki.upload(page_id, "a.png", bytes(LIMIT)).status_code == 200
    assert wiki.upload(page_id, "b.png", bytes(LIMIT + 1)).status_code == 413
    assert [row["title"] for row in wiki.attachments(page_id)] == ["a.png"]


@pytest.mark.parametrize("name", ["a/b.png", "a\\b.png", "a<b>.png", "a|b.png", "x" * 256])
def test_impossible_names_are_refused(wiki: Desk, page_id: str, name: str) -> None:
    assert wiki.upload(page_id, name, PNG).status_code == 400
    assert wiki.attachments(page_id) == []


def test_what_is_no_form_is_refused(wiki: Desk, page_id: str) -> None:
    path = f"{wiki.v1}/content/{page_id}/child/attachment"
    form = {**MAY_UPLOAD, "Content-Type": "multipart/form-data; boundary=x"}
    assert wiki.http.post(path, content=PNG, headers=MAY_UPLOAD).status_code == 415
    assert wiki.http.post(path, content=PNG, headers=form).status_code == 400
    bare = {**MAY_UPLOAD, "Content-Type": "multipart/form-data"}
    assert wiki.http.post(path, content=PNG, headers=bare).status_code == 400
    assert wiki.http.post(path, files={"picture": ("a.png", PNG)}, headers=MAY_UPLOAD).status_code == 400


def test_an_upload_may_fail_and_leave_a_corrupt_attachment(wiki: Desk, page_id: str) -> None:
    wiki.fault("attach", "corrupt", times=1, share=0.25)
    assert wiki.upload(page_id, "a.png", PNG).status_code == 503
    [row] = wiki.attachments(page_id)
    assert size(row) == len(PNG) // 4
    assert download(wiki, row).content == PNG[: len(PNG) // 4]
    assert wiki.upload(page_id, "a.png", PNG).status_code == 400
    path = f"{wiki.v1}/content/{page_id}/child/attachment/{row['id']}/data"
    assert wiki.http.post(path, files={"file": ("a.png", PNG)}, headers=MAY_UPLOAD).status_code == 200
    assert size(wiki.attachments(page_id)[0]) == len(PNG)


def test_an_answer_may_be_lost_though_the_file_was_kept(wiki: Desk, page_id: str) -> None:
    wiki.fault("attach", "lost_answer", times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        wiki.upload(page_id, "a.png", PNG)
    assert len(wiki.attachments(page_id)) == 1


def test_attachments_are_found_by_name_and_deleted(wiki: Desk, page_id: str) -> None:
    for name in ("a.png", "b.png"):
        wiki.upload(page_id, name, PNG)
    [row] = wiki.attachments(page_id, filename="b.png")
    assert wiki.attachments(page_id, filename="c.png") == []
    path = f"{V2}/attachments/{row['id']}" if wiki.is_cloud else f"/rest/api/content/{row['id']}"
    assert [wiki.http.delete(path).status_code for _ in range(2)] == [204, 404]
    assert [one["title"] for one in wiki.attachments(page_id)] == ["a.png"]
    assert download(wiki, row).status_code == 404
    assert wiki.upload(page_id, "b.png", PNG).status_code == 200


def test_what_is_no_picture_is_never_shown_in_the_browser(wiki: Desk, page_id: str) -> None:
    wiki.upload(page_id, "a.svg", b"<svg onload='alert(1)'/>", "image/svg+xml")
    found = download(wiki, wiki.attachments(page_id)[0])
    assert found.headers["Content-Disposition"] == "attachment"
    assert found.headers["X-Content-Type-Options"] == "nosniff"


def test_the_cloud_leads_programs_to_the_file() -> None:
    with desk("cloud") as wiki:
        page_id = wiki.new_page("Run 1")
        [made] = wiki.upload(page_id, "a.png", PNG).json()["results"]
        path = f"/wiki/rest/api/content/{page_id}/child/attachment/{made['id']}/download"
        assert wiki.http.get(path, follow_redirects=True).content == PNG
        assert wiki.http.get(f"{V2}/attachments/{made['id']}").json()["fileSize"] == len(PNG)


def test_labels_are_set_once_and_removed(wiki: Desk, page_id: str) -> None:
    path = f"{wiki.v1}/content/{page_id}/label"
    for _ in range(2):
        wiki.http.post(path, json=[{"prefix": "global", "name": "perf-run"}, {"prefix": "global", "name": "Retail"}])
    read = f"{V2}/pages/{page_id}/labels" if wiki.is_cloud else path
    assert [one["name"] for one in wiki.http.get(read).json()["results"]] == ["perf-run", "retail"]
    assert [wiki.http.delete(path, params={"name": "retail"}).status_code for _ in range(2)] == [204, 404]
    assert '<span class="label">perf-run</span>' in wiki.look(page_id)


@pytest.mark.parametrize("sent", [[{"name": "two words"}], [{"name": ""}], [{}], 7, [{"name": "<b>"}]])
def test_impossible_labels_are_refused(wiki: Desk, page_id: str, sent: object) -> None:
    assert wiki.http.post(f"{wiki.v1}/content/{page_id}/label", json=sent).status_code == 400
    assert wiki.page(page_id).labels == []


def property_paths(wiki: Desk, page_id: str, made: dict[str, Any]) -> tuple[str, str]:
    """Where properties are made, and where this one is."""
    if wiki.is_cloud:
        return f"{V2}/pages/{page_id}/properties", f"{V2}/pages/{page_id}/properties/{made['id']}"
    return f"/rest/api/content/{page_id}/property", f"/rest/api/content/{page_id}/property/{made['key']}"


def test_a_property_has_versions_of_its_own(wiki: Desk, page_id: str) -> None:
    several, _ = property_paths(wiki, page_id, {"id": "", "key": ""})
    first = {"key": "perfsuite", "value": {"hash": "a"}}
    made = wiki.http.post(several, json=first).json()
    _, one = property_paths(wiki, page_id, made)
    assert wiki.http.post(several, json=first).status_code == 409
    second = {**first, "value": {"hash": "b"}, "version": {"number": 2}}
    assert [wiki.http.put(one, json=second).status_code for _ in range(2)] == [200, 409]
    assert wiki.http.get(one).json()["value"] == {"hash": "b"}
    assert [row["key"] for row in wiki.http.get(several).json()["results"]] == ["perfsuite"]
    assert wiki.get_page(page_id)["version"]["number"] == 1
    assert wiki.http.delete(one).status_code == 204
    assert wiki.http.get(one).status_code == 404


def test_impossible_properties_are_refused(wiki: Desk, page_id: str) -> None:
    several, _ = property_paths(wiki, page_id, {"id": "", "key": ""})
    assert wiki.http.post(several, json={"value": 1}).status_code == 400
    assert wiki.http.post(several, json={"key": "a", "value": "x" * 40_000}).status_code == 413
    made = wiki.http.post(several, json={"key": "a", "value": 1}).json()
    _, one = property_paths(wiki, page_id, made)
    assert wiki.http.put(one, json={"key": "a", "value": 2}).status_code == 400
    assert wiki.page(page_id).properties["a"].value == 1
