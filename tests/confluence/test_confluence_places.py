"""Where the page of a report is and what it is called: what people decided about that stays."""

from collections.abc import Callable

import pytest

from confluence.conftest import CHANGED, RUN, TITLE, Publisher, write_report
from perfsuite.artifacts import RunFolder, layout
from perfsuite.artifacts.schemas import ConfluenceRequest
from perfsuite.sandbox.confluence import OpenConfluence
from perfsuite.sandbox.confluence.wiki import Page
from perfsuite.workflow import Ledger

pytestmark = pytest.mark.anyio
Pages = Callable[[str], list[Page]]


async def test_a_page_that_somebody_moved_stays_where_it_is(publisher: Publisher, pages: Pages, run: RunFolder) -> None:
    await publisher.publish(parent="Load test reports")
    [page], [other] = pages(TITLE), [one for one in pages("How to") if one.space.key == "PERF"]
    page.parent_id = other.id
    write_report(run, CHANGED)
    told = await publisher.publish(parent="Load test reports")
    assert page.parent_id == other.id
    assert "moved" in " ".join(told["notes"])


async def test_a_parent_that_moved_within_the_space_is_still_the_parent(publisher: Publisher, pages: Pages) -> None:
    await publisher.publish(parent="Load test reports")
    [parent], [above] = (
        [one for one in pages(title) if one.space.key == "PERF"] for title in ("Load test reports", "How to")
    )
    parent.parent_id = above.id
    assert (await publisher.publish(parent="Load test reports"))["outcome"] == "unchanged"


async def test_a_parent_that_moved_to_another_space_is_said_and_the_page_stays(
    publisher: Publisher, pages: Pages
) -> None:
    [parent] = [one for one in pages("Load test reports") if one.space.key == "PERF"]
    await publisher.publish(parent=str(parent.id))
    [page], [elsewhere] = pages(TITLE), [one for one in pages("Test plans") if one.space.key == "QA"]
    parent.space = elsewhere.space
    said = await publisher.refused(parent=str(parent.id))
    assert "is in another space than PERF" in said
    assert "It may have been moved" in said
    assert (page.space.key, len(page.versions)) == ("PERF", 2)


async def test_another_parent_moves_the_page(publisher: Publisher, pages: Pages) -> None:
    first = await publisher.publish(parent="Load test reports")
    second = await publisher.publish(parent="How to")
    [page], [other] = pages(TITLE), [one for one in pages("How to") if one.space.key == "PERF"]
    assert (second["outcome"], second["page_id"]) == ("updated", first["page_id"])
    assert page.parent_id == other.id


async def test_a_page_that_somebody_renamed_keeps_its_name(
    publisher: Publisher, pages: Pages, run: RunFolder, service: OpenConfluence
) -> None:
    from dataclasses import replace

    await publisher.publish()
    [page] = pages(TITLE)
    page.versions.append(replace(page.latest, number=3, title="The checkout in May"))
    write_report(run, CHANGED)
    told = await publisher.publish()
    assert told["title"] == page.title == "The checkout in May"
    assert "renamed" in " ".join(told["notes"])
    assert (await publisher.publish())["outcome"] == "unchanged"


async def test_a_title_that_is_asked_for_later_renames_the_page(publisher: Publisher, pages: Pages) -> None:
    first = await publisher.publish()
    second = await publisher.publish(title="Checkout, May")
    assert (second["page_id"], second["title"]) == (first["page_id"], "Checkout, May")
    assert "is taken" in await publisher.refused(title="How to")
    assert pages(TITLE) == []


async def test_a_parent_that_does_not_exist_is_said_with_what_is_similar(publisher: Publisher) -> None:
    said = await publisher.refused(parent="Load test report")
    assert "has no page 'Load test report'" in said
    assert "'Load test reports'" in said


async def test_a_parent_in_another_space_is_refused(publisher: Publisher, pages: Pages) -> None:
    [other] = [one for one in pages("Test plans") if one.space.key == "QA"]
    assert "is in another space" in await publisher.refused(parent=str(other.id))


def _in_perf(pages: Pages, title: str) -> Page:
    [found] = [one for one in pages(title) if one.space.key == "PERF"]
    return found


async def test_a_page_that_was_deleted_is_made_again_where_it_was(
    publisher: Publisher, pages: Pages, service: OpenConfluence, mode: str
) -> None:
    parent = _in_perf(pages, "Load test reports")
    await publisher.publish(parent=parent.id)
    service.standin.site.wiki.trash(pages(TITLE)[0])
    await publisher.tools.call("list_spaces", mode=mode, space="PERF", run_id=RUN)
    for dry_run in (True, False):
        told = await publisher.publish(space=None, dry_run=dry_run)
        assert (told["space"], told["parent_id"], told["parent_title"]) == ("PERF", str(parent.id), parent.title)
    assert told["outcome"] == "created"
    assert pages(TITLE)[0].parent_id == parent.id


async def test_a_publication_of_before_tells_space_and_parent(
    publisher: Publisher, pages: Pages, service: OpenConfluence, run: RunFolder
) -> None:
    parent = _in_perf(pages, "Load test reports")
    await publisher.publish(parent=parent.title)
    without = {"request": run.record().request.model_copy(update={"confluence": ConfluenceRequest()})}
    run.update(lambda record: record.model_copy(update=without))
    service.standin.site.wiki.trash(pages(TITLE)[0])
    told = await publisher.publish(space=None)
    assert (told["outcome"], told["parent_id"]) == ("created", str(parent.id))


async def test_without_a_parent_the_answer_names_the_home_page(publisher: Publisher, pages: Pages) -> None:
    would, did = await publisher.publish(dry_run=True), await publisher.publish()
    assert would["parent_id"] == did["parent_id"] != ""
    assert would["parent_title"] == did["parent_title"] != ""


async def test_the_same_call_again_goes_on_after_a_failure(
    publisher: Publisher, pages: Pages, fault: Callable[..., None]
) -> None:
    fault("attach", "server_error", times=4)
    said = await publisher.refused(parent="Load test reports")
    assert "Look it up" not in said
    assert "Call `publish_report` again" in said
    told = await publisher.publish(space=None)
    assert (told["space"], told["parent_title"]) == ("PERF", "Load test reports")
    assert len(pages(TITLE)) == 1


async def test_a_report_that_is_out_of_date_is_said_to_be(publisher: Publisher, run: RunFolder) -> None:
    with Ledger(run).step("perfreport", "report", tool="create_performance_test_report") as step:
        step.produced(run.path(layout.REPORT_MARKDOWN))
        made_of = run.root / "slas.txt"
        made_of.write_text("1", encoding="utf-8")
        step.used(made_of)
    assert not [one for one in (await publisher.publish())["notes"] if "Not up to date" in one]
    made_of.write_text("22", encoding="utf-8")
    [note] = [one for one in (await publisher.publish())["notes"] if "Not up to date" in one]
    assert "Report (stale, `create_performance_test_report`)" in note
    assert "slas.txt" in note


async def test_a_page_tells_the_key_of_its_space(publisher: Publisher, pages: Pages, mode: str) -> None:
    page = _in_perf(pages, "How to")
    assert (await publisher.tools.call("get_page_by_id", mode=mode, page_id=page.id))["space"] == "PERF"
