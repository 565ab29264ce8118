"""Agent Skills: made of the pages, and valid by the rules of their format."""

import re

import pytest
import yaml

from perfsuite import __version__
from perfsuite.mcp.pages import Page, pages
from perfsuite.mcp.skills import Skill, is_untouched, skills

SKILLS = [pytest.param(skill, page, id=skill.name) for skill, page in zip(skills(), pages(), strict=True)]
NAMES = ["perfsuite-workflow", *(f"perfsuite-{page.server}" for page in pages() if page.server)]


def parts(text: str) -> tuple[dict[str, object], str]:
    """The head of a SKILL.md, and what follows it."""
    _, head, body = text.split("---\n", 2)
    return yaml.safe_load(head), body


@pytest.mark.parametrize(("skill", "page"), SKILLS)
def test_the_head_is_valid(skill: Skill, page: Page) -> None:
    head, _ = parts(skill.text)
    assert set(head) == {"name", "description", "license", "compatibility", "metadata"}
    assert head["name"] == skill.name
    assert len(skill.name) <= 64
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", skill.name)
    assert 1 <= len(str(head["compatibility"])) <= 500
    assert isinstance(head["metadata"], dict)
    assert all(isinstance(value, str) for value in head["metadata"].values())
    assert head["metadata"]["perfsuite-version"] == __version__


@pytest.mark.parametrize(("skill", "page"), SKILLS)
def test_the_description_says_what_it_does_and_when_to_use_it(skill: Skill, page: Page) -> None:
    description = str(parts(skill.text)[0]["description"])
    assert 1 <= len(description) <= 1024
    assert re.match(r"[A-Z][a-z]+s\b", description)
    assert " Use it when " in description
    assert not set(description) & set("<>`*")


@pytest.mark.parametrize(("skill", "page"), SKILLS)
def test_the_page_follows_unchanged(skill: Skill, page: Page) -> None:
    assert parts(skill.text)[1] == f"\n{page.text}"
    assert is_untouched(skill.text)
    assert not is_untouched(skill.text + "More.\n")
    assert not is_untouched(page.text)


def test_there_is_one_of_every_page() -> None:
    assert [skill.name for skill in skills()] == NAMES
