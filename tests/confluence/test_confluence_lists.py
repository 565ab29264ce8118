"""Spaces, pages and reports, as they are listed and found, in both flavours."""

from collections.abc import Callable
from typing import Any

import pytest

from confluence.conftest import RUN, TITLE, Publisher, write_report
from perfsuite.artifacts import RunFolder, RunStore
from perfsuite.sandbox.confluence import OpenConfluence
from perfsuite.sandbox.confluence.spec import SPACES
from perfsuite.sandbox.confluence.wiki import Page, Version

pytestmark = pytest.mark.anyio
Pages = Callable[[str], list[Page]]


async def test_all_spaces_are_listed_in_parts_by_name(connect: Any, mode: str) -> None:
    async with connect() as tools:
        first = await tools.call("list_spaces", mode=mode, limit=20)
        rest = await tools.call("list_spaces", mode=mode, start=20, limit=100)
    assert (first["total"], first["has_more"], rest["has_more"]) == (len(SPACES), True, False)
    names = [one["name"] for one in (*first["spaces"], *rest["spaces"])]
    assert sorted(names) == sorted(one.name for one in SPACES)
    assert names == sorted(names, key=str.casefold)


async def test_lists_that_come_in_many_parts_are_followed_to_the_end(
    connect: Any, mode: str, service: OpenConfluence
) -> None:
    wiki = service.standin.site.wiki
    space = wiki.spaces["QA"]
    for number in range(230):
        wiki.add(space, space.home_id, Version(1, f"Page {number}", "<p>x</p>", 0.0))
    async with connect() as tools:
        told = await tools.call("list_pages", mode=mode, space="QA", start=200, limit=100)
        below = await tools.call("list_pages", mode=mode, space="QA", parent="Quality Home", limit=1)
    assert told["total"] == 233
    assert len(told["pages"]) == 33
    assert (below["total"], below["has_more"]) == (232, True)


@pytest.mark.parametrize("wanted", ["PERF", "Performance Testing", " performance testing ", "perf"])
async def test_a_space_is_found_by_key_or_name(connect: Any, mode: str, wanted: str) -> None:
    async with connect() as tools:
        told = await tools.call("list_spaces", mode=mode, space=wanted)
    assert [(one["key"], one["name"]) for one in told["spaces"]] == [("PERF", "Performance Testing")]
    assert "PERF" in told["spaces"][0]["url"]


async def test_what_was_found_is_noted_for_the_run(connect: Any, mode: str, run: RunFolder, pages: Pages) -> None:
    [page] = [one for one in pages("Load test reports") if one.space.key == "QA"]
    async with connect() as tools:
        await tools.call("list_spaces", mode=mode, space="Quality", run_id=RUN)
        await tools.call("list_pages", mode=mode, space="QA", title="load test REPORTS", run_id=RUN)
    noted = run.record().request.confluence
    assert (noted.mode, noted.space, noted.parent) == (mode, "QA", str(page.id))


async def test_a_search_with_one_hit_notes_the_parent(connect: Any, mode: str, run: RunFolder, pages: Pages) -> None:
    async with connect() as tools:
        told = await tools.call("search_pages", mode=mode, query='"How" to?', space="PERF", run_id=RUN)
    [row] = told["pages"]
    assert row["title"] == "How to"
    assert run.record().request.confluence.parent == row["id"]


async def test_a_search_leaves_out_what_means_something_to_the_query(
    connect: Any, mode: str, service: OpenConfluence
) -> None:
    async with connect() as tools:
        await tools.call("search_pages", mode=mode, query='x" or type = "blogpost" ~ (test)')
        assert "holds no word" in await tools.refused("search_pages", mode=mode, query='"(~*')
    [received, *_] = [one for one in service.standin.journal.received() if one.value("cql")]
    wanted = received.value("cql")
    assert wanted == 'type = page and (title ~ "x or type blogpost test" or text ~ "x or type blogpost test")'


async def test_a_space_is_described_by_its_home_and_what_is_below(connect: Any, mode: str) -> None:
    async with connect() as tools:
        told = await tools.call("get_space_details", mode=mode, space="PERF")
    assert told["homepage_id"]
    assert told["top_pages"] == ["Load test reports", "How to"]


async def test_a_page_is_read_with_its_labels_files_and_text(publisher: Publisher, mode: str) -> None:
    page_id = (await publisher.publish())["page_id"]
    told = await publisher.tools.call("get_page_by_id", mode=mode, page_id=page_id)
    assert (told["title"], told["report_of_run"], told["version"]) == (TITLE, RUN, 2)
    assert told["labels"] == ["performance-test"]
    assert told["attachments"] == ["P90_USERS.png", "ERRORS_BY_CODE.png"]
    assert "Two of five transactions" in told["text"]
    assert "<p>" not in told["text"]


