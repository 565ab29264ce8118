"""Templates that users copy and change; what is wrong in one is said with its line."""

import re
from pathlib import Path

import pytest

from perfsuite.artifacts import RunStore
from perfsuite.errors import BadFile, BadInput, NotFound
from perfsuite_perfreport.service.templates import BUILT_IN, list_templates

from .reported import reported, text_of


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder of configuration with room for templates."""
    (tmp_path / "templates").mkdir()
    return tmp_path


def write(own: Path, text: str, name: str = "mine") -> Path:
    path = own / "templates" / f"{name}.md.j2"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_copy_can_be_changed_and_used(runs: RunStore, own: Path) -> None:
    text = (BUILT_IN / "default.md.j2").read_text(encoding="utf-8")
    write(own, text.replace("## Transactions", "## Requests"))
    report = reported(runs, "calm", template="mine", folders=(own,))
    assert report.template == "mine"
    assert "## Requests" in text_of(runs, "calm")
    assert "Requests" in text_of(runs, "calm", "html")


def test_the_users_template_takes_the_place_of_the_built_in_one(runs: RunStore, own: Path) -> None:
    path = write(own, "{# Ours. #}\n# {{ report.run_id }}\n", "default")
    listed = list_templates((own,))
    first = listed.templates[0]
    assert (first.name, first.is_built_in, first.about, first.path) == ("default", False, "Ours.", str(path))
    reported(runs, "calm", folders=(own,))
    assert text_of(runs, "calm") == "# calm\n"


def test_the_built_in_templates_say_what_they_are_for(own: Path) -> None:
    listed = list_templates((own,))
    assert [one.name for one in listed.templates] == ["default", "one-page"]
    assert all(one.about and one.is_built_in and Path(one.path).is_file() for one in listed.templates)
    assert str(own / "templates") in listed.next_step


def test_one_page_has_the_verdict_and_what_to_do(runs: RunStore) -> None:
    reported(runs, "storm", template="one-page")
    text = text_of(runs, "storm")
    assert "**[FAIL]**" in text
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["SLA", "Findings", "Recommendations"]
    assert "How to see that it worked" in text


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("one\ntwo\n{% if %}\n", 3, "Expected an expression"),
        ("one\n{{ report.verdikt }}\n", 2, "verdikt"),
        ("one\n{{ nothing }}\n", 2, "'nothing' is undefined"),
        ("{{ 1 / 0 }}", 1, "division by zero"),
        ("\n\n\n{{ table('nope') }}", 4, "there is no table 'nope'"),
        ("{% call block('a') %}x{% endcall %}\n{% call block('a') %}y{% endcall %}", 2, "second time"),
        ("{% call block('A b') %}x{% endcall %}", 1, "small letters"),
        ("\n{{ report.__class__.__mro__ }}", 2, "unsafe"),
        ("\n{% include 'other' %}", 2, "other"),
        ("\n{{ ''.join(range(9)) }}", 2, "expected str"),
        ("\n{% for a in range(99999999) %}{% endfor %}", 2, "Range too big"),
    ],
)
def test_a_template_that_fails_names_the_line(runs: RunStore, own: Path, text: str, line: int, why: str) -> None:
    write(own, text)
    with pytest.raises(BadFile, match=rf"'mine' \(.*mine\.md\.j2\), line {line}, fails: .*{re.escape(why)}"):
        reported(runs, "calm", template="mine", folders=(own,))


def test_what_a_template_prints_is_escaped(runs: RunStore, own: Path) -> None:
    write(own, "{% for one in ['a|b', '<b>', none, 1.5] %}[{{ one }}]{% endfor %}")
    reported(runs, "calm", template="mine", folders=(own,))
    assert text_of(runs, "calm") == "[a\\|b][&lt;b&gt;][\N{EN DASH}][1.50]\n"


@pytest.mark.parametrize("name", ["../default", "", "Default", "a/b", "x" * 50])
def test_a_name_that_cannot_be_one_is_refused(runs: RunStore, own: Path, name: str) -> None:
    with pytest.raises(BadInput, match="not the name of a template"):
        reported(runs, "calm", template=name, folders=(own,))


def test_an_unknown_template_names_the_nearest(runs: RunStore, own: Path) -> None:
    with pytest.raises(NotFound, match="Name one of default"):
        reported(runs, "calm", template="defualt", folders=(own,))


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"x" * 600_000])
def test_a_template_that_is_no_text_is_refused(runs: RunStore, own: Path, content: bytes) -> None:
    write(own, "").write_bytes(content)
    with pytest.raises(BadFile, match="cannot be read"):
        reported(runs, "calm", template="mine", folders=(own,))
    assert "cannot be read" in list_templates((own,)).templates[1].about


def test_a_failing_template_leaves_the_report_that_was_there(runs: RunStore, own: Path) -> None:
    reported(runs, "calm", formats=("md",))
    before = text_of(runs, "calm")
    write(own, "{{ nothing }}")
    with pytest.raises(BadFile):
        reported(runs, "calm", template="mine", folders=(own,))
    assert text_of(runs, "calm") == before
