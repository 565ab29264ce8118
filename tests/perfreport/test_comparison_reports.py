"""create_comparison_report: what compare_test_runs found, in every format, with charts."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest

from perfanalysis.analysing import again, runs_in
from perfanalysis.synthetic import LABELS, Scenario, steady, write_run
from perfsuite.artifacts import RunId, RunStore, layout
from perfsuite.artifacts.comparisons import (
    COMPARISON,
    COMPARISON_HTML,
    COMPARISON_MARKDOWN,
    ChangeVerdict,
    Compared,
    Comparison,
    PairComparison,
    comparison_folder,
    load_comparison,
)
from perfsuite.errors import BadFile, BadRunId, NotFound
from perfsuite_perfanalysis.service.comparing import Asked, compare_test_runs
from perfsuite_perfreport.core.reporting.comparing import comparison_report
from perfsuite_perfreport.models.answers import ReportFormat
from perfsuite_perfreport.models.report import COMPARISON_REPORT
from perfsuite_perfreport.service.comparing import create_comparison_report

from .pictured import HOSTILE, size_of

FORMATS: tuple[ReportFormat, ...] = ("md", "html", "docx")
WORDS = "The slow requests come from the new search index."
CHARTS = ("CHANGES", "OVERLAY_P95", "OVERLAY_THROUGHPUT")


pytestmark = pytest.mark.xdist_group("comparison reports")


def renamed(what: Scenario, names: tuple[str, ...]) -> Scenario:
    """The scenario with other labels."""
    what.samples["label"] = what.samples["label"].map(dict(zip(LABELS, names, strict=True)))
    return what


@pytest.fixture(scope="session")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`base`, a slower run, and one with other labels; of the last there is no analysis."""
    folder = tmp_path_factory.mktemp("compared")
    for run_id, what in {
        "base": steady(1, seconds=420),
        "slower": steady(2, seconds=420, factor=1.5),
        "other": renamed(steady(3, seconds=420), (LABELS[0], *HOSTILE[5:7])),
    }.items():
        write_run(runs_in(folder), what, run_id)
        if run_id != "other":
            again(folder, run_id)
    compare_test_runs(runs_in(folder), Asked(("base", "slower", "other"), "base"))
    return folder / "artifacts"