async def test_a_long_page_is_read_in_parts(connect: Any, mode: str, service: OpenConfluence, pages: Pages) -> None:
    [page] = [one for one in pages("How to") if one.space.key == "PERF"]
    service.standin.site.wiki.edit_as_person(page, "<p>" + "word " * 3000 + "</p>", 1.0)
    async with connect() as tools:
        first = await tools.call("get_page_by_id", mode=mode, page_id=str(page.id))
        rest = await tools.call("get_page_by_id", mode=mode, page_id=str(page.id), start=12_000)
    assert (first["has_more"], len(first["text"]), rest["has_more"]) == (True, 6000, False)


async def test_a_page_that_does_not_exist_is_said(connect: Any, mode: str) -> None:
    async with connect() as tools:
        said = await tools.refused("get_page_by_id", mode=mode, page_id="1")
        assert "404" in said
        assert "`page_id`" in await tools.refused("get_page_by_id", mode=mode, page_id="../space")


async def test_reports_of_all_runs_are_listed_with_where_they_are(
    publisher: Publisher, runs: RunStore, mode: str
) -> None:
    write_report(runs.open_or_create("checkout-2"), charts=())
    runs.open_or_create("no-report")
    url = (await publisher.publish())["url"]
    told = await publisher.tools.call("get_available_reports")
    rows = {one["run_id"]: one for one in told["reports"]}
    assert set(rows) == {RUN, "checkout-2"}
    assert (rows[RUN]["charts"], rows[RUN]["published_at"]) == (2, url)
    assert (rows["checkout-2"]["charts"], rows["checkout-2"]["published_at"]) == (0, "")
    assert rows[RUN]["title"] == "Load test of the checkout"


async def test_a_run_without_a_report_names_the_tool_to_call_first(publisher: Publisher, runs: RunStore) -> None:
    runs.open_or_create("no-report")
    for said in (
        await publisher.tools.refused("get_available_reports", run_id="no-report"),
        await publisher.refused(run_id="no-report"),
    ):
        assert "`create_performance_test_report`" in said


async def test_no_reports_at_all_is_said(connect: Any, mode: str) -> None:
    async with connect() as tools:
        told = await tools.call("get_available_reports")
    assert (told["total"], told["has_more"]) == (0, False)
    assert "`create_performance_test_report`" in told["note"]


async def test_a_page_whose_title_is_a_number_is_found_by_it(
    connect: Any, mode: str, service: OpenConfluence, pages: Pages
) -> None:
    [elsewhere] = [one for one in pages("Test plans") if one.space.key == "QA"]
    wiki = service.standin.site.wiki
    space = wiki.spaces["PERF"]
    page = wiki.add(space, space.home_id, Version(1, str(elsewhere.id), "<p>x</p>", 0.0))
    async with connect() as tools:
        told = await tools.call("list_pages", mode=mode, space="PERF", title=str(elsewhere.id))
        assert "is in another space" in await tools.refused(
            "list_pages", mode=mode, space="TEAM1", title=str(elsewhere.id)
        )
    assert [one["id"] for one in told["pages"]] == [str(page.id)]


async def test_a_search_asks_for_no_more_than_is_shown(
    connect: Any, mode: str, service: OpenConfluence, asked: Callable[[str], list[Any]]
) -> None:
    wiki = service.standin.site.wiki
    space = wiki.spaces["QA"]
    for number in range(450):
        wiki.add(space, space.home_id, Version(1, f"Checkout {number}", "<p>x</p>", 0.0))
    async with connect() as tools:
        told = await tools.call("search_pages", mode=mode, query="checkout", limit=5)
        last = await tools.call("search_pages", mode=mode, query="checkout", start=445, limit=100)
    assert (len(told["pages"]), told["has_more"], len(last["pages"]), last["has_more"]) == (5, True, 5, False)
    assert len(asked("search" if mode == "cloud" else "search_content")) == 1 + 3


async def test_a_page_with_much_on_it_still_fits_an_answer(
    connect: Any, mode: str, service: OpenConfluence, pages: Pages
) -> None:
    from perfsuite.sandbox.confluence.wiki import Upload

    [page] = [one for one in pages("How to") if one.space.key == "PERF"]
    wiki = service.standin.site.wiki
    wiki.edit_as_person(page, "<p>" + '"\\ ' * 5000 + "</p>", 1.0)
    page.labels.extend(f"label-{number}-{'x' * 200}" for number in range(100))
    for number in range(60):
        wiki.attach(page, f"{number}-{'x' * 200}.png", Upload(1, b"x", "image/png", 0.0))
    async with connect() as tools:
        said = await tools.try_to("get_page_by_id", mode=mode, page_id=str(page.id))
    assert not said.is_error
    assert said.fields["has_more"]
    assert len(said.text) <= 10_000
