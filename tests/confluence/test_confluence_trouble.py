"""What goes wrong while a report is published, in both flavours: nothing of a person is lost, nothing is made twice."""

from collections.abc import Callable
from typing import Any

import anyio.lowlevel
import pytest

from confluence.conftest import CHANGED, RUN, TITLE, Publisher, User, png, write_report
from perfsuite.artifacts import RunFolder, RunStore, layout
from perfsuite.sandbox.confluence import OpenConfluence
from perfsuite.sandbox.confluence.wiki import Page, Upload
from perfsuite.workflow import Ledger

pytestmark = pytest.mark.anyio
Pages = Callable[[str], list[Page]]
Asked = Callable[[str], list[Any]]
Switch = Callable[..., None]
BY_HAND = "<p>What somebody thinks about it.</p>"


@pytest.fixture
def edit(service: OpenConfluence) -> Callable[[Page, str], None]:
    """Change a page as somebody does in a browser."""
    return lambda page, body: service.standin.site.wiki.edit_as_person(page, body, service.standin.clock.now()) and None


async def test_a_page_that_somebody_edited_is_not_overwritten(
    publisher: Publisher, pages: Pages, run: RunFolder, edit: Callable[[Page, str], None]
) -> None:
    await publisher.publish()
    [page] = pages(TITLE)
    edit(page, BY_HAND)
    write_report(run, CHANGED)
    said = await publisher.refused()
    assert "was edited by" in said
    assert "overwrite=true" in said
    assert page.latest.body == BY_HAND
    would = await publisher.publish(dry_run=True)
    assert would["outcome"] == "would_refuse"
    assert "would be refused" in " ".join(would["notes"])
    assert "overwrite=true" in would["next_step"]
    told = await publisher.publish(overwrite=True)
    assert (told["outcome"], told["version"]) == ("updated", 4)
    assert BY_HAND in [one.body for one in page.versions]


async def test_an_edit_stays_when_the_report_is_still_the_same(
    publisher: Publisher, pages: Pages, edit: Callable[[Page, str], None]
) -> None:
    await publisher.publish()
    [page] = pages(TITLE)
    edit(page, BY_HAND)
    told = await publisher.publish()
    assert told["outcome"] == "unchanged"
    assert "what they wrote stays" in " ".join(told["notes"])
    assert page.latest.body == BY_HAND


async def test_a_version_without_another_text_is_no_edit(
    publisher: Publisher, pages: Pages, run: RunFolder, edit: Callable[[Page, str], None]
) -> None:
    await publisher.publish()
    [page] = pages(TITLE)
    edit(page, page.latest.body)
    write_report(run, CHANGED)
    assert (await publisher.publish())["version"] == 4


async def test_an_edit_between_reading_and_writing_is_not_overwritten(
    publisher: Publisher, pages: Pages, run: RunFolder, fault: Switch
) -> None:
    await publisher.publish()
    write_report(run, CHANGED)
    fault("update_page", "edited_meanwhile", times=1)
    said = await publisher.refused()
    assert "was changed by somebody while it was being published" in said
    [page] = pages(TITLE)
    assert "Somebody else wrote this" in page.latest.body
    assert "was edited by" in await publisher.refused()


async def test_a_lock_that_confluence_put_on_itself_is_waited_for(
    publisher: Publisher, pages: Pages, fault: Switch, asked: Asked
) -> None:
    fault("update_page", "optimistic_lock", times=2)
    assert (await publisher.publish())["version"] == 2
    assert len(asked("update_page")) == 3


async def test_a_file_that_somebody_replaced_is_not_overwritten(
    publisher: Publisher, pages: Pages, run: RunFolder
) -> None:
    await publisher.publish()
    [page] = pages(TITLE)
    theirs = Upload(2, png(shade=1), "image/png", 1_770_000_001.0, "with my marks")
    page.attachment("P90_USERS.png").uploads.append(theirs)  # type: ignore[union-attr]
    write_report(run, CHANGED)
    said = await publisher.refused()
    assert "P90_USERS.png" in said
    await publisher.publish(overwrite=True)
    assert len(page.attachment("P90_USERS.png").uploads) == 3  # type: ignore[union-attr]


async def test_a_page_that_was_deleted_is_made_again(
    publisher: Publisher, pages: Pages, service: OpenConfluence
) -> None:
    first = await publisher.publish()
    service.standin.site.wiki.trash(pages(TITLE)[0])
    second = await publisher.publish()
    assert second["outcome"] == "created"
    assert second["page_id"] != first["page_id"]
    assert "deleted" in " ".join(second["notes"])


async def test_a_page_that_goes_away_meanwhile_is_said_and_made_again(
    publisher: Publisher, pages: Pages, fault: Switch
) -> None:
    fault("update_page", "deleted_meanwhile", times=1)
    said = await publisher.refused()
    assert "went away while it was being published" in said
    assert "makes the page anew" in said
    assert (await publisher.publish())["outcome"] == "created"
    assert len(pages(TITLE)) == 1


