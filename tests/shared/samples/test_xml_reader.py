"""The reader of JMeter XML result files, through `read`."""

import codecs
import csv
import io
import re
from collections import Counter
from pathlib import Path
from typing import get_args
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixtures import fixture
from perfsuite.errors import BadFile, LimitExceeded
from perfsuite.samples.readers import xml
from perfsuite.samples.rows import Kind, ReadReport, Row

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<testResults version="1.2">\n'
TAIL = "</testResults>\n"
T0 = 1_700_000_000_000
TRANSACTION = "Number of samples in transaction : 2, number of failing samples : 0"


def tag(name: str = "httpSample", inside: str = "", **changed: object) -> str:
    """A sample on lines of its own, as JMeter writes it. An attribute of None is left out."""
    attributes = {"t": 120, "it": 0, "lt": 100, "ct": 20, "ts": T0, "s": "true", "lb": "Home", "rc": "200", "rm": "OK"}
    attributes |= {
        "tn": "Users 1-1",
        "dt": "text",
        "by": 203,
        "sby": 118,
        "sc": 1,
        "ec": 0,
        "ng": 3,
        "na": 5,
        "hn": "vm",
    }
    attributes |= changed
    written = "".join(f" {key}={quoteattr(str(value))}" for key, value in attributes.items() if value is not None)
    body = "".join(f"  {line}\n" for line in inside.splitlines())
    return f"<{name}{written}>\n{body}</{name}>\n" if inside else f"<{name}{written}/>\n"


def document(*samples: str) -> bytes:
    return (HEAD + "".join(samples) + TAIL).encode()


def rows_of(data: bytes, *, has_end_stamps: bool = False) -> tuple[list[Row], ReadReport]:
    report = ReadReport()
    return list(xml.read(io.BytesIO(data), report, lambda _: None, has_end_stamps=has_end_stamps)), report


def rows_of_file(path: str) -> tuple[list[Row], ReadReport]:
    return rows_of(fixture(path).read_bytes())


def warned(report: ReadReport, words: str) -> bool:
    return any(words in warning for warning in report.warnings)


URL = "<java.net.URL>http://localhost/?a=1&amp;b=2</java.net.URL>"
FAILED = (
    "<assertionResult>\n  <name>A</name>\n  <failure>false</failure>\n  <error>false</error>\n</assertionResult>\n"
    "<assertionResult>\n  <name>B</name>\n  <failure>true</failure>\n  <error>false</error>\n"
    "  <failureMessage>expected &lt;b&gt;</failureMessage>\n</assertionResult>\n"
    "<assertionResult>\n  <error>true</error>\n  <failureMessage>not kept</failureMessage>\n</assertionResult>\n"
)


def test_a_sample_becomes_a_row_with_every_field() -> None:
    [row], report = rows_of(document(tag(inside=FAILED + URL, s="false", ec=1, it=7)))
    assert row == Row(
        started_us=T0 * 1000,
        elapsed_us=120_000,
        label="Home",
        kind="sample",
        success=False,
        sample_count=1,
        error_count=1,
        response_code="200",
        response_message="OK",
        failure_message="expected <b>",
        thread="Users 1-1",
        engine="vm",
        bytes=203,
        sent_bytes=118,
        connect_ms=20.0,
        latency_ms=100.0,
        idle_ms=7.0,
        group_threads=3,
        all_threads=5,
        url="http://localhost/?a=1&b=2",
    )
    assert (report.rows_read, report.rows_rejected, report.warnings) == (1, 0, [])
    assert report.columns == {*Row._fields, "started_at"} - {"started_us", "kind"}
    assert report.dialect == {"version": "1.2"}


def test_absent_attributes_are_none_and_not_among_the_columns() -> None:
    [row], report = rows_of(document(f'<sample t="5" ts="{T0}" s="false"/>\n'))
    assert row[:7] == (T0 * 1000, 5_000, "", "sample", False, 1, 1)
    assert set(row[7:]) == {None}
    assert report.columns == {"started_at", "elapsed_us", "success"}


