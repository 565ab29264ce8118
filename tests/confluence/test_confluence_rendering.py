"""A report as the storage format of Confluence: whatever the report holds, the page is well-formed and runs nothing."""

import csv
import io
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree  # type: ignore[import-untyped]

from perfsuite.errors import BadFile, LimitExceeded
from perfsuite.sandbox.confluence import storage as confluence
from perfsuite_confluence.core.names import labels_of, title_of
from perfsuite_confluence.core.pages import page_of
from perfsuite_confluence.core.reading import plain_text
from perfsuite_confluence.core.storage import check
from perfsuite_confluence.models.parts import PageParts, Picture
from perfsuite_perfreport.core.markdown.tree import LOOKS

FENCE = "```"


def page(markdown: str) -> PageParts:
    return page_of(markdown, lambda source: Picture("A.png", 1280) if "charts/" in source else None)


def body(markdown: str) -> str:
    return page(markdown).body


def test_the_first_heading_is_the_title_and_leaves_the_page() -> None:
    found = page("# The *checkout* & more\n\ntext\n\n# Another\n")
    assert found.heading == "The checkout & more"
    assert found.body == "<p>text</p>\n<h1>Another</h1>"


@pytest.mark.parametrize("indent", [2, 3, 4])
def test_lists_nest_however_they_are_indented(indent: int) -> None:
    pad = " " * indent
    text = body(f"text\n- a\n{pad}- b\n{pad * 2}- c\n- d\n")
    flat = re.sub(r"\s+", "", text)
    assert flat == "<p>text</p><ul><li>a<ul><li>b<ul><li>c</li></ul></li></ul></li><li>d</li></ul>"


def test_numbered_and_plain_lists_are_kept_apart() -> None:
    flat = re.sub(r"\s+|</?p>", "", body("- a\n1. x\n   - y\n2) z\n"))
    assert flat == "<ul><li>a</li></ul><ol><li>x<ul><li>y</li></ul></li><li>z</li></ol>"


def test_a_table_keeps_escaped_pipes_and_alignment_and_needs_no_empty_line_before() -> None:
    text = body("before\n| a | n |\n|---|--:|\n| x \\| y | 1 ms |\n| `p\\|q` | **b** |\nafter\n")
    assert "<td><p>x | y</p></td>" in text
    assert '<td><p style="text-align: right;">1\xa0ms</p></td>' in text
    assert "<thead><tr><th><p>a</p></th>" in text
    assert "<code>p|q</code>" in text.replace("p\\|q", "p|q")
    assert text.startswith("<p>before</p>")
    assert text.endswith("<p>after</p>")


def test_a_table_without_words_in_its_head_is_a_list_of_facts() -> None:
    text = body("| | |\n|---|---|\n| Users | 200 |\n")
    assert text == "<table><tbody><tr><th><p>Users</p></th><td><p>200</p></td></tr></tbody></table>"


def test_code_keeps_its_lines_and_every_character() -> None:
    text = body(f"{FENCE}json\n" + '{"a": "]]>"}\n\n  <b>&amp;\n' + f"{FENCE}\n")
    assert '<ac:parameter ac:name="language">js</ac:parameter>' in text
    [code] = confluence.parse(text).iter(f"{confluence.AC}plain-text-body")
    assert code.text == '{"a": "]]>"}\n\n  <b>&amp;'


def test_code_in_a_list_stays_in_the_list() -> None:
    text = body(f"1. one\n   {FENCE}bash\n   ls\n\n   pwd\n   {FENCE}\n2. two\n")
    [items] = confluence.parse(text).iter("ol")
    assert len(items.findall("li")) == 2
    assert "ls\n\npwd" in text


def test_code_that_nobody_closed_ends_with_the_report() -> None:
    assert "<![CDATA[a\n# b]]>" in body(f"{FENCE}\na\n# b")


def test_a_language_that_confluence_does_not_know_is_text() -> None:
    assert '<ac:parameter ac:name="language">text</ac:parameter>' in body(f"{FENCE}brainfun\nx\n{FENCE}\n")


def test_words_of_a_verdict_are_lozenges_in_their_colour() -> None:
    text = body("**[PASS]** and **[PASS WITH WARNINGS]** and **[FAIL]** and **[INCONCLUSIVE]**\n")
    assert re.findall(r'"colour">(\w+)<', text) == ["Green", "Yellow", "Red", "Grey"]


@pytest.mark.parametrize("word", sorted(LOOKS))
def test_every_word_by_which_our_reports_judge_is_a_lozenge(word: str) -> None:
    assert f'"title">{word}<' in body(f"**[{word}]**\n")


