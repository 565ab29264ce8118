"""JMeter XML result files that are cut off or damaged: what can be read is, and what cannot is said."""

import codecs
import io
import re
from collections import Counter
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings

from damage import damaged
from jtl_xml import FAILED, HEAD, TRANSACTION, URL, document, rows_of, tag, warned
from perfsuite.errors import BadFile, LimitExceeded
from perfsuite.samples.readers import xml
from perfsuite.samples.rows import Kind, ReadReport, Row


def test_a_file_cut_between_samples_is_read_and_said() -> None:
    rows, report = rows_of((HEAD + tag() + tag()).encode())
    assert len(rows) == 2
    assert report.warnings == [
        "The file is cut off before </testResults>: the run was killed, or is still being written."
    ]


def test_a_file_cut_within_the_tag_of_a_sample_rejects_it() -> None:
    rows, report = rows_of((HEAD + tag() + tag(lb="Cut")[:60]).encode())
    assert [row.label for row in rows] == ["Home"]
    assert report.rejected == [(4, "the file ends within its tag")]
    assert warned(report, "cut off")


def test_a_file_cut_within_the_content_of_a_sample_keeps_its_numbers() -> None:
    rows, report = rows_of((HEAD + tag(lb="Cut", inside="<responseData>abc</responseData>")[:-30]).encode())
    assert [row.label for row in rows] == ["Cut"]
    assert warned(report, "cut off")


@pytest.mark.parametrize("cut", range(0, 700, 7))
def test_wherever_a_file_is_cut_its_rows_are_the_first_of_the_whole(cut: int) -> None:
    data = document(tag(inside=tag(lb="part") + URL), tag(lb="second"))
    whole, _ = rows_of(data)
    report = ReadReport()
    try:
        rows = list(xml.read(io.BytesIO(data[:cut]), report, lambda _: None))
    except BadFile:
        rows = []
    assert [row[:7] for row in rows] == [row[:7] for row in whole[: len(rows)]]


@pytest.mark.parametrize("before", [b"\n\n  ", codecs.BOM_UTF8, codecs.BOM_UTF8 + b"\r\n"])
def test_blanks_and_a_byte_order_mark_before_the_xml_do_no_harm(before: bytes) -> None:
    rows, report = rows_of(before + document(tag(t=-1), tag()))
    assert len(rows) == 1
    assert report.rejected[0].line == 3 + before.count(b"\n")


@pytest.mark.parametrize(
    "junk",
    ["some text & < more > text </oops>\n", "<init>\n", "a &undefined; b\n", "<!-- never closed\n", "<<<\n", "\x01\n"],
)
def test_text_between_samples_costs_no_sample(junk: str) -> None:
    rows, report = rows_of(document(tag(lb="a"), junk, tag(lb="b", inside=URL), junk, tag(lb="c")))
    assert [(row.label, row.kind) for row in rows] == [("a", "sample"), ("b", "sample"), ("c", "sample")]
    assert report.rows_rejected == 0


def test_several_documents_in_one_file_are_all_read() -> None:
    rows, report = rows_of(document(tag(lb="a")) + document(tag(lb="b"), tag(lb="c")))
    assert [row.label for row in rows] == ["a", "b", "c"]
    assert warned(report, "Line 7: reading was taken up again here")


def test_a_run_appended_to_a_killed_one_is_read() -> None:
    killed = HEAD + tag(lb="a", inside=URL)[:-20] + "\n"
    rows, _ = rows_of(killed.encode() + document(tag(lb="b", inside=URL), tag(lb="c")))
    assert [(row.label, row.kind) for row in rows] == [("a", "sample"), ("b", "sample"), ("c", "sample")]


def test_a_sample_broken_off_within_its_response_does_not_swallow_the_next() -> None:
    broken = tag(lb="a", inside="<responseData>text")[: -len("</httpSample>\n")]
    rows, _ = rows_of(document(broken, tag(lb="b"), tag(lb="c")))
    assert [(row.label, row.kind) for row in rows] == [("a", "sample"), ("b", "sample"), ("c", "sample")]


def test_a_lost_closing_tag_costs_no_sample_and_is_said() -> None:
    broken = tag(lb="a", inside=URL).replace("</httpSample>\n", "")
    rows, report = rows_of(document(tag(lb="first", inside=URL), broken, tag(lb="b", inside=tag(lb="b-0"))))
    assert [(row.label, row.kind) for row in rows] == [
        ("first", "sample"),
        ("a", "sample"),
        ("b", "sample"),
        ("b-0", "sub"),
    ]
    assert warned(report, "never closed")


@pytest.mark.parametrize(
    "damage", [('lb="Broken"', 'lb="Broken'), ('rc="200" ', 'rc="200"'), ('na="5"', "na=5"), ('ng="3"', '"3"')]
)
@pytest.mark.parametrize("inside", ["", URL])
def test_a_damaged_tag_rejects_its_sample_alone(damage: tuple[str, str], inside: str) -> None:
    broken = tag(lb="Broken", inside=inside).replace(*damage)
    parent = tag(lb="parent", inside=broken + tag(lb="part"))
    rows, report = rows_of(document(tag(lb="a"), broken, tag(lb="b", inside=URL), parent, tag(lb="c")))
    assert [(row.label, row.kind) for row in rows] == [
        ("a", "sample"),
        ("b", "sample"),
        ("parent", "sample"),
        ("part", "sub"),
        ("c", "sample"),
    ]
    assert [reason for _, reason in report.rejected] == ["its tag is damaged"] * 2