def test_empty_texts_are_none() -> None:
    [row], _ = rows_of(document(tag(inside="<java.net.URL></java.net.URL>", rc="", rm="", tn="", by="")))
    assert (row.response_code, row.response_message, row.thread, row.bytes, row.url) == (None,) * 5


def test_the_url_null_of_a_transaction_is_none() -> None:
    [row], _ = rows_of(document(tag(inside="<java.net.URL>null</java.net.URL>")))
    assert row.url is None


def test_sub_results_follow_their_parent_in_the_order_of_the_file() -> None:
    inner = tag(lb="a-0", inside=tag(lb="a-0-0") + URL) + tag(lb="a-1", rm=TRANSACTION)
    rows, _ = rows_of(document(tag(lb="a", inside=inner + FAILED + URL), tag(lb="b")))
    assert [(row.label, row.kind) for row in rows] == [
        ("a", "sample"),
        ("a-0", "sub"),
        ("a-0-0", "sub"),
        ("a-1", "sub"),
        ("b", "sample"),
    ]
    assert [row.url is not None for row in rows] == [True, True, False, False, False]
    assert [row.failure_message for row in rows] == ["expected <b>", None, None, None, None]


def test_transactions_are_told_by_their_message_even_when_they_are_empty() -> None:
    empty = "Number of samples in transaction : 0, number of failing samples : 0"
    rows, _ = rows_of(document(tag("sample", rm=TRANSACTION), tag("sample", rm=empty, t=0), tag("sample")))
    assert [row.kind for row in rows] == ["transaction", "transaction", "sample"]


def test_statistical_samples_keep_their_counts() -> None:
    [row], _ = rows_of(document(tag(sc=10, ec=4)))
    assert (row.sample_count, row.error_count) == (10, 4)


def test_sample_variables_are_named_and_left_out() -> None:
    [row], report = rows_of(document(tag(BUILD="1.2", REGION="eu")))
    assert row.label == "Home"
    assert report.dialect["sample_variables"] == "BUILD, REGION"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"ts": None}, "it has no ts (time stamp)"),
        ({"t": None}, "it has no t (elapsed time)"),
        ({"s": None}, "it has no s (success)"),
        ({"s": "yes"}, "s is 'yes', which is neither true nor false"),
        ({"t": -1}, "t is negative: '-1'"),
        ({"t": "NaN"}, "t is 'NaN', which is not a number"),
        ({"t": "soon"}, "t is 'soon', which is not a number"),
        ({"t": "9" * 400}, "not a number that can be"),
        ({"t": 400 * 86_400_000}, "more than a year"),
        ({"ts": -2_208_988_800_000}, "ts is negative"),
        ({"ts": 0}, "is not between 1990 and 2100"),
        ({"ts": 253_402_300_799_000}, "is not between 1990 and 2100"),
        ({"sc": "many"}, "sc is 'many', which is not a count"),
        ({"ec": 2**31}, "which is not a count"),
    ],
)
def test_a_sample_that_cannot_be_is_rejected_with_its_line(changed: dict[str, object], reason: str) -> None:
    rows, report = rows_of(document(tag(lb="before", inside=URL), tag(**changed), tag(lb="after")))
    assert [row.label for row in rows] == ["before", "after"]
    assert report.rows_rejected == 1
    [(line, said)] = report.rejected
    assert line == 6
    assert reason in said


def test_the_sub_results_of_a_rejected_sample_stay_sub_results() -> None:
    rows, report = rows_of(document(tag(t=-1, inside=tag(lb="part") + URL + "\n" + FAILED), tag()))
    assert [(row.label, row.kind) for row in rows] == [("part", "sub"), ("Home", "sample")]
    assert report.rows_rejected == 1


