"""Pages of the stand-in of Confluence as a browser shows them."""

import os
import re
import shutil
import struct
import subprocess
import zlib
from html import escape
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import html  # type: ignore[import-untyped]

from shared.sandbox.confluence_desk import STATUS, Desk

BROWSER = shutil.which(os.environ.get("PERFSUITE_BROWSER", "chromium"))
PATIENCE_S = 90
WRAPPINGS = {
    "paragraph": '<p onclick="x">{}</p>',
    "heading": "<h2>{}</h2>",
    "cell": "<table><tbody><tr><td>{}</td></tr></tbody></table>",
    "link": '<a href="javascript:x">{}</a>',
    "script": "<script>{}</script>",
    "unknown": "<blink>{}</blink>",
    "expand": '<ac:structured-macro ac:name="expand"><ac:rich-text-body>{}</ac:rich-text-body></ac:structured-macro>',
    "image": '<ac:image><ri:attachment ri:filename="a"/><ac:caption>{}</ac:caption></ac:image>',
    "strange": "<ac:strange>{}</ac:strange>",
}


def macro(name: str, inside: str = "", **parameters: str) -> str:
    given = "".join(f'<ac:parameter ac:name="{key}">{value}</ac:parameter>' for key, value in parameters.items())
    return f'<ac:structured-macro ac:name="{name}">{given}{inside}</ac:structured-macro>'


def wrapped(what: tuple[str, list[str]]) -> str:
    return WRAPPINGS[what[0]].format("".join(what[1]))


def own(name: str, inside: str) -> str:
    return f"<ac:{name}>{inside}</ac:{name}>"


def rich(inside: str) -> str:
    return f"<ac:rich-text-body>{inside}</ac:rich-text-body>"


def plain(inside: str) -> str:
    return f"<ac:plain-text-body><![CDATA[{inside}]]></ac:plain-text-body>"


def picture(name: str, **attributes: str) -> str:
    given = "".join(f' ac:{key}="{value}"' for key, value in attributes.items())
    return f'<ac:image{given}><ri:attachment ri:filename="{name}"/></ac:image>'