@pytest.fixture
def store(compared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunStore:
    import shutil

    shutil.rmtree(tmp_path / "artifacts", ignore_errors=True)
    shutil.copytree(compared, tmp_path / "artifacts")
    monkeypatch.setenv("PERFSUITE_ARTIFACTS_DIR", str(tmp_path / "artifacts"))
    return RunStore(tmp_path / "artifacts")


@pytest.fixture
def found(store: RunStore) -> Comparison:
    [name] = [one.name for one in (store.root / "comparisons").iterdir()]
    return load_comparison(store, name)


def markdown(store: RunStore, found: Comparison) -> str:
    create_comparison_report(store, found.comparison_id, ("md",))
    folder = comparison_folder(store, found.comparison_id)
    return (folder.root / f"reports/comparison_report_{found.comparison_id}.md").read_text(encoding="utf-8")


def test_the_report_leads_with_the_verdict_and_then_with_what_became_worse(store: RunStore, found: Comparison) -> None:
    text = markdown(store, found)
    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert headings[0] == "# Comparison with run base"
    assert headings[1] == "## What became worse"
    assert "**[FAIL]** slower: regression (" in text.replace("\\", "")


def test_every_change_stands_in_the_report_with_its_interval(store: RunStore, found: Comparison) -> None:
    text = markdown(store, found)
    [slower] = [one for one in found.pairs if one.candidate == "slower"]
    worse = [one for one in slower.changes if one.verdict == "regression"]
    assert worse
    for one in worse:
        assert one.change is not None
        assert one.change_low is not None
        assert one.change_high is not None
        assert f"| {one.change:+.1%} | {one.change_low:+.1%} to {one.change_high:+.1%} |" in text


def test_what_could_not_be_compared_is_named_with_the_reason(store: RunStore, found: Comparison) -> None:
    text = markdown(store, found).partition("## What could not be compared")[2]
    assert "🛒 checkout 🚀" in text
    assert "perhaps renamed" in text or "| new |" in text
    assert "`analyze_test_results`" in text  # of the run whose course could not be drawn


def test_names_from_outside_stay_text_in_every_format(store: RunStore, found: Comparison) -> None:
    answer = create_comparison_report(store, found.comparison_id, FORMATS)
    page = next(store.root / one for one in answer.files if one.endswith(".html")).read_text(encoding="utf-8")
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_the_same_comparison_gives_the_same_files(store: RunStore, found: Comparison) -> None:
    first, second = (
        {
            name: (store.root / name).read_bytes()
            for name in create_comparison_report(store, found.comparison_id, FORMATS).files
        }
        for _ in range(2)
    )
    assert first == second


def test_every_format_shows_the_charts(store: RunStore, found: Comparison) -> None:
    answer = create_comparison_report(store, found.comparison_id, FORMATS)
    files = {Path(one).suffix: store.root / one for one in answer.files}
    pictures = [store.root / one for one in answer.files if one.endswith(".png")]
    assert [one.stem for one in pictures] == list(CHARTS)
    assert all(size_of(one.read_bytes()) == (1280, 720) for one in pictures)
    assert files[".html"].read_text(encoding="utf-8").count("data:image/png;base64,") == len(CHARTS)
    with zipfile.ZipFile(files[".docx"]) as word:
        assert sum(name.startswith("word/media/") for name in word.namelist()) == len(CHARTS)
    text = files[".md"].read_text(encoding="utf-8")
    assert all(f"](../charts/{name}.png)" in text for name in CHARTS)


def test_a_comparison_that_is_not_there_names_those_that_are(store: RunStore, found: Comparison) -> None:
    with pytest.raises(NotFound, match=found.comparison_id):
        create_comparison_report(store, "nothing", ("md",))
    with pytest.raises(BadRunId):
        create_comparison_report(store, "../base", ("md",))


def test_a_damaged_comparison_names_the_tool_that_makes_it(store: RunStore, found: Comparison) -> None:
    comparison_folder(store, found.comparison_id).path(COMPARISON).write_text("{", encoding="utf-8")
    with pytest.raises(BadFile, match=r"comparison\.json"):
        create_comparison_report(store, found.comparison_id, ("md",))


def test_without_the_runs_the_report_has_all_but_the_overlays(store: RunStore, found: Comparison) -> None:
    for run_id in ("base", "slower"):
        store.open(run_id).path(layout.PERFORMANCE_ANALYSIS).unlink()
    answer = create_comparison_report(store, found.comparison_id, ("md",))
    assert [Path(one).stem for one in answer.files if one.endswith(".png")] == ["CHANGES"]
    assert len(answer.missing) == 3


def test_what_a_hand_wrote_into_a_comparison_stays_and_is_said(store: RunStore, found: Comparison) -> None:
    markdown(store, found)
    folder = comparison_folder(store, found.comparison_id)
    path = folder.path(COMPARISON_MARKDOWN)
    mark = "<!-- block: regressions -->\n"
    path.write_text(path.read_text(encoding="utf-8").replace(mark, f"{mark}{WORDS}\n"), encoding="utf-8")
    answer = create_comparison_report(store, found.comparison_id, FORMATS)
    assert answer.edited == ["regressions"]
    text = path.read_text(encoding="utf-8")
    assert WORDS in text
    assert "Written by hand, and kept as it was: `regressions`" in text
    page = folder.path(COMPARISON_HTML).read_text(encoding="utf-8")
    assert WORDS in page
    assert "This part was written by hand" in page
    assert create_comparison_report(store, found.comparison_id, ("md",)).edited == ["regressions"]
    anew = create_comparison_report(store, found.comparison_id, ("md",), keep_edits=False)
    assert (anew.edited, WORDS in path.read_text(encoding="utf-8")) == ([], False)


def test_a_report_whose_data_are_gone_takes_what_differs_for_written_by_hand(
    store: RunStore, found: Comparison
) -> None:
    markdown(store, found)
    comparison_folder(store, found.comparison_id).path(COMPARISON_REPORT).unlink()
    answer = create_comparison_report(store, found.comparison_id, ("md",))
    assert answer.edited == []
    assert "`keep_edits` false" in answer.notes[0]


@pytest.mark.parametrize(
    ("verdict", "tier", "others", "expected"),
    [("regression", "minor", (), "FAIL"), ("regression", "critical", (), "FAIL"), ("improvement", "major", (), "PASS"),
     ("within_noise", None, (), "PASS"), ("improvement", "minor", ("inconclusive",), "PASS WITH WARNINGS"),
     ("improvement", "minor", ("insufficient_data", "within_noise"), "PASS"),
     ("inconclusive", None, (), "INCONCLUSIVE"), ("insufficient_data", None, (), "INCONCLUSIVE"),
     ("incomparable", None, (), "INCONCLUSIVE")],
)  # fmt: skip
def test_the_verdict_is_that_of_the_table_whatever_the_size(
    verdict: ChangeVerdict, tier: Literal["minor", "major", "critical"] | None, others: tuple[ChangeVerdict, ...],
    expected: str,
) -> None:  # fmt: skip
    changes = tuple(
        Compared(label="GET /", kind="sample", metric="p95_ms", verdict=one, reason="") for one in (verdict, *others)
    )
    pair = PairComparison(
        baseline=RunId("base"), candidate=RunId("new"), verdict=verdict, tier=tier, reason="It is so.",
        confidence="single-run", changes=changes,
    )  # fmt: skip
    whole = Comparison(
        comparison_id="base-vs-new", status="complete", baseline=RunId("base"), run_ids=(RunId("base"), RunId("new")),
        percentile_method="nearest rank", pairs=(pair,),
    )  # fmt: skip
    assert comparison_report(whole, (), ()).verdict == expected


def test_what_became_better_is_not_shown_in_words_that_alarm(store: RunStore, found: Comparison) -> None:
    slower, *_ = found.pairs
    better = tuple(
        one.model_copy(update={"verdict": "improvement"}) if one.verdict == "regression" else one
        for one in slower.changes
    )
    pairs = (slower.model_copy(update={"verdict": "improvement", "changes": better}),)
    report = comparison_report(found.model_copy(update={"pairs": pairs}), (), ())
    [table] = [one for one in report.tables if one.id == "improvements"]
    assert {row[-1] for row in table.rows} == {"IMPROVEMENT"}


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_the_tool_answers_in_short(store: RunStore, found: Comparison, era: str) -> None:
    from mcp import Client

    from perfsuite_perfreport.server import server

    connected: Callable[..., Any] = Client
    async with connected(server, mode=era) as connection:
        answer = await connection.call_tool("create_comparison_report", {"comparison_id": found.comparison_id})
    result = answer.structured_content["result"]
    assert result["verdict"] == "FAIL"
    assert result["regressions"]
    assert len(answer.content[0].text) < 10_000