@pytest.mark.parametrize(
    ("name", "value"), [("by", "-1"), ("lt", "NaN"), ("it", "-3"), ("na", str(2**31)), ("ct", "²"), ("sby", "9" * 30)]
)
def test_an_impossible_number_that_a_row_can_do_without_is_left_out_and_said_once(name: str, value: str) -> None:
    rows, report = rows_of(document(tag(**{name: value}), tag(**{name: value + "0"})))
    column = {"by": "bytes", "sby": "sent_bytes", "na": "all_threads"}.get(name, f"{name}_ms")
    column = {"lt_ms": "latency_ms", "it_ms": "idle_ms", "ct_ms": "connect_ms"}.get(column, column)
    assert [getattr(row, column) for row in rows] == [None, None]
    assert report.warnings == [f"Line 3: {name} is {value!r}; such values were left out."]


def test_fractions_of_a_millisecond_are_kept() -> None:
    [row], _ = rows_of(document(tag(t="12.345")))
    assert row.elapsed_us == 12_345


def test_a_file_without_times_says_what_it_has_and_what_is_needed() -> None:
    with pytest.raises(BadFile, match=r"No sample has the attribute ts or t\. Needed: ts, t, lb, s\. Found: s, lb"):
        rows_of(document('<sample s="true" lb="a"/>\n', '<sample s="true" lb="b"/>\n'))


def test_an_empty_result_file_has_no_rows() -> None:
    rows, report = rows_of(document())
    assert (rows, report.rows_rejected, report.warnings) == ([], 0, [])


# How the file ends.


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


# What stands before, between and behind the samples.


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


# Characters.


def test_the_declared_encoding_is_used() -> None:
    text = HEAD.replace("UTF-8", "ISO-8859-1") + tag(lb="Grüße") + TAIL
    [row], report = rows_of(text.encode("latin-1"))
    assert row.label == "Grüße"
    assert report.dialect["encoding"] == "iso-8859-1"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_read(encoding: str) -> None:
    [row], report = rows_of((HEAD.replace("UTF-8", "UTF-16") + tag(lb="Ċ привет", t="12") + TAIL).encode(encoding))
    assert (row.label, report.warnings) == ("Ċ привет", [])


def test_a_declaration_of_utf_16_over_other_bytes_is_not_believed() -> None:
    [row], _ = rows_of((HEAD.replace("UTF-8", "UTF-16") + tag(lb="é") + TAIL).encode())
    assert row.label == "é"


def test_an_unknown_encoding_is_said_and_read_as_utf_8() -> None:
    [row], report = rows_of((HEAD.replace("UTF-8", "KLINGON-1") + tag(lb="é") + TAIL).encode())
    assert row.label == "é"
    assert report.warnings == ["The encoding 'KLINGON-1' is not known; UTF-8 was assumed."]


def test_latin_1_bytes_in_a_utf_8_file_are_read_and_said() -> None:
    rows, report = rows_of(document(tag(lb="LABEL"), tag(lb="é")).replace(b"LABEL", b"caf\xe9"))
    assert [row.label for row in rows] == ["café", "é"]
    assert warned(report, "not UTF-8")


def test_nul_bytes_are_removed_and_said() -> None:
    rows, report = rows_of(document(tag(lb="a"), tag(lb="LABEL")).replace(b"LABEL", b"b\0\0") + b"\0" * 4096)
    assert [row.label for row in rows] == ["a", "b"]
    assert "NUL bytes were removed." in report.warnings


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("a&#x0;b", "a\ufffdb"),
        ("a&#1;b", "a\ufffdb"),
        ("&#xa;&#x1F600;", "\n\U0001f600"),
        ("a & b", "a & b"),
        ("&x;", "&x;"),
    ],
)
def test_character_references_that_xml_forbids_break_nothing(written: str, read: str) -> None:
    rows, _ = rows_of(document(tag(lb="LABEL", inside=URL).replace("LABEL", written), tag(lb="after")))
    assert [(row.label, row.kind) for row in rows] == [(read, "sample"), ("after", "sample")]


