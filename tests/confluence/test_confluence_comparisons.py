"""The report of a comparison is published as that of a run is, in both flavours."""

from collections.abc import Callable
from typing import Any

import pytest

from confluence.conftest import RUN, Publisher, User, png
from perfsuite.artifacts import RunFolder, RunId, RunStore, layout
from perfsuite.artifacts.comparisons import (
    COMPARISON_MARKDOWN,
    COMPARISON_STORAGE,
    Comparison,
    PairComparison,
    comparison_folder,
    save_comparison,
)

pytestmark = pytest.mark.anyio
Pages = Callable[[str], list[Any]]
ID = "base-vs-slower-12345678"
TITLE = f"Comparison with run base ({ID})"
REPORT = """# Comparison with run base

**[FAIL]** slower: regression.

| Run | Verdict |
| --- | --- |
| slower | **[REGRESSION]** |

![Chart: what changed](../charts/CHANGES.png)
"""


@pytest.fixture
def comparison(runs: RunStore) -> RunFolder:
    """A comparison with a report and a chart."""
    pair = PairComparison(
        baseline=RunId("base"), candidate=RunId("slower"), verdict="regression", tier="major", reason="It is slower.",
        confidence="single-run",
    )  # fmt: skip
    found = Comparison(
        comparison_id=ID, status="complete", baseline=RunId("base"), run_ids=(RunId("base"), RunId("slower")),
        percentile_method="nearest rank", pairs=(pair,),
    )  # fmt: skip
    save_comparison(runs, found)
    folder = comparison_folder(runs, ID)
    with folder.staged(COMPARISON_MARKDOWN) as target:
        target.write_text(REPORT, encoding="utf-8")
    with folder.staged(layout.CHART, chart_id="CHANGES") as target:
        target.write_bytes(png())
    return folder


async def test_a_comparison_is_one_page_however_often_it_is_published(
    publisher: Publisher, comparison: RunFolder, pages: Pages
) -> None:
    first = await publisher.publish(run_id=ID, parent="Load test reports")
    again = await publisher.publish(run_id=ID, parent="Load test reports")
    assert (first["outcome"], again["outcome"]) == ("created", "unchanged")
    [page] = pages(TITLE)
    assert [one.title for one in page.attachments] == ["CHANGES.png"]
    assert '"title">REGRESSION<' in page.latest.body
    assert first["storage_file"] == COMPARISON_STORAGE.relative(run_id=ID)
    assert comparison.path(COMPARISON_STORAGE).read_text(encoding="utf-8")
    assert comparison.path(layout.PUBLISHED).is_file()


async def test_a_comparison_is_listed_beside_the_runs(publisher: Publisher, comparison: RunFolder) -> None:
    url = (await publisher.publish(run_id=ID))["url"]
    rows = {one["run_id"]: one for one in (await publisher.tools.call("get_available_reports"))["reports"]}
    assert {name: one["of"] for name, one in rows.items()} == {RUN: "run", ID: "comparison"}
    assert (rows[ID]["title"], rows[ID]["charts"], rows[ID]["published_at"]) == ("Comparison with run base", 1, url)
    [alone] = (await publisher.tools.call("get_available_reports", run_id=ID))["reports"]
    assert alone == rows[ID]


async def test_space_and_parent_are_noted_for_a_comparison_too(
    publisher: Publisher, comparison: RunFolder, pages: Pages
) -> None:
    where = {"mode": publisher.mode, "run_id": ID}
    await publisher.tools.call("list_spaces", space="PERF", **where)
    await publisher.tools.call("list_pages", space="PERF", title="Load test reports", **where)
    await publisher.tools.call("publish_report", confirm=True, **where)
    [page], [parent] = pages(TITLE), [one for one in pages("Load test reports") if one.space.key == "PERF"]
    assert page.parent_id == parent.id


async def test_a_space_that_was_agreed_to_for_a_comparison_is_not_asked_for_again(
    connect: Any, mode: str, run: RunFolder, comparison: RunFolder
) -> None:
    user = User()
    async with connect(elicitation_callback=user) as tools:
        publisher = Publisher(tools, mode, {"confirm": False})
        await publisher.publish(run_id=ID)
        await publisher.publish()
    assert len(user.questions) == 1
    assert f"the report of comparison {ID!r}" in user.questions[0]


async def test_a_comparison_without_a_report_names_the_tool_that_makes_it(
    publisher: Publisher, comparison: RunFolder
) -> None:
    comparison.path(COMPARISON_MARKDOWN).unlink()
    for said in (
        await publisher.refused(run_id=ID),
        await publisher.tools.refused("get_available_reports", run_id=ID),
    ):
        assert "`create_comparison_report`" in said


async def test_what_is_neither_a_run_nor_a_comparison_is_said(publisher: Publisher, comparison: RunFolder) -> None:
    assert "does not exist" in await publisher.refused(run_id="nothing")
    assert "does not exist" in await publisher.refused(run_id="base-vs-slower")