def png(width: int = 64, height: int = 32) -> bytes:
    """A blue rectangle."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + b"\x0c\x66\xe4" * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def article(wiki: Desk, body: str, title: str = "Run 1") -> str:
    """What a body becomes."""
    text = wiki.look(wiki.new_page(title, body))
    found = re.search(r"<article>(.*)</article>", text, re.DOTALL)
    assert found
    return found[1].strip()


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (STATUS, '<span class="status green">PASS</span>'),
        (macro("status", colour="Pink", title="A &amp; b"), '<span class="status grey">A &amp; b</span>'),
        (
            macro("expand", rich("<p>more</p>"), title="Details"),
            '<details class="expand"><summary>Details</summary><div><p>more</p></div></details>',
        ),
        (
            macro("code", plain("a < b\n  && c"), language="text"),
            '<figure class="code"><pre><code>a &lt; b\n  &amp;&amp; c</code></pre></figure>',
        ),
        (macro("warning", rich("<p>hot</p>")), '<div class="panel warning" role="note"><p>hot</p></div>'),
        (macro("details", rich("<p>x</p>"), hidden="true"), ""),
        (macro("nothing-known"), "<div class=\"macro-error\">Unknown macro: &#x27;nothing-known&#x27;</div>"),
        (
            '<table><colgroup><col style="width: 99px;"/></colgroup><tr><th colspan="2">a</th></tr></table>',
            '<table><colgroup><col style="width: 99px;"></colgroup><tr><th colspan="2">a</th></tr></table>',
        ),
        ("<ul><li>a<ol><li>b</li></ol></li></ul>", "<ul><li>a<ol><li>b</li></ol></li></ul>"),
        (own("task-list", own("task", own("task-status", "complete") + own("task-body", "x"))),
         '<ul class="tasks"><li>☑ x</li></ul>'),
        (own("layout", own("layout-section", own("layout-cell", "x"))),
         '<div class="layout"><div class="layout-section"><div class="layout-cell">x</div></div></div>'),
    ],
)  # fmt: skip
def test_what_was_published_is_shown(cloud: Desk, body: str, shown: str) -> None:
    assert article(cloud, body) == shown


def test_a_table_of_contents_leads_to_the_headings(cloud: Desk) -> None:
    headings = f"<h1>One</h1><h2>Two &amp; a half</h2><h3>Three {STATUS}</h3><h4>Four</h4>"
    body = macro("toc", minLevel="2", maxLevel="3") + headings
    tree = html.fromstring(article(cloud, f"<div>{body}</div>"))
    links = tree.xpath("//nav//a")
    assert [one.text for one in links] == ["Two & a half", "Three PASS"]
    targets = [tree.xpath("//*[@id=$name]", name=one.get("href")[1:])[0].text_content() for one in links]
    assert targets == ["Two & a half", "Three PASS"]


def test_pictures_are_attachments_with_a_text_and_a_size(wiki: Desk) -> None:
    page_id = wiki.new_page("Run 1", picture("p 90.png", alt="P90 &lt;ms&gt;", width="900", align="center"))
    assert "Preview unavailable: p 90.png" in wiki.look(page_id)
    wiki.upload(page_id, "p 90.png", png())
    [shown] = html.fromstring(wiki.look(page_id)).xpath("//figure[@class='image center']/img")
    assert (shown.get("alt"), shown.get("width")) == ("P90 <ms>", "900")
    root = wiki.base_url.removesuffix("/wiki")
    assert httpx.get(f"{root}{shown.get('src')}").content == png()


@pytest.mark.parametrize(
    "body", ['<p><img src="p90.png"/></p>', '<ac:image><ri:url ri:value="https://x.y/z.png"/></ac:image>']
)
def test_pictures_from_elsewhere_are_not_available(cloud: Desk, body: str) -> None:
    shown = article(cloud, body)
    assert "Preview unavailable" in shown
    assert "<img" not in shown


def test_macros_list_what_belongs_to_a_page(wiki: Desk) -> None:
    body = macro("children") + macro("attachments") + macro("detailssummary", cql="label = x") + macro("anchor")
    page_id = wiki.new_page("Above", f"{body}<p>e <ac:emoticon ac:name='tick'/></p>")
    home = wiki.standin.space("PERF").home_id
    wiki.page(page_id).parent_id = home
    below = wiki.new_page("Below")
    wiki.page(below).parent_id = int(page_id)
    wiki.upload(page_id, "a.csv", b"a,b", "text/csv")
    [shown] = html.fromstring(wiki.look(page_id)).xpath("//article")
    assert [one.text for one in shown.xpath(".//li/a")] == ["Below", "a.csv"]
    assert "label = x" in shown.text_content()
    assert "(tick)" in shown.text_content()


def test_links_lead_to_pages_and_files_or_are_marked(wiki: Desk) -> None:
    page = own("link", '<ri:page ri:content-title="{}"/>' + own("plain-text-link-body", "<![CDATA[go]]>"))
    body = page.format("how to") + page.format("Nowhere") + '<ac:link><ri:attachment ri:filename="a.csv"/></ac:link>'
    page_id = wiki.new_page("Run 1", f"<p>{body}</p>")
    wiki.upload(page_id, "a.csv", b"a,b", "text/csv")
    tree = html.fromstring(wiki.look(page_id)).xpath("//article")[0]
    assert [one.text for one in tree.xpath(".//span[@class='broken-link']")] == ["go"]
    root = wiki.base_url.removesuffix("/wiki")
    answers = [httpx.get(f"{root}{one.get('href')}").status_code for one in tree.xpath(".//a")]
    assert answers == [200, 200]


@pytest.mark.parametrize(
    "body",
    [
        "<script>alert(1)</script>",
        '<p onclick="alert(1)">x</p>',
        '<a href="javascript:alert(1)">x</a>',
        '<a href=" JavaScript:alert(1)">x</a>',
        '<p style="background: url(https://x.y/z)">x</p>',
        '<iframe src="https://x.y"/>',
        "<svg><script>alert(1)</script></svg>",
        macro("status", title="&lt;script&gt;alert(1)&lt;/script&gt;"),
        macro("code", plain("</code><script>alert(1)</script>")),
        macro("anchor", '<ac:parameter ac:name="">"onx="alert(1)</ac:parameter>'),
        picture("&quot; onerror=&quot;alert(1)", alt="&quot; onerror=&quot;alert(1)"),
    ],
)
def test_nothing_in_a_page_is_executed(cloud: Desk, body: str) -> None:
    tree = html.fromstring(f"<article>{article(cloud, f'<div>{body}</div>')}</article>")
    assert tree.xpath("//script | //iframe | //svg") == []
    names = {name for element in tree.iter() for name in element.keys()}  # noqa: SIM118 - an element of lxml is no dict
    assert not {name for name in names if name.startswith("on")}
    values = [element.get(name, "") for element in tree.iter() for name in ("href", "src", "style")]
    assert not [one for one in values if "script" in one.lower() or "url(" in one]


def test_a_page_loads_nothing_from_elsewhere(wiki: Desk) -> None:
    path = wiki.get_page(wiki.new_page("Run 1"))["_links"]["webui"]
    policy = httpx.get(f"{wiki.base_url}{path}").headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; img-src 'self' data:;")


def test_a_very_deep_page_is_shown(cloud: Desk) -> None:
    assert "deep" in article(cloud, "<div>" * 240 + "deep" + "</div>" * 240)


def test_a_person_can_walk_from_the_spaces_to_a_page_and_its_versions(wiki: Desk) -> None:
    page_id = wiki.new_page("Wüste / 1", "<p>one</p>")
    wiki.put_page(page_id, 2, "Wüste / 1", "<p>two</p>")
    root = wiki.base_url.removesuffix("/wiki")
    with httpx.Client(base_url=root) as browser:
        spaces = html.fromstring(browser.get("/wiki" if wiki.is_cloud else "/").content)
        space = spaces.xpath("//a[text()='Performance Testing']/@href")[0]
        tree = html.fromstring(browser.get(space).content)
        path = tree.xpath("//a[text()='Wüste / 1']/@href")[0]
        assert "<p>two</p>" in browser.get(path).text
        by_number = f"{'/wiki' if wiki.is_cloud else ''}/pages/viewpage.action"
        first = browser.get(by_number, params={"pageId": page_id, "version": "1"})
        assert "<p>one</p>" in first.text
        assert browser.get(by_number, params={"pageId": page_id, "version": "9"}).status_code == 404
        assert browser.get(by_number, params={"pageId": "1"}).status_code == 404


@given(
    st.recursive(
        st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=20).map(escape),
        lambda inner: st.tuples(st.sampled_from(sorted(WRAPPINGS)), st.lists(inner, max_size=3)).map(wrapped),
        max_leaves=12,
    )
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_taken_can_be_shown_and_does_nothing(cloud: Desk, body: str) -> None:
    made = cloud.post_page(f"Page {len(cloud.standin.site.wiki.pages)}", body).raise_for_status().json()
    tree = html.fromstring(cloud.look(made["id"])).xpath("//article")[0]
    assert tree.xpath(".//script | .//iframe | .//*[@onclick]") == []
    assert not [one for one in tree.xpath(".//@href") if "javascript" in one]


@pytest.mark.skipif(BROWSER is None, reason="no chromium on PATH, and PERFSUITE_BROWSER names no other")
def test_a_browser_shows_a_page_without_a_word_of_complaint(cloud: Desk, tmp_path: Path) -> None:
    page_id = cloud.new_page("Run 1", f"<h1>Verdict {STATUS}</h1>{picture('a.png', width='320', alt='a')}")
    cloud.upload(page_id, "a.png", png())
    path = cloud.get_page(page_id)["_links"]["webui"]
    screen, profile = tmp_path / "page.png", tmp_path / "profile"
    command = [
        str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
        "--enable-logging=stderr", "--no-first-run", "--disable-background-networking", "--disable-component-update",
        f"--user-data-dir={profile}", f"--screenshot={screen}", "--window-size=1000,700", f"{cloud.base_url}{path}",
    ]  # fmt: skip
    ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
    assert ended.returncode == 0, ended.stderr
    assert "CONSOLE" not in ended.stderr
    assert screen.read_bytes().startswith(b"\x89PNG")
    asked = [(one.route.rpartition(".")[2], one.status) for one in cloud.standin.journal.received()]
    assert asked[-2:] == [("view_page", 200), ("download", 200)]