def test_very_long_texts_are_cut_and_said_once() -> None:
    long = "x" * 100_000
    inside = f"<java.net.URL>{long}</java.net.URL>\n{FAILED.replace('expected', long)}"
    rows, report = rows_of(document(tag(lb=long, rm=long, inside=inside), tag(lb=long)))
    assert {len(text) for row in rows for text in (row.label, row.url or long[:65_536])} == {65_536}
    assert len(rows[0].failure_message or "") == 65_536
    assert report.warnings == ["Texts longer than 65,536 characters were cut."]


@pytest.mark.parametrize("shift", ["", "x"])
def test_a_line_cut_into_pieces_is_not_cut_within_a_character(shift: str) -> None:
    [row], report = rows_of(document(tag(lb=shift + "é" * 300_000)))
    assert set(row.label) == {"é", *shift}
    assert report.warnings == ["Texts longer than 65,536 characters were cut."]


def test_a_response_of_many_megabytes_on_one_line_is_passed_over() -> None:
    response = f"<responseData>{'é&lt;' * 3_000_000}</responseData>"
    rows, report = rows_of(document(tag(lb="a", inside=response), tag(lb="b")))
    assert [row.label for row in rows] == ["a", "b"]
    assert report.warnings == []


def test_an_attribute_of_many_megabytes_costs_its_sample_alone() -> None:
    rows, report = rows_of(document(tag(lb="a"), tag(lb="x" * 12_000_000), tag(lb="b")))
    assert [row.label for row in rows] == ["a", "b"]
    assert report.rejected == [(4, "a tag or comment is longer than 8,388,608 bytes")]


@pytest.mark.parametrize(("length", "labels"), [(300_000, ["a", ">", "b"]), (12_000_000, ["a", "b"])])
def test_a_value_of_nothing_but_brackets_is_read_as_any_other(length: int, labels: list[str]) -> None:
    rows, report = rows_of(document(tag(lb="a"), tag(lb="LABEL").replace("LABEL", ">" * length), tag(lb="b")))
    assert [row.label[:1] for row in rows] == labels
    assert report.rows_rejected == 3 - len(labels)


def test_a_tag_that_never_ends_is_given_up() -> None:
    rows, report = rows_of((HEAD + tag(lb="a") + "<x " + ("y" * 99 + "\n") * 90_000 + tag(lb="b") + TAIL).encode())
    assert [row.label for row in rows] == ["a", "b"]
    assert report.rows_rejected == 1


# Files that are refused.

BOMB = '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>\n'


@pytest.mark.parametrize(
    "declaration", [BOMB, '<!DOCTYPE testResults SYSTEM "file:///etc/passwd">\n', "<!DOCTYPE testResults>\n"]
)
def test_a_document_type_is_refused_and_no_entity_expanded(declaration: str) -> None:
    with pytest.raises(BadFile, match=r"declares the document type"):
        rows_of((declaration + "<testResults>\n" + tag(lb="&c;") + TAIL).encode())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("<FinalStatus><Group label=''/></FinalStatus>", "final statistics of Taurus"),
        ("<jmeterTestPlan version='1.2'/>", "a JMeter test plan"),
        ("<testsuites/>", "JUnit"),
        ("<!DOCTYPE html>\n<html></html>", "a web page"),
        ("<HTML><body>", "a web page"),
        (tag(), "whose beginning is missing"),
        ("<rss/>", "begins with <rss>: it is not a JMeter result file"),
        ("<testResults><sampleResult time='1'/></testResults>", "Found instead: <sampleResult>"),
        ("hello, world", "The file is not XML: it begins with 'hello, world'"),
        ("hello, world\n" * 800_000, "The file is not XML: it begins with 'hello, world'"),
        ("", "The file is empty"),
        ("  \n ", "The file is empty"),
        ('<?xml version="1.0"?>\n', "The file is not XML"),
    ],
)
def test_another_file_is_refused_by_its_name(content: str, said: str) -> None:
    with pytest.raises(BadFile, match=re.escape(said)):
        rows_of(content.encode())


