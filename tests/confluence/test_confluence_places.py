"""Where the page of a report is and what it is called: what people decided about that stays."""

from collections.abc import Callable

import pytest

from confluence.conftest import CHANGED, TITLE, Publisher, write_report
from perfsuite.artifacts import RunFolder
from perfsuite.sandbox.confluence import OpenConfluence
from perfsuite.sandbox.confluence.wiki import Page

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
