"""The ways in which the checks are run: just, the hooks, and the script that builds run."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from data import checkout
from suite.repository import ROOT

BIN = Path(sys.executable).parent
CI = ROOT / ".ci" / "run"


def output(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def recipes() -> dict[str, Any]:
    return dict(json.loads(output(str(BIN / "just"), "--dump", "--dump-format", "json"))["recipes"])


def hooks() -> list[dict[str, Any]]:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert [repo["repo"] for repo in config["repos"]] == ["local"]
    return list(config["repos"][0]["hooks"])


def test_every_recipe_says_what_it_does() -> None:
    assert [name for name, recipe in recipes().items() if not recipe["doc"]] == []


def test_one_recipe_runs_every_check() -> None:
    just = [str(BIN / "just"), "--dry-run", "check"]
    commands = subprocess.run(just, cwd=ROOT, check=True, capture_output=True, text=True).stderr
    checks = ("ruff check", "ruff format --check", "mypy", "lint-imports", "coverage run -m pytest", "coverage report")
    assert [check for check in checks if check not in commands] == []


def test_the_hooks_are_usable() -> None:
    subprocess.run([BIN / "prek", "validate-config", ".pre-commit-config.yaml"], cwd=ROOT, check=True)


def test_no_hook_downloads_anything() -> None:
    for hook in hooks():
        assert hook["language"] == "system"
        assert hook["entry"].startswith("uv run --no-sync ")


def test_tests_run_before_a_push_and_the_other_hooks_before_a_commit() -> None:
    assert [hook["id"] for hook in hooks() if hook.get("stages") == ["pre-push"]] == ["quick-tests"]


def test_the_script_of_builds_can_be_run() -> None:
    assert os.access(CI, os.X_OK)
    subprocess.run(["bash", "-n", CI], check=True)


@pytest.mark.parametrize("name", ["start", "check"])
def test_the_script_of_builds_runs_the_commands_of_the_readme(name: str) -> None:
    text = CI.read_text(encoding="utf-8")
    function = re.search(r"^command_of\(\) \{.*?^\}", text, re.MULTILINE | re.DOTALL)
    assert function is not None
    found = output("bash", "-c", f"{function[0]}\ncommand_of {name}")
    [wanted] = re.findall(rf"<!-- command: {name} -->\n```bash\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert found == wanted
    assert f'bash -ec "$(command_of {name})"' in text


def test_the_example_is_what_its_script_writes() -> None:
    assert checkout.TARGET.read_text(encoding="utf-8") == checkout.text()