def test_other_words_in_brackets_and_those_in_code_are_not() -> None:
    text = body("**[HELLO]** and `**[PASS]**` and [PASS]\n")
    assert "status" not in text
    assert "<strong>[HELLO]</strong>" in text


def test_details_fold_also_inside_each_other() -> None:
    text = body(
        "<details>\n<summary>Errors &amp; **logs**</summary>\n\n- a\n\n"
        "<details><summary>More</summary>\n\nb\n\n</details>\n</details>\n\nc\n"
    )
    root = confluence.parse(text)
    titles = [one.text for one in root.iter(f"{confluence.AC}parameter")]
    assert titles == ["Errors & **logs**", "More"]
    assert root[-1].text == "c"


def test_marks_of_quotes_are_panels_and_each_has_its_own() -> None:
    text = body("> [!WARNING]\n> a\n\n> [!NOTE]\n> b\n\ntext\n\n> quote\n")
    assert re.findall(r'macro ac:name="(\w+)"', text) == ["warning", "info"]
    assert "<blockquote><p>quote</p></blockquote>" in text


def test_comments_on_lines_of_their_own_are_left_out_and_those_in_code_are_not() -> None:
    text = body(f"<!-- block: x -->\na\n<!-- long\n\ncomment -->\n{FENCE}\n<!-- kept -->\n{FENCE}\n<!-- end: x -->\n")
    assert "block" not in text
    assert "comment" not in text
    assert "<!-- kept -->" in text


def test_pictures_are_attachments_with_words_and_a_width() -> None:
    text = body('![P90 "q" <x>](../charts/P90.png)\n')
    assert text == (
        '<ac:image ac:align="center" ac:alt="P90 &quot;q&quot; &lt;x&gt;" ac:width="900">'
        '<ri:attachment ri:filename="A.png" /></ac:image>'
    )


def test_a_picture_that_is_not_there_is_said_and_none_is_fetched_from_elsewhere() -> None:
    text = body("![CPU](cpu.png) ![x](https://example.com/x.png)\n")
    assert "There is no picture here: CPU." in text
    assert "example.com" not in text
    assert "<img" not in text


@pytest.mark.parametrize("target", ["javascript:alert(1)", "data:text/html,x", "//evil", "../x.json", "file:///etc/x"])
def test_links_that_lead_nowhere_good_are_text(target: str) -> None:
    assert body(f"[words]({target})\n") == "<p><span>words</span></p>"


def test_links_to_headings_work_and_those_to_none_are_text() -> None:
    text = body("[a](#two--three) [b](#nowhere)\n\n## Two & three\n")
    assert '<ac:link ac:anchor="two--three">' in text
    assert '<h2><ac:structured-macro ac:name="anchor"><ac:parameter ac:name="">two--three<' in text
    assert "<span>b</span>" in text


def test_the_table_of_contents_stands_at_its_mark_or_before_the_first_of_many_sections() -> None:
    assert 'ac:name="toc"' not in body("## a\n\n## b\n")
    marked = body("[TOC]\n\n## a\n")
    assert marked.startswith('<ac:structured-macro ac:name="toc">')
    many = body("intro\n\n## a\n\n## b\n\n## c\n")
    assert many.index("<p>intro</p>") < many.index('"toc"') < many.index("<h2>a</h2>")


