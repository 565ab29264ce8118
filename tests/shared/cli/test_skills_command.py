"""`perfsuite skills`: the rules for agents in folders, without overwriting what somebody edited."""

import json
from pathlib import Path

from perfsuite import __version__
from perfsuite.mcp.skills import FILE, skills
from shared.cli.conftest import Command


def test_the_command_writes_a_folder_for_each(command: Command, tmp_path: Path) -> None:
    ended = command("skills", "--to", tmp_path / ".claude/skills", "--json")
    assert ended.code == 0
    assert {one["state"] for one in json.loads(ended.out)["skills"]} == {"new"}
    found = {path.parent.name: path.read_text(encoding="utf-8") for path in tmp_path.glob(f".claude/skills/*/{FILE}")}
    assert found == {skill.name: skill.text for skill in skills()}
    assert "unchanged perfsuite-workflow" in " ".join(
        command("skills", "--to", tmp_path / ".claude/skills").out.split()
    )


def test_an_older_one_that_nobody_touched_is_replaced(command: Command, tmp_path: Path) -> None:
    command("skills", "--to", tmp_path)
    file = tmp_path / "perfsuite-jmeter" / FILE
    file.write_text(file.read_text(encoding="utf-8").replace(f'"{__version__}"', '"0.0.1"'), encoding="utf-8")
    states = {
        one["skill"]: one["state"] for one in json.loads(command("skills", "--to", tmp_path, "--json").out)["skills"]
    }
    assert {name for name, state in states.items() if state == "replaced"} == {"perfsuite-jmeter"}
    assert f'"{__version__}"' in file.read_text(encoding="utf-8")


def test_what_somebody_edited_is_kept_unless_forced(command: Command, tmp_path: Path) -> None:
    command("skills", "--to", tmp_path)
    mine, other = tmp_path / "perfsuite-datadog" / FILE, tmp_path / "perfsuite-jmeter" / FILE
    mine.write_text(mine.read_text(encoding="utf-8") + "Ask Anna first.\n", encoding="utf-8")
    other.unlink()
    ended = command("skills", "--to", tmp_path)
    assert ended.code == 5
    assert str(mine) in ended.err
    assert "--force" in ended.err
    assert not other.exists()
    assert command("skills", "--to", tmp_path, "--force").code == 0
    assert "Anna" not in mine.read_text(encoding="utf-8")


def test_a_folder_that_cannot_be_is_said(command: Command, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    ended = command("skills", "--to", tmp_path / "file")
    assert ended.code == 6
    assert "--to" in ended.err