def test_a_damaged_sample_on_one_line_with_its_content_is_rejected_alone() -> None:
    broken = tag(lb="Broken", inside=URL).replace("\n", "").replace('rc="200" ', 'rc="200"') + "\n"
    rows, report = rows_of(document(broken, tag(lb="b")))
    assert [(row.label, row.kind) for row in rows] == [("b", "sample")]
    assert report.rows_rejected == 1


def test_a_tag_that_spans_lines_is_read() -> None:
    rows, report = rows_of(document(tag(lb="a").replace(" ", "\n  ", 4), tag(lb="b")))
    assert [row.label for row in rows] == ["a", "b"]
    assert report.rows_rejected == 0


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("U >\n1-1", "U > 1-1"),
        ("U >\r\n1-1", "U > 1-1"),
        ("U >\r1-1", "U > 1-1"),
        ("U > \n1-1", "U >  1-1"),
        ("U />\n", "U /> "),
        (">\n\n x >\n'\n/>\n1", ">   x > ' /> 1"),
    ],
)
@pytest.mark.parametrize("inside", ["", URL])
def test_a_line_break_behind_a_bracket_in_a_value_does_not_end_the_tag(written: str, read: str, inside: str) -> None:
    broken = tag(lb="b", tn="LINES", inside=inside).replace("LINES", written)
    parent = tag(lb="parent", inside=tag(lb="c", tn="LINES")).replace("LINES", written)
    swapped = broken.replace("'", "&#39;").replace('"', "'")
    rows, report = rows_of(document(tag(lb="a"), broken, parent, swapped, tag(lb="d")))
    assert [(row.label, row.kind, row.thread) for row in rows] == [
        ("a", "sample", "Users 1-1"),
        ("b", "sample", read),
        ("parent", "sample", "Users 1-1"),
        ("c", "sub", read),
        ("b", "sample", read),
        ("d", "sample", "Users 1-1"),
    ]
    assert (report.rejected, report.warnings) == ([], [])


@pytest.mark.parametrize("behind", ["", "  some text\n", 'a "word"\n', "\n\n"])
@pytest.mark.parametrize("inside", ["", URL])
def test_a_last_quote_that_was_lost_rejects_its_sample_alone(behind: str, inside: str) -> None:
    start, end, rest = tag(lb="Broken", inside=inside).partition("\n")
    broken = start.replace('hn="vm"', 'hn="vm') + end + behind + rest
    rows, report = rows_of(document(tag(lb="a"), tag(lb="parent", inside=broken + tag(lb="part")), tag(lb="b")))
    assert [(row.label, row.kind) for row in rows] == [
        ("a", "sample"),
        ("parent", "sample"),
        ("part", "sub"),
        ("b", "sample"),
    ]
    assert report.rejected == [(5, "its tag is damaged")]


def test_a_file_that_ends_behind_a_bracket_in_a_value_rejects_its_last_sample() -> None:
    rows, report = rows_of((HEAD + tag(lb="a") + '<sample t="1" lb="b >\n').encode())
    assert [row.label for row in rows] == ["a"]
    assert report.rejected == [(4, "the file ends within its tag")]


def test_a_file_on_one_line_is_read() -> None:
    samples = [tag(lb=f"é{n} & more", inside=tag(lb=f"{n}-0") + URL) for n in range(3_000)]
    rows, report = rows_of(document(*samples).replace(b"\n", b""))
    assert Counter(row.kind for row in rows) == {"sample": 3_000, "sub": 3_000}
    assert {re.sub(r"\d+", "", row.label) for row in rows} == {"é & more", "-"}
    assert report.warnings == []


def test_a_fault_changes_nothing_behind_it() -> None:
    failed = tag(lb='"<a> & b"', inside=FAILED + URL)
    clean, _ = rows_of(document(tag(lb="a", inside=URL), failed))
    rows, report = rows_of(document(tag(lb="a", inside=URL.replace("</java.net.URL>", "</java.net.URI>")), failed))
    assert rows[1] == clean[1]
    assert warned(report, "Line 4: Opening and ending tag mismatch")


GOOD = document(
    tag(lb="a", inside=FAILED + URL),
    tag("sample", lb="Tränsaction", rm=TRANSACTION, inside=tag(lb="b & c", inside=tag(lb="d")) + URL),
    tag(lb="e", BUILD="1"),
    tag(lb="f\ng", inside="<responseData>some &lt;text&gt;</responseData>\n" + URL),
)
TYPES = {
    "started_us": int,
    "elapsed_us": int,
    "label": str,
    "kind": str,
    "success": bool,
    "sample_count": int,
    "error_count": int,
    "bytes": int | None,
    "sent_bytes": int | None,
    "connect_ms": float | None,
    "latency_ms": float | None,
    "idle_ms": float | None,
    "group_threads": int | None,
    "all_threads": int | None,
}


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(damaged(GOOD, b"<", b'"', b"]]>", b"<![CDATA[", b"&#0;"))
def test_damage_never_breaks_the_reader_and_never_makes_a_row_of_wrong_types(data: bytes) -> None:
    report = ReadReport()
    rows: list[Row] = []
    try:
        rows.extend(xml.read(io.BytesIO(data), report, lambda _: None))
    except (BadFile, LimitExceeded):
        return
    assert report.rows_read == len(rows)
    for row in rows:
        assert all(isinstance(getattr(row, name), TYPES.get(name, str | None)) for name in Row._fields)
        assert row.kind in get_args(Kind)
        assert row.elapsed_us >= 0
        assert all("\0" not in text and text.encode() for text in row if isinstance(text, str) and text)
        assert row.label in {"a", "b & c", "d", "e", "f\ng", "Tränsaction"} or report.warnings or data != GOOD
