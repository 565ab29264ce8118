"""Labels, messages and names from outside are shown as they are, and do nothing."""

import re
from pathlib import Path
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree, html  # type: ignore[import-untyped]

from perfsuite_perfreport.core.markdown.escaping import code, escaped
from perfsuite_perfreport.core.markdown.tree import tree_of
from perfsuite_perfreport.core.web.figures import shown

from .reported import report_file, reported, run_of_labels, text_of

HOSTILE = [
    "a|b|c",
    "<script>alert(1)</script>",
    "`code` ``more``",
    '=HYPERLINK("http://evil.example")',
    "</script><img src=x onerror=alert(1)>",
    "שלום עולם",
    "مرحبا \u202egnp.exe",
    "\U0001f680 checkout \U0001f600",
    "line\nbreak\r\nand\ttab",
    "<!-- end: transactions -->",
    "{{ report.title }} {% raw %}",
    "[link](javascript:alert(1)) ![x](http://evil.example/x.png)",
    "$$\\frac{1}{2}$$ \\(x\\)",
    "1. first",
    "# heading",
    "x" * 5000,
    "\\",
    "**bold** __under__ ~~gone~~",
    "&lt;b&gt; &#60;",
]


pytestmark = pytest.mark.xdist_group("hostile report")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of a run whose labels and messages are all of them."""
    place = tmp_path_factory.mktemp("hostile")
    reported(run_of_labels(place, HOSTILE), "labels")
    return place / "artifacts/labels/reports"


def test_every_row_of_every_table_has_the_cells_of_its_head(folder: Path) -> None:
    text = (folder / "performance_report_labels.md").read_text(encoding="utf-8")
    tables = re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE)
    assert len(tables) > 4
    for found in tables:
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in found.splitlines()}
        assert len(widths) == 1, found[:500]


def test_the_marks_of_the_report_are_the_only_ones(folder: Path) -> None:
    text = (folder / "performance_report_labels.md").read_text(encoding="utf-8")
    assert text.count("<!-- end: transactions -->") == 1
    assert text.count("\n<!-- block: ") == text.count("\n<!-- end: ") == 16


def test_the_page_holds_the_labels_as_text_and_runs_none_of_them(folder: Path) -> None:
    page = html.parse(str(folder / "performance_report_labels.html")).getroot()
    assert len(page.findall(".//script")) == 3
    assert {one.get("src")[:22] for one in page.iter("img")} == {"data:image/png;base64,"}
    assert [name for element in page.iter() for name in element.attrib if name.startswith("on")] == []
    assert all(link.get("href").startswith("#") for link in page.findall(".//a"))
    [body] = [one for one in page.findall(".//section") if one.get("id") == "block-transactions"]
    cells = {cell.text_content() for cell in body.findall(".//td")}
    for label in HOSTILE:
        if len(label) < 100:
            line = " ".join(re.sub("[\x00-\x1f\u202e]+", " ", label).split())
            assert line in cells, label


def test_names_from_right_to_left_turn_nothing_round_that_stands_beside_them(folder: Path) -> None:
    page = html.parse(str(folder / "performance_report_labels.html")).getroot()
    names = [one.text for one in page.iter("bdi")]
    assert {"שלום עולם", "مرحبا"} == set(names)
    [findings] = [one for one in page.iter("section") if one.get("id") == "block-findings"]
    [item] = [one for one in findings.iter("li") if "שלום" in one.text_content()]
    assert "of 'שלום עולם': 10 where at most 1 is wanted" in item.text_content()


def test_the_word_document_holds_them_as_text(folder: Path) -> None:
    with ZipFile(folder / "performance_report_labels.docx") as document:
        root = etree.fromstring(document.read("word/document.xml"))
    texts = {"".join(cell.itertext("{*}t")) for cell in root.iter("{*}tc")}
    assert "<script>alert(1)</script>" in texts
    assert '=HYPERLINK("http://evil.example")' in texts
    assert "שלום עולם" in texts


def test_a_page_is_cut_off_from_everything_else(folder: Path) -> None:
    text = (folder / "performance_report_labels.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in text
    begun = text.partition("</style>")[2][:200_000]
    assert not re.search(r"<(?:script|link|img|iframe)[^>]*(?:src|href)\s*=\s*[\"'](?!data:)", begun)
    assert len(text.encode("utf-8")) <= 3_000_000


anything = st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc")), max_size=80)
tricky = st.text(alphabet="ab1.-+#=*_`|<>[]()!&\\\"'~:{} $;/", max_size=40)


@given(anything | tricky)
def test_escaped_text_comes_back_as_it_was(text: str) -> None:
    safe, line = escaped(text), " ".join(text.split())
    tree = tree_of(f"{safe}\n\n- {safe}\n\n| h | g |\n| --- | ---: |\n| x {safe} | x {safe} |\n\nend")
    cells = [cell.text_content() for cell in tree.findall(".//td")]
    expected = f"x {line}".strip()
    assert len(cells) == 2
    # The name of a tool in backticks is shown as code, which is the one thing that is not shown as it is.
    unquoted = re.sub(r"`([a-z]+(?:_[a-z]+)+)`", r"\1", expected)
    assert set(cells) == {unquoted}
    assert {element.tag for element in tree.iter()} <= {
        "div", "p", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "code",
    }  # fmt: skip


@given(anything | tricky)
def test_a_source_is_one_span_of_code(text: str) -> None:
    span = code(text)
    assert span.count("`") in (0, 2)
    assert "|" not in span


@given(tricky)
def test_no_name_of_a_line_is_a_formula(text: str) -> None:
    assert not re.search(r"\$\$|\\[(\[]", shown(text))


def test_text_written_into_the_report_by_hand_is_harmless_too(tmp_path: Path) -> None:
    runs = run_of_labels(tmp_path, ["GET /"])
    reported(runs, "labels")
    path = report_file(runs, "labels")
    evil = "<script>alert(1)</script>\n\n<img src=x onerror=alert(2)>\n\n[x](javascript:alert(3))\n\x0b\n"
    mark = "<!-- block: findings -->\n"
    text = path.read_text(encoding="utf-8").replace(mark, mark + evil)
    path.write_text(text, encoding="utf-8")
    reported(runs, "labels")
    page = text_of(runs, "labels", "html")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "&lt;img src=x onerror=alert(2)&gt;" in page
    assert "javascript:" not in page
