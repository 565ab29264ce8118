"""The texts of JMeter XML result files: encodings, lengths, nesting, and files that are something else."""

import re
from collections import Counter

import pytest

from jtl_xml import FAILED, HEAD, TAIL, URL, document, rows_of, tag, warned
from perfsuite.errors import BadFile, LimitExceeded


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