async def test_a_page_of_somebody_else_is_never_taken(publisher: Publisher, pages: Pages) -> None:
    said = await publisher.refused(title="How to")
    assert "is taken" in said
    assert "was not made by `publish_report`" in said
    assert "is taken" in await publisher.refused(title="how TO", overwrite=True)
    [page] = [one for one in pages("How to") if one.space.key == "PERF"]
    assert len(page.versions) == 1


async def test_the_page_of_another_run_is_taken_only_when_that_was_agreed(
    publisher: Publisher, runs: RunStore, pages: Pages
) -> None:
    write_report(runs.open_or_create("checkout-2"))
    first = await publisher.publish(title="Nightly")
    assert RUN in await publisher.refused(run_id="checkout-2", title="Nightly")
    second = await publisher.publish(run_id="checkout-2", title="Nightly", overwrite=True)
    assert second["page_id"] == first["page_id"]
    assert "shows the report of 'checkout-2' now" in await publisher.refused(title="Nightly")


async def test_a_title_that_is_taken_by_a_page_in_the_archive_is_said(publisher: Publisher, pages: Pages) -> None:
    [page] = [one for one in pages("How to") if one.space.key == "PERF"]
    page.status = "archived"
    said = await publisher.refused(title="How to")
    assert "taken" in said
    assert "Give another `title`" in said


async def test_a_space_that_may_only_be_read_is_said(publisher: Publisher, pages: Pages) -> None:
    said = await publisher.refused(space="PERFARCH")
    assert "A page cannot be made in space PERFARCH" in said
    assert "choose a space that it may write to" in said
    assert pages(TITLE) == []


async def test_a_space_that_does_not_exist_is_said_with_what_is_similar(publisher: Publisher) -> None:
    said = await publisher.refused(space="Performance Testin")
    assert "PERF (Performance Testing)" in said


async def test_a_broken_file_that_a_503_left_is_replaced(
    publisher: Publisher, pages: Pages, run: RunFolder, fault: Switch
) -> None:
    fault("attach", "corrupt", times=1, share=0.5)
    fault("replace", "corrupt", times=1, share=0.2)
    told = await publisher.publish()
    [page] = pages(TITLE)
    assert told["files_added"] == 2
    for one in page.attachments:
        chart = one.title.removesuffix(".png")
        assert one.latest.content == run.path(layout.CHART, chart_id=chart).read_bytes()


async def test_a_broken_file_of_a_call_that_ended_there_is_replaced_by_the_next(
    publisher: Publisher, pages: Pages, run: RunFolder, fault: Switch
) -> None:
    fault("attach", "corrupt", times=1)
    fault("replace", "server_error", times=3)
    await publisher.refused()
    told = await publisher.publish()
    assert (told["outcome"], told["files_replaced"]) == ("created", 1)
    assert all(one.latest.content.endswith(b"IEND\xaeB`\x82") for one in pages(TITLE)[0].attachments)


async def test_a_call_that_ended_in_the_middle_is_completed_on_the_same_page(
    publisher: Publisher, pages: Pages, fault: Switch
) -> None:
    fault("attach", "server_error", times=4)
    assert "503" in await publisher.refused()
    [page] = pages(TITLE)
    assert "is being published" in page.latest.body
    told = await publisher.publish()
    assert (told["outcome"], told["page_id"], told["version"]) == ("created", str(page.id), 2)
    assert len(pages(TITLE)) == 1


async def test_a_page_whose_making_was_not_answered_is_found_and_not_made_twice(
    publisher: Publisher, pages: Pages, fault: Switch, asked: Asked
) -> None:
    fault("create_page", "lost_answer", times=1)
    assert (await publisher.publish())["outcome"] == "created"
    assert len(pages(TITLE)) == 1
    assert len(asked("create_page")) == 1


async def test_an_update_that_was_not_answered_is_looked_up_and_not_sent_twice(
    publisher: Publisher, pages: Pages, fault: Switch, asked: Asked
) -> None:
    fault("update_page", "lost_answer", times=1)
    assert (await publisher.publish())["version"] == 2
    assert len(asked("update_page")) == 1
    assert (await publisher.publish())["outcome"] == "unchanged"


async def test_a_page_without_our_mark_is_known_by_the_run_folder(
    publisher: Publisher, pages: Pages, fault: Switch
) -> None:
    fault("create_property", "server_error", times=1, status=500)
    await publisher.refused()
    [page] = pages(TITLE)
    assert "Findings" in page.latest.body
    assert (await publisher.publish())["page_id"] == str(page.id)
    assert (await publisher.publish())["outcome"] == "unchanged"


async def test_without_the_run_folder_the_page_is_known_by_its_mark(
    publisher: Publisher, pages: Pages, run: RunFolder
) -> None:
    first = await publisher.publish()
    run.path(layout.PUBLISHED).unlink()
    second = await publisher.publish()
    assert (second["outcome"], second["page_id"]) == ("unchanged", first["page_id"])