def test_samples_may_be_nested_a_thousand_deep() -> None:
    start = tag()[:-3] + ">\n"
    rows, _ = rows_of((HEAD + start * 1_000 + "</httpSample>\n" * 1_000 + TAIL).encode())
    assert Counter(row.kind for row in rows) == {"sample": 1, "sub": 999}


@pytest.mark.parametrize("start", ["<a>", tag()[:-3] + ">\n"])
def test_deeper_nesting_is_refused(start: str) -> None:
    with pytest.raises(LimitExceeded, match=r"nested more than 2,000 tags deep"):
        rows_of((HEAD + start * 3_000).encode())


def test_a_sample_with_very_many_sub_results_is_passed_on_before_its_end() -> None:
    parts = tag(lb="part") * 40_000
    rows, report = rows_of((HEAD + tag(lb="a")[:-3] + ">\n" + parts + "</httpSample>\n" + tag(lb="b") + TAIL).encode())
    assert Counter((row.label, row.kind) for row in rows) == {
        ("a", "sample"): 1,
        ("part", "sub"): 40_000,
        ("b", "sample"): 1,
    }
    assert warned(report, "so many sub-results")


# Times that are ends.


def test_end_stamps_are_suspected_where_parts_begin_before_their_parent() -> None:
    whole = tag(t=500, ts=T0 + 500, inside=tag(t=200, ts=T0 + 200) + tag(t=300, ts=T0 + 500))
    rows, report = rows_of(document(whole))
    assert rows[0].started_us == (T0 + 500) * 1000
    assert warned(report, "look like the ends of the samples")
    assert report.dialect["timestamps"] == "probably ends"


def test_end_stamps_become_starts_when_asked_for() -> None:
    whole = tag(t=500, ts=T0 + 500, inside=tag(t=200, ts=T0 + 200))
    rows, report = rows_of(document(whole), has_end_stamps=True)
    assert [row.started_us for row in rows] == [T0 * 1000, T0 * 1000]
    assert report.warnings == []


# Progress.


def test_progress_adds_up_to_the_size_of_the_file() -> None:
    data = document(*[tag(inside=URL)] * 5_000)
    steps: list[int] = []
    for _ in xml.read(io.BytesIO(data), ReadReport(), steps.append):
        pass
    assert sum(steps) == len(data)
    assert len(steps) > 2


# Whatever is done to a file.

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


@st.composite
def damaged(draw: st.DrawFn, good: bytes) -> bytes:
    data = bytearray(good)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        match draw(st.sampled_from(["flip", "cut", "insert", "duplicate", "remove"])):
            case "flip" if at < len(data):
                data[at] ^= draw(st.integers(1, 255))
            case "cut":
                del data[at:]
            case "insert":
                data[at:at] = draw(
                    st.one_of(st.binary(max_size=20), st.sampled_from([b"<", b'"', b"]]>", b"<![CDATA[", b"&#0;"]))
                )
            case "duplicate":
                data[at:at] = data[at : at + draw(st.integers(0, 400))]
            case _:
                del data[at : at + draw(st.integers(0, 60))]
    return bytes(data)


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(damaged(GOOD))
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


# Real files.


def test_the_csv_of_the_same_run_has_the_same_rows() -> None:
    rows, report = rows_of_file("jtl/jmeter-5.6.3/nested_subresults.xml")
    kinds = Counter(row.kind for row in rows)
    assert kinds == {"sample": 1_840, "transaction": 244, "sub": 960}
    assert (len(rows), report.rows_rejected, report.warnings) == (3_044, 0, [])
    with fixture("jtl/jmeter-5.6.3/default_with_sample_variables.csv").open(newline="", encoding="utf-8") as file:
        expected = Counter(_from_csv(record) for record in csv.DictReader(file))
    # Two listeners write when it suits them, so that the order of threads differs between the files.
    assert (
        Counter(
            _comparable(row, set(Row._fields) - {"sent_bytes", "engine", "sample_count", "error_count"}) for row in rows
        )
        == expected
    )


