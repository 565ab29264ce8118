"""Publishing a report, in both flavours: once, again, and after a change."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from confluence.conftest import CHARTS, RUN, TITLE, Publisher, User, png, write_report
from perfsuite.artifacts import RunFolder, RunStore, layout
from perfsuite.sandbox.confluence import OpenConfluence
from perfsuite.workflow import Ledger

pytestmark = pytest.mark.anyio
Pages = Callable[[str], list[Any]]
Asked = Callable[[str], list[Any]]
WRITES = ("create_page", "update_page", "attach", "replace", "create_property", "update_property", "add_labels")


def written(asked: Asked) -> dict[str, int]:
    return {route: len(asked(route)) for route in WRITES}


async def test_a_report_becomes_one_page_with_its_charts_under_the_parent(
    publisher: Publisher, pages: Pages, run: RunFolder
) -> None:
    told = await publisher.publish(parent="Load test reports")
    [page], [parent] = pages(TITLE), [one for one in pages("Load test reports") if one.space.key == "PERF"]
    assert page.parent_id == parent.id
    assert (told["outcome"], told["page_id"], told["version"]) == ("created", str(page.id), 2)
    assert {one.title: one.latest.content for one in page.attachments} == {
        f"{chart}.png": run.path(layout.CHART, chart_id=chart).read_bytes() for chart in CHARTS
    }
    assert [one.latest.media_type for one in page.attachments] == ["image/png", "image/png"]
    assert page.labels == ["performance-test"]
    assert f"pageId={page.id}" in told["url"] or f"/{page.id}/" in told["url"]


async def test_what_was_sent_is_kept_in_the_run_folder_and_on_the_page(
    publisher: Publisher, pages: Pages, run: RunFolder, mode: str
) -> None:
    told = await publisher.publish()
    [page] = pages(TITLE)
    kept = json.loads(run.path(layout.PUBLISHED).read_text(encoding="utf-8"))
    mark = page.properties["perfsuite-report"].value
    assert (kept["page_id"], kept["version"], kept["url"]) == (str(page.id), 2, told["url"])
    assert (kept["mode"], kept["space_key"], kept["state"]) == (mode, "PERF", "published")
    assert kept["content_hash"] == mark["content_hash"]
    assert mark["run_id"] == RUN
    storage = run.path(layout.REPORT_STORAGE).read_text(encoding="utf-8")
    assert "<h2>Scope</h2>" in storage
    assert "xmlns" not in storage


async def test_the_step_is_done_in_the_ledger_with_what_it_was_made_of(publisher: Publisher, run: RunFolder) -> None:
    await publisher.publish()
    [stage] = [one for one in Ledger(run).status().stages if one.stage == "confluence"]
    assert {one.step: one.state for one in stage.steps}["publish"] == "done"
    [record] = [one for one in run.record().ledger if one.step == "publish"]
    assert {one.path for one in record.inputs} == {
        f"reports/performance_report_{RUN}.md", *(f"charts/{chart}.png" for chart in CHARTS),
    }  # fmt: skip


async def test_publishing_twice_changes_nothing_the_second_time(
    publisher: Publisher, pages: Pages, asked: Asked
) -> None:
    first = await publisher.publish(parent="Load test reports")
    before = written(asked)
    second = await publisher.publish(parent="Load test reports")
    assert second["outcome"] == "unchanged"
    assert (second["page_id"], second["files_kept"]) == (first["page_id"], 2)
    assert written(asked) == before
    [page] = pages(TITLE)
    assert len(page.versions) == 2


async def test_a_changed_chart_alone_is_sent_again(publisher: Publisher, pages: Pages, run: RunFolder) -> None:
    await publisher.publish()
    with run.staged(layout.CHART, chart_id=CHARTS[0]) as target:
        target.write_bytes(png(shade=7))
    told = await publisher.publish()
    assert (told["outcome"], told["files_replaced"], told["files_kept"], told["files_added"]) == ("updated", 1, 1, 0)
    [page] = pages(TITLE)
    assert {one.title: len(one.uploads) for one in page.attachments} == {"P90_USERS.png": 2, "ERRORS_BY_CODE.png": 1}
    assert page.attachment("P90_USERS.png").latest.content == png(shade=7)


async def test_a_changed_text_is_a_new_version_and_the_charts_stay(
    publisher: Publisher, pages: Pages, run: RunFolder, asked: Asked
) -> None:
    await publisher.publish()
    write_report(run, "# Load test of the checkout\n\nNow it is **[PASS]**.\n\n![p90](../charts/P90_USERS.png)\n")
    told = await publisher.publish()
    [page] = pages(TITLE)
    assert (told["outcome"], told["version"], len(page.versions)) == ("updated", 3, 3)
    assert "Now it is" in page.latest.body
    assert len(asked("attach")) == 2
    assert not asked("replace")
    [note] = [one for one in told["notes"] if "earlier report" in one]
    assert note.endswith("the page shows them no more: ERRORS_BY_CODE.png.")


async def test_at_no_moment_a_page_shows_what_is_not_there_yet(publisher: Publisher, pages: Pages) -> None:
    await publisher.publish()
    [page] = pages(TITLE)
    first, last = page.versions
    assert "is being published" in first.body
    for sign in ("ac:image", "charts/", "{{", "block:"):
        assert sign not in first.body
    assert "is being published" not in last.body
    assert "block:" not in last.body


async def test_a_dry_run_sends_nothing_and_says_what_would_change(
    publisher: Publisher, pages: Pages, asked: Asked, run: RunFolder
) -> None:
    told = await publisher.publish(dry_run=True, confirm=False)
    assert (told["outcome"], told["files_added"], told["page_id"]) == ("would_create", 2, None)
    assert run.path(layout.REPORT_STORAGE).is_file()
    assert not any(written(asked).values())
    await publisher.publish()
    assert (await publisher.publish(dry_run=True))["outcome"] == "unchanged"
    write_report(run, "# Load test of the checkout\n\nShorter.\n")
    assert (await publisher.publish(dry_run=True))["outcome"] == "would_update"
    assert len(pages(TITLE)[0].versions) == 2


async def test_the_user_is_asked_before_the_first_report_in_a_space_and_not_again(
    connect: Any, mode: str, runs: RunStore, run: RunFolder
) -> None:
    user = User()
    async with connect(elicitation_callback=user) as tools:
        publisher = Publisher(tools, mode, {"confirm": False})
        await publisher.publish()
        assert len(user.questions) == 1
        assert "'PERF'" in user.questions[0]
        await publisher.publish()
        write_report(runs.open_or_create("checkout-2"))
        await publisher.publish(run_id="checkout-2", space="Performance Testing")
        assert len(user.questions) == 1
        await publisher.publish(space="QA", title="Elsewhere")
        assert len(user.questions) == 2


async def test_a_user_who_declines_has_nothing_published(connect: Any, mode: str, run: RunFolder, asked: Asked) -> None:
    async with connect(elicitation_callback=User(agrees=False)) as tools:
        said = await Publisher(tools, mode).refused()
    assert "Nothing was changed" in said
    assert not any(written(asked).values())


async def test_a_client_that_cannot_ask_must_confirm(publisher: Publisher, asked: Asked) -> None:
    said = await publisher.refused(confirm=False)
    assert "confirm=true" in said
    assert not any(written(asked).values())


async def test_two_runs_have_a_page_each_though_their_reports_have_one_heading(
    publisher: Publisher, runs: RunStore, pages: Pages
) -> None:
    write_report(runs.open_or_create("checkout-2"))
    first = await publisher.publish()
    second = await publisher.publish(run_id="checkout-2")
    assert first["page_id"] != second["page_id"]
    assert second["title"] == "Load test of the checkout (checkout-2)"


async def test_a_hundred_charts_arrive_whole_and_are_not_sent_twice(
    publisher: Publisher, pages: Pages, run: RunFolder, asked: Asked
) -> None:
    names = tuple(f"CPU_UTILIZATION_{number}" for number in range(100))
    lines = [f"![{name}](../charts/{name}.png)\n" for name in names]
    write_report(run, "# Load test of the checkout\n\n" + "\n".join(lines), names)
    told = await publisher.publish()
    assert told["files_added"] == 100
    [page] = pages(TITLE)
    digests = {one.title: hashlib.sha256(one.latest.content).hexdigest() for one in page.attachments}
    assert len(digests) == 100
    assert (await publisher.publish())["files_kept"] == 100
    assert len(asked("attach")) == 100


async def test_space_and_parent_noted_for_the_run_are_those_of_its_report(
    publisher: Publisher, connect: Any, mode: str, pages: Pages, run: RunFolder
) -> None:
    await publisher.tools.call("list_spaces", mode=mode, space="Performance Testing", run_id=RUN)
    await publisher.tools.call("get_space_details", mode=mode, space="PERF", run_id=RUN)
    await publisher.tools.call("list_pages", mode=mode, space="PERF", title="Load test reports", run_id=RUN)
    await publisher.tools.call("get_available_reports", run_id=RUN)
    report = await publisher.tools.call("publish_report", mode=mode, run_id=RUN, confirm=True)
    [page], [parent] = pages(TITLE), [one for one in pages("Load test reports") if one.space.key == "PERF"]
    assert report["result"]["page_id"] == str(page.id)
    assert page.parent_id == parent.id
    [stage] = [one for one in Ledger(run).status().stages if one.stage == "confluence"]
    assert {one.state for one in stage.steps} == {"done"}


async def test_what_is_noted_for_one_confluence_is_not_taken_for_the_other(
    publisher: Publisher, mode: str, run: RunFolder
) -> None:
    other = "onprem" if mode == "cloud" else "cloud"
    await publisher.tools.call("list_spaces", mode=mode, space="PERF", run_id=RUN)
    said = await publisher.tools.refused("publish_report", mode=other, run_id=RUN, confirm=True)
    assert f"none is noted for run '{RUN}' in the Confluence of mode '{other}'" in said


async def test_the_mode_is_one_of_two(connect: Any, service: OpenConfluence) -> None:
    async with connect() as tools:
        said = await tools.refused("list_spaces", mode="server")
    assert "'cloud'" in said
    assert "'onprem'" in said
