"""What a person or an agent writes into the Markdown outlives the next report, and reaches every format."""

from pathlib import Path
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfsuite.artifacts import RunStore, layout
from perfsuite.errors import BadFile
from perfsuite_perfreport.core.markdown.blocks import fingerprints, marked, merged, split

from .reported import changed, report_file, reported, text_of

WORDS = "The slow requests come from the new search index."


def edit(runs: RunStore, before: str, after: str, run_id: str = "calm") -> None:
    path = report_file(runs, run_id)
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")


def test_a_block_that_was_edited_is_kept_and_said(runs: RunStore) -> None:
    reported(runs, "calm")
    edit(runs, "<!-- block: findings -->\n", f"<!-- block: findings -->\n{WORDS}\n")
    report = reported(runs, "calm")
    assert report.edited == ("findings",)
    text = text_of(runs, "calm")
    assert WORDS in text
    assert "Written by hand, and kept as it was: `findings`" in text
    page = text_of(runs, "calm", "html")
    assert WORDS in page
    assert "This part was written by hand" in page
    with ZipFile(report_file(runs, "calm", "docx")) as document:
        assert WORDS in document.read("word/document.xml").decode()


def test_an_edit_outlives_a_third_report_too(runs: RunStore) -> None:
    reported(runs, "calm", formats=("md",))
    edit(runs, "<!-- block: findings -->\n", f"<!-- block: findings -->\n{WORDS}\n")
    reported(runs, "calm", formats=("md",))
    once = text_of(runs, "calm")
    assert reported(runs, "calm", formats=("md",)).edited == ("findings",)
    assert text_of(runs, "calm") == once


def test_blocks_that_nobody_edited_follow_the_analysis(runs: RunStore) -> None:
    reported(runs, "calm", formats=("md",))
    edit(runs, "<!-- block: findings -->\n", f"<!-- block: findings -->\n{WORDS}\n")
    changed(runs.open("calm"), layout.PERFORMANCE_ANALYSIS, lambda content: content["sla"].update(verdict="fail"))
    report = reported(runs, "calm", formats=("md",))
    assert report.edited == ("findings",)
    assert text_of(runs, "calm").count("**[FAIL]**") == 1


def test_text_between_blocks_is_kept(runs: RunStore) -> None:
    reported(runs, "calm", formats=("md",))
    edit(runs, "## Transactions\n", f"## Transactions\n\n{WORDS}\n")
    report = reported(runs, "calm", formats=("md",))
    assert f"## Transactions\n\n{WORDS}\n" in text_of(runs, "calm")
    assert report.edited == ("after bottlenecks",)


def test_a_block_that_was_taken_out_stays_out(runs: RunStore) -> None:
    reported(runs, "calm", formats=("md",))
    text = text_of(runs, "calm")
    start, end = text.index("<!-- block: logs -->"), text.index("<!-- end: logs -->\n") + len("<!-- end: logs -->\n")
    report_file(runs, "calm").write_text(text[:start] + text[end:], encoding="utf-8")
    report = reported(runs, "calm", formats=("md",))
    assert "logs" in report.edited
    assert "<!-- block: logs -->" not in text_of(runs, "calm")


def test_editors_may_change_the_ends_of_lines(runs: RunStore) -> None:
    reported(runs, "calm", formats=("md",))
    path = report_file(runs, "calm")
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert reported(runs, "calm", formats=("md",)).edited == ()


def test_everything_can_be_written_anew(runs: RunStore) -> None:
    reported(runs, "calm", formats=("md",))
    before = text_of(runs, "calm")
    edit(runs, "<!-- block: findings -->\n", f"<!-- block: findings -->\n{WORDS}\n")
    assert reported(runs, "calm", formats=("md",), keep_edits=False).edited == ()
    assert text_of(runs, "calm") == before


def test_an_edit_of_the_charts_puts_pictures_in_place_of_the_interactive_ones(runs: RunStore) -> None:
    reported(runs, "calm")
    edit(
        runs,
        "<!-- block: charts -->\n",
        "<!-- block: charts -->\nSee ![a](../charts/GONE.png) ![b](https://a.b/c.png)\n",
    )
    reported(runs, "calm")
    page = text_of(runs, "calm", "html")
    assert "The picture is not there: a." in page
    assert "https://a.b" not in page
    assert 'id="charts-data"' not in page


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ("<!-- end: findings -->\n", "", "block begins inside another"),
        ("<!-- block: findings -->\n", "", "does not stand open"),
        ("<!-- block: findings -->", "<!-- block: sla -->", "for the second time"),
        ("<!-- end: methods -->", "", "has no end"),
    ],
)
def test_marks_that_were_broken_are_an_error_that_names_the_line(
    runs: RunStore, before: str, after: str, line: str
) -> None:
    reported(runs, "calm", formats=("md",))
    edit(runs, before, after)
    with pytest.raises(BadFile, match=rf"line \d+, .*{line}.*`keep_edits` false"):
        reported(runs, "calm", formats=("md",))
    assert reported(runs, "calm", formats=("md",), keep_edits=False).edited == ()


@pytest.mark.parametrize("content", ["", "{", '{"schema_version": "9.0"}'])
def test_without_a_record_whatever_differs_is_kept(runs: RunStore, content: str) -> None:
    reported(runs, "calm", formats=("md",))
    edit(runs, "<!-- block: findings -->\n", f"<!-- block: findings -->\n{WORDS}\n")
    (runs.open("calm").root / "reports/report_metadata_calm.json").write_text(content, encoding="utf-8")
    assert "findings" in reported(runs, "calm", formats=("md",)).edited
    assert WORDS in text_of(runs, "calm")


def test_a_process_that_died_between_record_and_markdown_makes_nothing_look_edited(runs: RunStore) -> None:
    reported(runs, "calm", formats=("md",))
    path: Path = report_file(runs, "calm")
    before = path.read_bytes()
    changed(runs.open("calm"), layout.PERFORMANCE_ANALYSIS, lambda content: content["sla"].update(verdict="fail"))
    reported(runs, "calm", formats=("md",))
    path.write_bytes(before)
    assert reported(runs, "calm", formats=("md",)).edited == ()
    assert "**[FAIL]**" in text_of(runs, "calm")


bodies = st.text(alphabet="ab |<>-!#\n", max_size=40)
documents = st.dictionaries(st.sampled_from(["sla", "charts", "logs", "errors"]), bodies, min_size=1)


def document(found: dict[str, str]) -> str:
    return "# Title\n\n" + "\n".join(marked(name, body) for name, body in found.items())


@given(documents)
def test_a_report_is_the_sum_of_its_parts(found: dict[str, str]) -> None:
    text = document(found)
    assert "".join(part.text for part in split(text)) == text


@given(documents, documents)
def test_a_report_that_nobody_edited_is_replaced_as_a_whole(old: dict[str, str], new: dict[str, str]) -> None:
    before, after = split(document(old)), split(document(new))
    known = {key: (one,) for key, one in fingerprints(before).items()}
    merge = merged(after, before, known)
    assert merge.edited == ()
    assert merge.text == document(new)


@given(documents, bodies)
def test_an_edited_block_is_always_in_the_next_report(found: dict[str, str], words: str) -> None:
    before = split(document(found))
    known = {key: (one,) for key, one in fingerprints(before).items()}
    name = next(iter(found))
    edited = split(document({**found, name: f"{words} by hand"}))
    new = split(document({other: f"{body} new" for other, body in found.items()}))
    merge = merged(new, edited, known)
    assert merge.edited == (name,)
    assert f"{words} by hand".strip() in merge.text