async def test_too_many_requests_are_waited_for(publisher: Publisher, fault: Switch) -> None:
    for route in ("create_page", "attach", "update_page", "attachments"):
        fault(route, "too_many", times=1, seconds=0.01)
    assert (await publisher.publish())["outcome"] == "created"


async def test_a_file_that_is_too_large_is_said_by_its_name(
    publisher: Publisher, run: RunFolder, service: OpenConfluence
) -> None:
    with run.staged(layout.CHART, chart_id="P90_USERS") as target:
        target.write_bytes(png() + b"\0" * service.standin.spec.attachment_limit)
    said = await publisher.refused()
    assert "does not take 'P90_USERS.png'" in said
    assert "raise the limit" in said


async def test_wrong_credentials_name_the_variable(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    name = "CONFLUENCE_API_TOKEN" if mode == "cloud" else "CONFLUENCE_PAT"
    monkeypatch.setenv(name, "not-the-right-one")
    said = await publisher.refused()
    assert name in said
    assert "401" in said
    assert "not-the-right-one" not in said


async def test_a_page_of_html_in_place_of_an_answer_is_said(publisher: Publisher, fault: Switch) -> None:
    fault("space" if publisher.mode == "onprem" else "spaces", "wrong_type")
    assert "JSON was expected" in await publisher.refused()


async def test_an_answer_that_broke_off_is_asked_for_again(publisher: Publisher, fault: Switch, asked: Asked) -> None:
    await publisher.publish()
    fault("attachments", "reset", times=1)
    assert (await publisher.publish())["outcome"] == "unchanged"
    assert len(asked("attachments")) == 2


async def test_half_an_answer_is_never_taken_for_a_whole_one(publisher: Publisher, fault: Switch, asked: Asked) -> None:
    await publisher.publish()
    fault("attachments", "truncated", times=1)
    assert (await publisher.publish())["outcome"] == "unchanged"
    assert len(asked("attachments")) == 2
    fault("attachments", "truncated")
    assert "JSON that breaks off" in await publisher.refused()


async def test_an_answer_that_is_too_long_is_not_read(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERFSUITE_HTTP_MAX_ANSWER_BYTES", "300")
    assert "more than 300 bytes" in await publisher.refused()


async def test_both_generations_of_the_protocol_publish_after_asking(
    connect: Any, mode: str, run: RunFolder, pages: Pages
) -> None:
    for era in ("auto", "legacy"):
        user = User()
        async with connect(era, elicitation_callback=user) as tools:
            await Publisher(tools, mode).publish(title=f"By {era}", space="QA" if era == "auto" else "TEAM1")
        assert len(user.questions) == 1
        assert len(pages(f"By {era}")) == 1


async def test_whoever_waits_on_for_what_was_agreed_to_is_not_asked_again(
    connect: Any, publisher: Publisher, mode: str, pages: Pages, edit: Callable[[Page, str], None]
) -> None:
    await publisher.publish()
    [page] = pages(TITLE)
    edit(page, BY_HAND)
    user = User()
    async with connect(elicitation_callback=user) as tools:
        asks = {"mode": mode, "run_id": RUN, "space": "PERF", "overwrite": True}
        assert (await tools.call("publish_report", **asks, wait_s=0))["state"] == "working"
        assert (await tools.call("publish_report", **asks))["result"]["outcome"] == "updated"
        assert len(user.questions) == 1
        await tools.call("publish_report", **asks)
    assert len(user.questions) == 2


async def test_a_report_that_is_being_published_is_not_published_by_another_process(
    publisher: Publisher, run: RunFolder, asked: Asked
) -> None:
    with Ledger(run).step("confluence", "publish", tool="publish_report"):
        assert "already running" in await publisher.refused()
    assert not asked("create_page")
    assert (await publisher.publish())["outcome"] == "created"


async def test_work_that_was_cancelled_is_completed_by_the_next_call(
    publisher: Publisher, pages: Pages, run: RunFolder, asked: Asked
) -> None:
    names = tuple(f"CPU_UTILIZATION_{number}" for number in range(60))
    write_report(run, "# Load test of the checkout\n\n" + "".join(f"![c](../charts/{n}.png)\n\n" for n in names), names)
    where = {"mode": publisher.mode, "run_id": RUN, "space": "PERF", "confirm": True}
    assert (await publisher.tools.call("publish_report", **where, wait_s=0))["state"] == "working"
    while len(asked("attach")) < 5:
        await anyio.lowlevel.checkpoint()
    await publisher.tools.call("cancel_job", run_id=RUN, tool="publish_report")
    [page] = pages(TITLE)
    assert "is being published" in page.latest.body
    told = await publisher.publish()
    assert (told["outcome"], told["page_id"]) == ("created", str(page.id))
    assert (len(page.attachments), len(page.versions)) == (60, 2)
    assert told["files_kept"] >= 4
