"""The web page is one file with charts that can be zoomed, and tables that can be sorted."""

import json
from typing import Any

import pytest
from lxml import html  # type: ignore[import-untyped]
from lxml.html import HtmlElement  # type: ignore[import-untyped]

from perfsuite.artifacts import RunStore, layout

from .reported import changed, report_file, reported, text_of, with_chart


def page_of(runs: RunStore, run_id: str) -> HtmlElement:
    reported(runs, run_id, formats=("html",))
    return html.fromstring(text_of(runs, run_id, "html"))


def models(page: HtmlElement) -> list[dict[str, Any]]:
    """Every model of every chart."""
    [data] = [one for one in page.iter("script") if one.get("id") == "charts-data"]
    found: list[dict[str, Any]] = []

    def look(value: object) -> None:
        if isinstance(value, dict):
            found.extend([value] if value.get("type") == "object" else [])
        for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            look(part)

    look(json.loads(data.text))
    return found


def test_charts_over_time_share_one_range_and_have_zoom_and_hover(runs: RunStore) -> None:
    found = models(page_of(runs, "storm"))
    over_time = [one for one in reported(runs, "storm", formats=("md",)).plots if one.x == "time_s"]
    [shared] = [one for one in found if one["name"] == "Range1d" and "bounds" in one["attributes"]]
    figures = [one for one in found if one["name"] == "Figure"]
    of_shared = [one for one in figures if one["attributes"].get("x_range", {}).get("id") == shared["id"]]
    assert len(of_shared) == len(over_time) == 5
    wanted = {"HoverTool", "BoxZoomTool", "WheelZoomTool", "ResetTool", "BoxAnnotation"}
    assert wanted <= {one["name"] for one in found}


def test_each_chart_has_a_place_a_title_and_a_source(runs: RunStore) -> None:
    page = page_of(runs, "storm")
    report = reported(runs, "storm", formats=("md",))
    places = [one.get("id") for one in page.iter("div") if one.get("class") == "chart"]
    assert places == [f"chart-{one.id}" for one in report.plots]
    captions = [one.text_content() for one in page.iter("figcaption")]
    assert all(
        one.title in caption and one.source in caption for one, caption in zip(report.plots, captions, strict=False)
    )
    assert captions[len(places) :] == ["Failed requests by response code"]


def test_pictures_of_which_the_page_has_no_lines_are_shown_as_far_as_there_is_room(runs: RunStore) -> None:
    names = [f"OWN_{number}" for number in range(4)]
    run = runs.open("storm")
    for name in names:
        with_chart(run, name, b"\x89PNG\r\n\x1a\n" + bytes(250_000))
    page = page_of(runs, "storm")
    [section] = [one for one in page.iter("section") if one.get("id") == "block-charts"]
    assert [one.get("alt") for one in section.iter("img")][1:] == [f"Chart: {name}" for name in names[:3]]
    assert "1 of them would make this page too large" in section.text_content()


def test_the_lines_are_those_of_the_analysis(runs: RunStore) -> None:
    report = reported(runs, "storm", formats=("md",))
    analysis = runs.open("storm").load(layout.PERFORMANCE_ANALYSIS)
    assert analysis.over_time is not None
    [plot] = [one for one in report.plots if one.id == "throughput"]
    completed = {line.name: line.values for line in plot.lines}["completed"]
    assert completed == tuple(one.completed / one.seconds for one in analysis.over_time.buckets)


def test_the_table_of_transactions_can_be_sorted(runs: RunStore) -> None:
    [section] = [one for one in page_of(runs, "storm").iter("section") if one.get("id") == "block-transactions"]
    [table] = section.iter("table")
    assert table.get("class") == "sortable"
    assert [one.tag for one in table] == ["thead", "tbody"]


def test_the_page_is_small_and_opens_on_a_phone(runs: RunStore) -> None:
    page = page_of(runs, "storm")
    assert report_file(runs, "storm", "html").stat().st_size <= 3_000_000
    [viewport] = [one for one in page.iter("meta") if one.get("name") == "viewport"]
    assert viewport.get("content").startswith("width=device-width")
    [style] = page.iter("style")
    assert "prefers-color-scheme: dark" in style.text
    assert "@media print" in style.text


def test_every_link_of_the_page_leads_to_a_heading(runs: RunStore) -> None:
    page = page_of(runs, "calm")
    ids = [one.get("id") for one in page.iter() if one.get("id")]
    assert len(ids) == len(set(ids))
    links = [one.get("href") for one in page.iter("a")]
    assert links
    assert {link.removeprefix("#") for link in links} <= set(ids)


def test_the_banner_has_the_look_of_its_verdict(runs: RunStore) -> None:
    looks = {}
    for run_id in ("calm", "storm", "bare"):
        [banner] = [one for one in page_of(runs, run_id).iter("div") if (one.get("class") or "").startswith("banner")]
        looks[run_id] = banner.get("class")
    assert looks == {"calm": "banner good", "storm": "banner bad", "bare": "banner open"}


@pytest.mark.parametrize("buckets", [0, 1, 2])
def test_a_run_too_short_for_a_line_still_has_a_page(runs: RunStore, buckets: int) -> None:
    def shorten(content: dict[str, dict[str, object]]) -> None:
        over_time = content["over_time"]
        over_time["buckets"] = over_time["buckets"][:buckets]  # type: ignore[index]
        over_time["labels"] = []
        content["overall"]["distribution"] = []

    changed(runs.open("bare"), layout.PERFORMANCE_ANALYSIS, shorten)
    page = page_of(runs, "bare")
    assert [one.get("id") for one in page.iter("script") if one.get("id")] == (["charts-data"] if buckets else [])
    assert "No chart was drawn." in page.text_content() or buckets
