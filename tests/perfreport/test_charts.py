"""create_chart and list_chart_types: pictures of runs, hostile names among them, and what is said without data."""

import base64
import io
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pytest
from mcp_types import ImageContent, TextContent
from PIL import Image

from perfsuite.artifacts import RunStore, layout
from perfsuite.errors import BadFile, BadInput, NotFound, NotReady
from perfsuite.workflow.ledger import Ledger
from perfsuite_perfreport.models.charts import CHART_TYPES
from perfsuite_perfreport.service.catalogue import DEFAULT_CHARTS
from perfsuite_perfreport.service.charts import create_charts, list_charts

from .pictured import bending, chart, charts_file, hostile, made, size_of
from .reported import changed

pytestmark = pytest.mark.xdist_group("charts")

SIGNATURE = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="session")
def drawable(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runs `bending` and `hostile`, with everything that charts are made of."""
    folder = tmp_path_factory.mktemp("drawable")
    bending(folder)
    made(folder, hostile(), "hostile")
    return folder


@pytest.fixture
def pictured(drawable: Path) -> RunStore:
    return RunStore(drawable / "artifacts")


@pytest.mark.parametrize("chart_id", CHART_TYPES)
def test_every_chart_of_a_run_with_all_data_is_a_picture_of_the_stated_size(
    pictured: RunStore, tmp_path: Path, chart_id: str
) -> None:
    found = chart(pictured, "bending", chart_id, config=charts_file(tmp_path))
    assert found.png.startswith(SIGNATURE)
    assert size_of(found.png) == (1280, 720)
    assert (pictured.open("bending").root / found.file).read_bytes() == found.png
    assert found.file == f"charts/{chart_id}.png"
    assert found.notes == ()


@pytest.mark.parametrize("chart_id", CHART_TYPES)
def test_hostile_names_are_drawn_or_the_missing_data_is_said(pictured: RunStore, tmp_path: Path, chart_id: str) -> None:
    # Warnings are errors here: a glyph that no font has, or a label taken for a formula, would be one.
    if chart_id in ("LATENCY_VS_USERS", "CORRELATION_HEATMAP"):
        with pytest.raises(NotReady, match="list_chart_types"):
            chart(pictured, "hostile", chart_id, config=charts_file(tmp_path))
        return
    assert chart(pictured, "hostile", chart_id, config=charts_file(tmp_path)).png.startswith(SIGNATURE)


def test_characters_that_no_font_has_are_escaped_and_said(pictured: RunStore, tmp_path: Path) -> None:
    [note] = chart(pictured, "hostile", "TOP_SLOWEST", config=charts_file(tmp_path)).notes
    assert "\\u8d2d is 购" in note
    assert "\\U0001f6d2 is 🛒" in note
    assert "charts.yaml" in note


def test_the_same_run_gives_the_same_picture(pictured: RunStore, tmp_path: Path) -> None:
    first, second = (chart(pictured, "bending", "P90_USERS", config=charts_file(tmp_path)).png for _ in range(2))
    assert first == second


def test_threads_that_draw_at_once_give_the_pictures_of_one(pictured: RunStore, tmp_path: Path) -> None:
    names = ("THROUGHPUT_USERS", "TOP_SLOWEST", "CPU_USERS", "LATENCY_DISTRIBUTION")
    alone = {name: chart(pictured, "bending", name, config=charts_file(tmp_path)).png for name in names}
    together: dict[str, bytes] = {}

    def draw(name: str) -> None:
        together[name] = chart(pictured, "bending", name, config=charts_file(tmp_path)).png

    threads = [threading.Thread(target=draw, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == alone


def test_nothing_of_matplotlib_that_all_share_is_changed(pictured: RunStore, tmp_path: Path) -> None:
    before = dict(mpl.rcParams)
    chart(pictured, "hostile", "SLA_MARGINS", config=charts_file(tmp_path))
    assert dict(mpl.rcParams) == before
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or pyplot.get_fignums() == []


def test_the_default_charts_of_a_run_without_metrics_leave_out_theirs(runs: RunStore, tmp_path: Path) -> None:
    with_metrics = {"CPU_UTILIZATION", "MEMORY_UTILIZATION"}
    run = runs.open("bare")
    for path in (run.root / "datadog").glob("*.csv"):
        path.unlink()
    found = create_charts(runs, "bare", "default", None, charts_file(tmp_path))
    assert {one.chart_id for one in found.drawn} == set(DEFAULT_CHARTS) - with_metrics
    assert set(found.left_out) == with_metrics
    assert all("`get_host_metrics`" in why for why in found.left_out.values())


def test_a_run_that_was_not_analysed_names_the_tool_to_call_first(runs: RunStore, tmp_path: Path) -> None:
    before = runs.open("bare").record().ledger
    runs.open("bare").path(layout.PERFORMANCE_ANALYSIS).unlink()
    for chart_id in ("default", "P90_USERS", "CPU_USERS"):
        with pytest.raises(NotReady, match="`analyze_test_results`"):
            create_charts(runs, "bare", chart_id, None, charts_file(tmp_path))
    assert runs.open("bare").record().ledger == before


@pytest.mark.parametrize(
    ("chart_id", "tool"),
    [("LATENCY_VS_USERS", "correlate_test_results"), ("CORRELATION_HEATMAP", "correlate_test_results"),
     ("SLA_MARGINS", "analyze_test_results"), ("GENERATOR_HEALTH", "list_chart_types")],
)  # fmt: skip
def test_a_chart_without_its_data_names_the_tool_that_makes_it(
    runs: RunStore, tmp_path: Path, chart_id: str, tool: str
) -> None:
    with pytest.raises(NotReady, match=f"`{tool}`"):
        chart(runs, "bare", chart_id, config=charts_file(tmp_path))


def test_a_damaged_analysis_is_said_with_the_way_out(runs: RunStore, tmp_path: Path) -> None:
    runs.open("bare").path(layout.PERFORMANCE_ANALYSIS).write_text('{"schema_version": "1.0", ', encoding="utf-8")
    with pytest.raises(BadFile, match="`analyze_test_results`"):
        chart(runs, "bare", "P90_USERS", config=charts_file(tmp_path))


def test_charts_meet_the_gates_of_the_ledger(runs: RunStore, tmp_path: Path) -> None:
    create_charts(runs, "calm", "default", None, charts_file(tmp_path))
    list_charts(runs, "calm", charts_file(tmp_path))
    [stage] = [one for one in Ledger(runs.open("calm")).status().stages if one.stage == "perfreport"]
    states = {one.step: one.state for one in stage.steps}
    assert states["infrastructure_charts"] == states["p90_chart"] == states["list_chart_types"] == "done"


def test_a_chart_goes_stale_with_its_analysis_and_not_with_others(runs: RunStore, tmp_path: Path) -> None:
    create_charts(runs, "calm", "P90_USERS", None, charts_file(tmp_path))
    create_charts(runs, "calm", "CPU_UTILIZATION", None, charts_file(tmp_path))
    changed(runs.open("calm"), layout.INFRASTRUCTURE_ANALYSIS, lambda content: content.update(extra=1))
    [stage] = [one for one in Ledger(runs.open("calm")).status().stages if one.stage == "perfreport"]
    states = {one.step: one.state for one in stage.steps}
    assert (states["infrastructure_charts"], states["p90_chart"]) == ("stale", "done")


def test_what_changed_since_the_last_chart_is_in_the_next(runs: RunStore, tmp_path: Path) -> None:
    run, config = runs.open("calm"), charts_file(tmp_path)
    before = {name: chart(runs, "calm", name, config=config).png for name in ("CPU_UTILIZATION", "P90_USERS")}
    [metrics] = (run.root / "datadog").glob("host_metrics_*.csv")
    metrics.write_text(metrics.read_text(encoding="utf-8").replace("web-1", "web-2"), encoding="utf-8")
    changed(run, layout.PERFORMANCE_ANALYSIS, lambda content: content.update(percentile_method="another"))
    assert all(chart(runs, "calm", name, config=config).png != png for name, png in before.items())


def test_the_paper_is_white_and_the_file_is_small(pictured: RunStore, tmp_path: Path) -> None:
    png = chart(pictured, "bending", "CPU_USERS", config=charts_file(tmp_path)).png
    with Image.open(io.BytesIO(png)) as picture:
        assert picture.convert("RGB").getpixel((3, 3)) == (255, 255, 255)
    assert len(png) < 100_000


def test_a_resource_has_a_chart_of_its_own(pictured: RunStore, tmp_path: Path) -> None:
    found = chart(pictured, "bending", "CPU_UTILIZATION", "db-1", config=charts_file(tmp_path))
    assert found.file == "charts/CPU_UTILIZATION-db-1.png"
    with pytest.raises(NotFound, match="db-1"):
        chart(pictured, "bending", "CPU_UTILIZATION", "db-2", config=charts_file(tmp_path))
    with pytest.raises(BadInput, match="takes no `resource`"):
        chart(pictured, "bending", "P90_USERS", "db-1", config=charts_file(tmp_path))


def test_a_resource_with_a_name_that_is_no_file_name_stays_in_the_run_folder(
    pictured: RunStore, tmp_path: Path
) -> None:
    found = chart(pictured, "hostile", "MEMORY_USERS", "主机-1", config=charts_file(tmp_path))
    assert found.file.startswith("charts/MEMORY_USERS-")
    assert (pictured.open("hostile").root / found.file).is_file()
    with pytest.raises(NotFound):
        chart(pictured, "hostile", "MEMORY_USERS", "../../x", config=charts_file(tmp_path))


def test_charts_yaml_changes_size_colours_and_titles_and_adds_charts(pictured: RunStore, tmp_path: Path) -> None:
    config = charts_file(
        tmp_path,
        "width_px: 1000\ndpi: 100\ntimezone: Asia/Kathmandu\ncharts:\n"
        "  - {id: P90_CHECKOUT, type: P90_USERS, title: How $slow$ 结, unit: s, sla_line: 500, height_px: 500}\n"
        "  - {id: TOP_SLOWEST, colors: ['#000000', '#ff0000']}\n",
    )
    found = chart(pictured, "bending", "P90_CHECKOUT", config=config)
    assert size_of(found.png) == (1000, 500)
    assert found.file == "charts/P90_CHECKOUT.png"
    listed = list_charts(pictured, None, config)
    assert listed.total == len(CHART_TYPES) + 1
    plain = chart(pictured, "bending", "TOP_SLOWEST", config=charts_file(tmp_path / "none"))
    assert chart(pictured, "bending", "TOP_SLOWEST", config=config).png != plain.png


@pytest.mark.parametrize(
    ("text", "expected"),
    [("charts: [{id: MINE}]", "needs a `type`"), ("charts: [{id: P90_USERS, type: TOP_SLOWEST}]", "keeps its type"),
     ("charts: [{id: P90_USERS}, {id: P90_USERS}]", "twice"), ("timezone: Mars/Olympus", "time zone"),
     ("width_px: 500\ndpi: 300", "would not fit"), ("charts: [{id: P90_USERS, colors: [red]}]", "colors")],
)  # fmt: skip
def test_a_wrong_charts_yaml_is_said_with_its_key(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(BadFile, match=expected):
        charts_file(tmp_path, text)


def test_a_font_that_is_none_is_said(pictured: RunStore, tmp_path: Path) -> None:
    (tmp_path / "fake.ttf").write_bytes(b"not a font")
    with pytest.raises(BadFile, match=r"fake\.ttf"):
        chart(pictured, "bending", "P90_USERS", config=charts_file(tmp_path, "fonts: [fake.ttf]"))


def test_an_unknown_chart_names_those_that_are_near(pictured: RunStore, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="P90_USERS"):
        chart(pictured, "bending", "p90_user", config=charts_file(tmp_path))


async def test_the_tool_returns_the_picture_and_its_path(client: Callable[[], Any], runs: RunStore) -> None:
    async with client() as connection:
        answer = await connection.call_tool("create_chart", {"run_id": "calm", "chart_id": "P90_USERS"})
    text, picture = answer.content
    assert isinstance(text, TextContent)
    assert text.text == "P90_USERS: charts/P90_USERS.png"
    assert isinstance(picture, ImageContent)
    assert picture.mime_type == "image/png"
    assert base64.b64decode(picture.data) == (runs.open("calm").root / "charts/P90_USERS.png").read_bytes()


async def test_the_default_charts_stay_below_what_clients_take(client: Callable[[], Any], artifacts: Path) -> None:
    async with client() as connection:
        answer = await connection.call_tool("create_chart", {"run_id": "storm"})
    assert not answer.is_error
    text, *pictures = answer.content
    assert all(name in text.text for name in DEFAULT_CHARTS)
    assert 4 <= len(pictures) <= 6
    assert sum(len(one.data) for one in pictures) < 1_000_000


def test_the_list_names_the_resources_that_were_measured(pictured: RunStore, tmp_path: Path) -> None:
    assert list_charts(pictured, "bending", charts_file(tmp_path)).resources == ["db-1", "web-1"]


async def test_the_list_says_what_a_run_can_have(client: Callable[[], Any], artifacts: Path) -> None:
    async with client() as connection:
        answer = await connection.call_tool("list_chart_types", {"run_id": "bare"})
    found = answer.structured_content
    assert found["total"] == 15
    can = {one["chart_id"]: one["can_be_drawn"] for one in found["charts"]}
    assert can["P90_USERS"] is True
    assert can["SLA_MARGINS"] is False
    assert found["resources"] == []
    assert len(answer.content[0].text) < 10_000


def test_part_of_a_name_is_answered_with_the_charts_that_have_it(pictured: RunStore, tmp_path: Path) -> None:
    with pytest.raises(NotFound) as caught:
        create_charts(pictured, "bending", "CPU", None, charts_file(tmp_path))
    assert "CPU_UTILIZATION, CPU_USERS;" in caught.value.next_step