CSV_COLUMNS = {
    "timeStamp": "started_us",
    "elapsed": "elapsed_us",
    "label": "label",
    "responseCode": "response_code",
    "responseMessage": "response_message",
    "threadName": "thread",
    "success": "success",
    "failureMessage": "failure_message",
    "bytes": "bytes",
    "grpThreads": "group_threads",
    "allThreads": "all_threads",
    "URL": "url",
    "Latency": "latency_ms",
    "IdleTime": "idle_ms",
    "Connect": "connect_ms",
    "SampleCount": "sample_count",
    "ErrorCount": "error_count",
}


def _comparable(row: Row, columns: set[str]) -> tuple[tuple[str, str], ...]:
    """The row as the CSV file would have written it."""
    values = row._asdict() | {"started_us": row.started_us // 1000, "elapsed_us": row.elapsed_us // 1000}
    values["success"] = str(row.success).lower()
    written = {
        name: f"{value:g}" if isinstance(value, float) else str(value or "") if value != 0 else "0"
        for name, value in values.items()
    }
    return tuple(sorted((name, written[name]) for name in CSV_COLUMNS.values() if name in columns))


def _from_csv(record: dict[str, str]) -> tuple[tuple[str, str], ...]:
    known = {CSV_COLUMNS[name]: value for name, value in record.items() if name in CSV_COLUMNS}
    if known.get("url") == "null":
        known["url"] = ""
    known.pop("sent_bytes", None)
    return tuple(sorted(known.items()))


@pytest.mark.parametrize(
    "name",
    [
        "BatchTestLocal",
        "Bug52968",
        "Bug54685",
        "Bug56811",
        "JDBC_TESTS",
        "TEST_HTTP_HttpClient4",
        "TestResultStatusAction",
    ],
)
def test_jmeters_own_pairs_of_files_have_the_same_rows(name: str) -> None:
    # JMeter leaves times out of these files, so that its own tests can compare them; here they are put in.
    data = fixture(f"jtl/apache-jmeter/{name}.xml").read_bytes()
    timed = re.sub(rb"<(httpSample|sample) ", rb'<\1 t="1" ts="%d" ' % T0, data)
    rows, report = rows_of(timed)
    expected = _apache_csv(fixture(f"jtl/apache-jmeter/{name}.csv"), report.columns)
    columns = set(dict(expected[0]))
    assert [_comparable(row, columns) for row in _without_nested(rows, len(expected))] == expected


def _without_nested(rows: list[Row], count: int) -> list[Row]:
    """Files of JMeter before 5.0 do not list sub-results in CSV."""
    return rows if len(rows) == count else [row for row in rows if row.kind != "sub"]


HEADERLESS = {
    "Bug52968": ["label", "responseCode", "responseMessage", "threadName", "dataType", "success"],
    "TEST_HTTP_HttpClient4": ["label", "responseCode", "threadName", "dataType", "success"],
}
COUNTS = ["grpThreads", "allThreads", "SampleCount", "ErrorCount"]
ONLY_IN_CSV = "NAME USER1"


def _apache_csv(path: Path, columns: set[str]) -> list[tuple[tuple[str, str], ...]]:
    with path.open(newline="", encoding="utf-8") as file:
        names = [*HEADERLESS[path.stem], *COUNTS] if path.stem in HEADERLESS else None
        records = [record for record in csv.DictReader(file, names) if record["label"] != ONLY_IN_CSV]
    written = ({name: value for name, value in record.items() if value is not None} for record in records)
    return [tuple((key, value) for key, value in _from_csv(record) if key in columns) for record in written]


def test_jmeters_pairs_without_times_are_refused_as_they_are() -> None:
    with pytest.raises(BadFile, match=r"No sample has the attribute ts or t"):
        rows_of_file("jtl/apache-jmeter/Bug54685.xml")


def test_a_real_file_of_a_killed_run_is_read_to_its_cut() -> None:
    rows, report = rows_of_file("jtl/jmeter-5.6.3/with_response_data_truncated.xml")
    whole, _ = rows_of_file("jtl/jmeter-5.6.3/nested_subresults.xml")
    assert (len(rows), report.rows_rejected) == (215, 0)
    assert {row[:3] for row in rows} <= {row[:3] for row in whole}
    assert warned(report, "cut off before </testResults>")


@pytest.mark.parametrize("name", ["JMeterResults.jtl", "whitespace-followed-by-xml.jtl"])
def test_the_samples_of_jenkins_are_read(name: str) -> None:
    rows, report = rows_of_file(f"jtl/jenkins-performance-plugin/{name}")
    assert (len(rows), report.warnings) == (8, [])
    assert {row.label for row in rows} == {"Home", "Workgroup"}
    assert rows[0].elapsed_us == 14_720_000
    assert min(row.started_us for row in rows) == 1_296_846_792_004_000
    assert 278_000 in {row.elapsed_us for row in rows if row.label == "Workgroup"}


@pytest.mark.parametrize(
    ("name", "elapsed"),
    [
        ("OneSample", [2]),
        ("ThreeSamples", [1, 2, 3]),
        ("TenSamples", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
        ("MultiThread", [894, 996, 1381, 1508, 1581]),
    ],
)
def test_the_durations_jenkins_asserts_are_read(name: str, elapsed: list[int]) -> None:
    rows, _ = rows_of_file(f"jtl/jenkins-performance-plugin/JMeterResults{name}.jtl")
    found = sorted(row.elapsed_us // 1000 for row in rows)
    assert len(found) == len(elapsed)
    assert (found[0], found[-1]) == (elapsed[0], elapsed[-1])


def test_nested_samples_of_jenkins_are_sub_results() -> None:
    rows, _ = rows_of_file("jtl/jenkins-performance-plugin/JMeterResultsMultiLevel.jtl")
    assert len({row.label for row in rows if row.kind == "sample"}) == 2


@pytest.mark.parametrize("name", ["TaurusXMLReport.xml", "TaurusPreviousBuildReport.xml", "aggregate-results.xml"])
def test_statistics_of_taurus_are_refused_as_what_they_are(name: str) -> None:
    with pytest.raises(BadFile, match=r"final statistics of Taurus: they are aggregated and hold no samples"):
        rows_of_file(f"jtl/jenkins-performance-plugin/{name}")


def test_every_xml_file_of_taurus_is_read() -> None:
    files = [
        path for path in sorted(fixture("jtl/bzm").glob("*.jtl")) if path.read_bytes().lstrip().startswith(b"<?xml")
    ]
    assert len(files) > 15
    for path in files:
        data = path.read_bytes()
        rows, report = rows_of(data)
        assert len(rows) == len(re.findall(rb"^\s*<(?:httpSample|sample) ", data, re.MULTILINE)), path.name
        assert report.rows_rejected == 0, path.name


def test_taurus_files_keep_what_failed() -> None:
    rows, report = rows_of_file("jtl/bzm/resource-errors-no-fail.jtl")
    assert [row.success for row in rows if row.kind == "sample"] == [True, False]
    assert rows[0].started_us // 1_000_000 == 1_440_764_640
    assert rows[0].elapsed_us == 419_000
    assert report.dialect["timestamps"] == "probably ends"
    rows, _ = rows_of_file("jtl/bzm/error-mix.jtl")
    assert rows[0].failure_message