HOSTILE = [
    "<script>alert(1)</script>",
    '<ac:structured-macro ac:name="html"><ac:plain-text-body><![CDATA[<script>x</script>]]></ac:plain-text-body>',
    "]]> <![CDATA[ <!DOCTYPE x [<!ENTITY e SYSTEM 'file:///x'>]> &e; &nbsp; &bogus;",
    "a\x00b\x0b\x1b[31m\u202egnp.exe\ud800\ufffe",
    "=cmd()|' /C calc'!A0",
    "{{ 7*7 }} ${jndi:ldap://x} %n%s",
    '" onmouseover="alert(1)',
    "x" * 5000,
    "`" * 5000,
    "[" * 5000,
    "*" * 5000,
    "> " * 3000,
    "[a](" * 2000,
    "| " * 5000,
    "<details>\n" * 500,
    "\n".join(" " * number + "- x" for number in range(300)),
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("place", ["{}", "| a |\n|---|\n| {} |", "# {}", "- {}", "![{}](../charts/A.png)", "`{}`"])
def test_hostile_text_makes_a_page_that_runs_nothing(text: str, place: str) -> None:
    begun = time.monotonic()
    made = body(f"before\n\n{place.replace('{}', text)}\n")
    assert time.monotonic() - begun < 20
    macros = confluence.parse(made).iter(f"{confluence.AC}structured-macro")
    assert {one.get(f"{confluence.AC}name") for one in macros} <= {"expand", "code", "anchor", "toc"}
    assert "<script" not in re.sub(r"<!\[CDATA\[.*?]]>", "", made, flags=re.DOTALL)
    assert "\u202e" not in made


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300), st.text(alphabet="#*_`~>|-[]()<>!&\n 1.ax\\/\t:", max_size=300))
def test_any_report_makes_a_page_that_is_well_formed(first: str, second: str) -> None:
    made = body(f"{first}\n\n{second}")
    check(made)
    confluence.parse(made)


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=0x10FFFF, exclude_categories=["Cs", "Cc"])))
def test_words_in_code_come_out_as_they_went_in(words: str) -> None:
    from perfsuite_confluence.core.blocks import cleaned

    made = confluence.parse(body(f"~~~~~~~~\nx{words}x\n~~~~~~~~\n"))
    [code] = made.iter(f"{confluence.AC}plain-text-body")
    assert code.text == f"x{cleaned(words)}x"


def long_table(rows: int, cell: str = "v") -> str:
    lines = [f"| {number} | {cell} |" for number in range(rows)]
    return "\n".join(["## Every label & more", "", "| n | =cmd() |", "|---|---|", *lines, ""])


def test_a_long_table_is_a_file_and_the_page_keeps_its_beginning() -> None:
    found = page(long_table(350, "=1+1"))
    [file] = found.tables
    assert (file.filename, file.rows) == ("table-1-every-label-more.csv", 350)
    rows = list(csv.reader(io.StringIO(file.content.decode("utf-8-sig"))))
    assert rows[:2] == [["n", "'=cmd()"], ["0", "'=1+1"]]
    assert len(rows) == 351
    assert found.body.count("<tr>") == 26
    assert '<ri:attachment ri:filename="table-1-every-label-more.csv" />' in found.body
    assert "The first 25 of 350 rows" in found.body


def test_words_are_whole_in_the_file_though_the_page_may_break_them() -> None:
    word = "com.example.shop." + "x" * 100
    [file] = page(long_table(250, word)).tables
    assert list(csv.reader(io.StringIO(file.content.decode("utf-8-sig"))))[1] == ["0", word]


def test_a_table_that_people_can_read_stays_on_the_page() -> None:
    assert page(long_table(200)).tables == ()


def test_a_page_that_would_be_too_heavy_gives_up_its_largest_tables_first() -> None:
    found = page(long_table(60, "small") + "\n" + long_table(150, "x y " * 1200))
    assert [one.rows for one in found.tables] == [150]
    assert len(found.body) < 500_000


@pytest.mark.parametrize("word", ["word ", "出口 "])
def test_a_page_that_cannot_be_made_smaller_is_refused(word: str) -> None:
    body(word * 100_000)
    with pytest.raises(LimitExceeded) as caught:
        body(word * 1_050_000)
    assert "5,000,000" in str(caught.value)


def test_a_page_that_is_not_well_formed_is_refused_before_it_is_sent() -> None:
    for bad in ("<p>", "<x:y/>", "a & b"):
        with pytest.raises(BadFile):
            check(bad)
    check("<ac:image><ri:attachment ri:filename='x'/></ac:image>")


def test_titles_and_labels_are_made_such_that_confluence_takes_them() -> None:
    assert title_of(" a\n b\x00\u202e ") == "a b"
    assert len(title_of("x" * 300)) == 255
    assert title_of("出口 · خروج") == "出口 · خروج"
    assert labels_of(["Load Test", "load-test", "a:b;c!", "***", "2.4_x"]) == ["load-test", "a-b-c", "2.4_x"]


def test_the_text_of_a_page_can_be_read_without_its_marks() -> None:
    text = plain_text(body("# T\n\n**[PASS]** ok &amp; <b>\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```\nx < y\n```\n"))
    assert text.splitlines() == ["PASS ok & <b>", "a | b |", "1 | 2 |", "x < y"]


def test_the_page_is_xml_of_the_namespaces_that_confluence_knows() -> None:
    made = body("**[PASS]** ![x](../charts/A.png)\n")
    root = confluence.parse(made)
    spaces = {etree.QName(one).namespace for one in root.iter()} - {None}
    assert spaces == {"http://atlassian.com/content", "http://atlassian.com/resource/identifier"}
