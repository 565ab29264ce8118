"""Every list of servers says the same: the folders, the wheel, the entry points and the settings of each tool."""

from importlib.metadata import EntryPoint
from typing import Any

import pytest

from suite.repository import ALL_IN_ONE, ROOT, command_of, pyproject, server_folders, servers


def tool(name: str) -> Any:
    return pyproject()["tool"][name]


def packages() -> list[str]:
    return [f"perfsuite_{name}" for name in server_folders()]


def contract(name: str) -> dict[str, Any]:
    [found] = [one for one in tool("importlinter")["contracts"] if one["name"].startswith(name)]
    return dict(found)


def test_every_server_is_a_folder_with_one_package_of_its_name() -> None:
    found = sorted(path.parent.relative_to(ROOT).as_posix() for path in (ROOT / "servers").glob("*/*/__init__.py"))
    assert found == [f"servers/{name}/perfsuite_{name}" for name in server_folders()]
    assert servers()


@pytest.mark.parametrize("name", server_folders())
def test_a_server_has_an_entry_point_that_can_be_imported(name: str) -> None:
    script = EntryPoint(command_of(name), pyproject()["project"]["scripts"][command_of(name)], "console_scripts")
    assert script.module.partition(".")[0] == f"perfsuite_{name}"
    assert callable(script.load())


def test_there_is_an_entry_point_for_the_command_and_for_each_server_and_no_other() -> None:
    names = {"perfsuite", "perfsuite-mcp", *(f"{name}-mcp" for name in servers())}
    assert set(pyproject()["project"]["scripts"]) == names


def test_the_wheel_brings_the_library_and_every_server() -> None:
    wheel = tool("hatch")["build"]["targets"]["wheel"]
    assert wheel["packages"] == ["shared/perfsuite", *(f"servers/{name}/perfsuite_{name}" for name in server_folders())]
    assert wheel["force-include"] == {"agents-rules": "perfsuite/agents_rules"}


def test_ruff_and_mypy_look_at_every_server() -> None:
    folders = [f"servers/{name}" for name in server_folders()]
    assert tool("ruff")["src"] == ["shared", *folders, "tests"]
    assert tool("mypy")["mypy_path"] == ["shared", *folders]
    assert tool("mypy")["packages"] == ["perfsuite", *packages()]


def test_coverage_is_measured_of_every_server() -> None:
    folders = ["shared/perfsuite", *(f"servers/{name}/perfsuite_{name}" for name in server_folders())]
    assert tool("coverage")["run"]["source_dirs"] == folders
    assert tool("coverage")["run"]["branch"] is True
    assert tool("coverage")["report"]["fail_under"] >= 90


def test_the_contracts_are_about_every_server() -> None:
    assert tool("importlinter")["root_packages"] == ["perfsuite", *packages()]
    alike = [f"perfsuite_{name}" for name in servers()]
    assert contract("Every server has the same modules")["containers"] == alike
    assert contract("Every server has the same modules")["exhaustive"] is True
    assert contract("Shared code is layered")["exhaustive"] is True
    assert set(packages()) < set(_parts(contract("Servers stand on shared code")["layers"]))


def test_every_part_that_must_not_speak_mcp_is_named() -> None:
    speakers = {"perfsuite.mcp", "perfsuite.cli"}
    shared = {f"perfsuite.{layer}" for layer in _parts(contract("Shared code is layered")["layers"])}
    quiet = {
        f"{package}.{module}"
        for package in packages()
        for module in ("service", "client", "core", "models", "settings", "choices")
        if list((ROOT / "servers").glob(f"*/{package}/{module}*"))
    }
    assert set(contract("Only server modules")["source_modules"]) == (shared - speakers) | quiet


def test_a_server_has_a_page_for_agents_and_one_for_people() -> None:
    assert {path.parent.name for path in (ROOT / "agents-rules").glob("*/AGENTS.md")} == set(servers())
    assert {path.parent.name for path in (ROOT / "servers").glob("*/README.md")} == {*servers(), ALL_IN_ONE}


def _parts(layers: list[str]) -> list[str]:
    return [part.strip(" ()") for layer in layers for part in layer.split("|")]
