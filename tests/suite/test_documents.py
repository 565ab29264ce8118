"""What the documents say is true: compared with the code, the commands and the live tools."""

import json
import re
import tomllib
from pathlib import Path
from typing import get_args

import pytest

from perfsuite.samples.definitions import METHODS
from perfsuite.samples.detect import Format
from suite import generated
from suite.repository import README, ROOT, files, pyproject, relative

MARKDOWN = [path for path in files() if path.suffix == ".md"]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CALL = re.compile(r"\bperfsuite ((?:sandbox )?[a-z]+(?:-[a-z]+)*)([^`\n|&]*)")
FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"<!-- command: (\w+) -->\n```bash\n(.*?)```", re.DOTALL)


def readme() -> str:
    return README.read_text(encoding="utf-8")


def code_of(text: str) -> str:
    """Blocks of code and spans in backticks; what lies outside of them is prose."""
    blocks = [block for _, block in FENCED.findall(text)]
    return "\n".join([*blocks, *re.findall(r"`([^`\n]+)`", FENCED.sub("", text))])


@pytest.mark.parametrize("document", generated.DOCUMENTS, ids=relative)
def test_the_generated_parts_are_those_of_the_code(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    assert text == generated.rewritten(text), "run `just docs`"


def test_every_generated_part_stands_in_a_document() -> None:
    texts = [document.read_text(encoding="utf-8") for document in generated.DOCUMENTS]
    assert all(any(f"<!-- generated: {name} " in text for text in texts) for name in generated.BLOCKS)


def test_the_example_of_the_environment_is_that_of_the_settings() -> None:
    assert generated.ENV_EXAMPLE.read_text(encoding="utf-8") == generated.env_example(), "run `just docs`"


@pytest.mark.parametrize("document", MARKDOWN, ids=relative)
def test_every_link_leads_to_a_file(document: Path) -> None:
    targets = [link.partition("#")[0] for link in LINK.findall(document.read_text(encoding="utf-8"))]
    local = [target for target in targets if target and "://" not in target]
    assert [target for target in local if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("document", MARKDOWN, ids=relative)
def test_every_command_that_is_shown_exists(document: Path) -> None:
    known = generated.subcommands()
    for name, rest in CALL.findall(code_of(document.read_text(encoding="utf-8"))):
        assert name in known, f"perfsuite {name}"
        options = {option for parameter in known[name].params for option in parameter.opts}
        assert set(re.findall(r"(?<!\S)--[a-z-]+", rest)) <= options, f"perfsuite {name}{rest}"


@pytest.mark.parametrize("document", MARKDOWN, ids=relative)
def test_every_recipe_that_is_shown_exists(document: Path) -> None:
    justfile = (ROOT / "justfile").read_text(encoding="utf-8")
    recipes = set(re.findall(r"^([a-z]+)(?: \*\w+)?:(?!=)", justfile, re.MULTILINE))
    shown = set(re.findall(r"\bjust ([a-z]+)", code_of(document.read_text(encoding="utf-8"))))
    assert shown <= recipes


def test_the_two_commands_are_single_lines() -> None:
    commands = dict(COMMAND.findall(readme()))
    assert set(commands) == {"start", "check"}
    assert all(command.count("\n") == 1 and command.endswith("\n") for command in commands.values())
    assert commands["start"].endswith("perfsuite demo\n")


def test_the_client_configuration_starts_a_command_of_ours_by_absolute_paths() -> None:
    [block] = [block for language, block in FENCED.findall(readme()) if language == "json"]
    for server in json.loads(block)["mcpServers"].values():
        assert Path(server["command"]).is_absolute()
        assert Path(server["command"]).name in pyproject()["project"]["scripts"]
        assert set(server["env"]) <= {variable.name for variable in generated.variables()}


@pytest.mark.parametrize("name", [*METHODS, *get_args(Format)])
def test_every_format_and_percentile_method_is_explained(name: str) -> None:
    assert f"| `{name}`" in readme()


def test_the_python_that_is_asked_for_is_the_one_that_is_needed() -> None:
    oldest = pyproject()["project"]["requires-python"].removeprefix(">=")
    assert f"Python {oldest} or newer" in readme()
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    assert lock["requires-python"] == f">={oldest}"
