"""`perfsuite clients`: what it writes for each client, and that nothing of a file is lost or shown."""

import json
import os
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from perfsuite.cli import clients_kinds
from shared.cli.conftest import Command

SECRET = "s3cr3t-of-the-user"
THEIRS = {
    "theme": "dark",
    "mcpServers": {
        "github": {"command": "npx", "args": ["-y", "gh"], "env": {"TOKEN": "ghp_private"}, "disabled": True}
    },
    "numbers": [1, 2.5, 1e-7],
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home in which nothing was ever configured, on Linux."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    for name in ("XDG_CONFIG_HOME", "CLAUDE_CONFIG_DIR", "PERFSUITE_CONFIG_DIR"):
        monkeypatch.delenv(name, raising=False)
    for name in ("API_KEY_ID", "API_KEY_SECRET", "BLAZEMETER_API_KEY", "DD_API_KEY", "DD_APP_KEY", "CONFLUENCE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    return folder


def servers_in(path: Path, key: str = "mcpServers") -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8"))[key])


def cursor(home: Path, content: object = None) -> Path:
    path = home / ".cursor" / "mcp.json"
    path.parent.mkdir(exist_ok=True)
    if content is not None:
        path.write_text(content if isinstance(content, str) else json.dumps(content, indent=4), encoding="utf-8")
    return path


PLACES = [
    ("claude-code", "user", ".claude.json"),
    ("claude-desktop", "user", ".config/Claude/claude_desktop_config.json"),
    ("cursor", "user", ".cursor/mcp.json"),
    ("vscode", "user", ".config/Code/User/mcp.json"),
]


@pytest.mark.parametrize(("client", "scope", "place"), PLACES)
def test_each_client_has_its_file(command: Command, home: Path, client: str, scope: str, place: str) -> None:
    done = command("clients", client, "--scope", scope)
    assert (done.code, done.err) == (0, "")
    entries = servers_in(home / place, "servers" if client == "vscode" else "mcpServers")
    assert sorted(entries) == [
        f"perfsuite-{name}" for name in ("blazemeter", "confluence", "datadog", "jmeter", "perfanalysis", "perfreport")
    ]
    for name, entry in entries.items():
        program = Path(entry["command"])
        assert program.is_absolute()
        assert program.name == f"{name.removeprefix('perfsuite-')}-mcp"
        assert os.access(program, os.X_OK)
        assert Path(entry["env"]["PERFSUITE_ARTIFACTS_DIR"]).is_absolute()


@pytest.mark.parametrize(
    ("client", "place"),
    [("claude-code", ".mcp.json"), ("cursor", ".cursor/mcp.json"), ("vscode", ".vscode/mcp.json")],
)
def test_a_project_has_its_own_file(command: Command, home: Path, tmp_path: Path, client: str, place: str) -> None:
    assert command("clients", client, "--scope", "project").code == 0
    assert (tmp_path / place).is_file()
    assert list(home.iterdir()) == []


@pytest.mark.parametrize(
    ("platform", "place"),
    [("darwin", "Library/Application Support/Claude"), ("win32", "roaming/Claude"), ("linux", "xdg/Claude")],
)
def test_the_file_lies_where_the_system_keeps_such_files(
    home: Path, monkeypatch: pytest.MonkeyPatch, platform: str, place: str
) -> None:
    monkeypatch.setenv("APPDATA", str(home / "roaming"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "xdg"))
    monkeypatch.setattr(sys, "platform", platform)
    assert clients_kinds.file_of("claude-desktop", "user") == home / place / "claude_desktop_config.json"


@pytest.mark.parametrize(
    ("client", "reference"),
    [("claude-code", "${DD_API_KEY:-}"), ("cursor", "${env:DD_API_KEY}"), ("vscode", "${input:perfsuite-dd-api-key}")],
)
@pytest.mark.parametrize("is_set", [True, False])
def test_a_secret_is_a_reference_in_the_form_of_the_client(
    command: Command, home: Path, monkeypatch: pytest.MonkeyPatch, client: str, reference: str, is_set: bool
) -> None:
    if is_set:
        monkeypatch.setenv("DD_API_KEY", SECRET)
        monkeypatch.setenv("DD_SITE", "datadoghq.eu")
    done = command("clients", client, "--server", "datadog")
    [file] = [path for path in home.rglob("*.json") if path.is_file()]
    entry = servers_in(file, clients_kinds.KINDS[client].key)["perfsuite-datadog"]  # type: ignore[index]
    assert entry["env"]["DD_API_KEY"] == reference
    assert entry["env"].get("DD_SITE") == ("datadoghq.eu" if is_set else None)
    assert SECRET not in file.read_text(encoding="utf-8") + done.out + done.err
    assert "DD_API_KEY" in done.out


def test_vs_code_asks_for_secrets_without_showing_them(command: Command, home: Path) -> None:
    command("clients", "vscode", "--server", "datadog", "--server", "perfreport")
    inputs = json.loads((home / ".config/Code/User/mcp.json").read_text())["inputs"]
    assert [(one["id"], one["type"], one["password"]) for one in inputs] == [
        ("perfsuite-dd-api-key", "promptString", True), ("perfsuite-dd-app-key", "promptString", True),
    ]  # fmt: skip


def test_claude_desktop_gets_the_files_that_hold_the_secrets(command: Command, home: Path) -> None:
    done = command("clients", "claude-desktop")
    entries = servers_in(home / ".config/Claude/claude_desktop_config.json")
    secrets = home / ".config/perfsuite/secrets"
    assert entries["perfsuite-datadog"]["env"]["DD_APP_KEY_FILE"] == str(secrets / "DD_APP_KEY")
    assert entries["perfsuite-blazemeter"]["env"]["BLAZEMETER_API_KEY"] == str(secrets / "BLAZEMETER_API_KEY")
    assert str(secrets / "DD_APP_KEY") in done.out
    assert "CONFLUENCE_URL: the address of Confluence (put it under `env` yourself)" in done.out


def test_a_secret_in_a_file_stays_there(command: Command, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "key").write_text(SECRET, encoding="utf-8")
    monkeypatch.setenv("DD_API_KEY_FILE", str(home / "key"))
    command("clients", "cursor", "--server", "datadog")
    environ = servers_in(cursor(home))["perfsuite-datadog"]["env"]
    assert environ["DD_API_KEY_FILE"] == str(home / "key")
    assert "DD_API_KEY" not in environ


@pytest.mark.parametrize("is_file", [True, False])
def test_a_file_is_named_where_it_is_one(
    command: Command, home: Path, monkeypatch: pytest.MonkeyPatch, is_file: bool
) -> None:
    if is_file:
        (home / SECRET).touch()
    monkeypatch.setenv("BLAZEMETER_API_KEY", str(home / SECRET) if is_file else SECRET)
    done = command("clients", "cursor", "--server", "blazemeter")
    environ = servers_in(cursor(home))["perfsuite-blazemeter"]["env"]
    assert environ["BLAZEMETER_API_KEY"] == (str(home / SECRET) if is_file else "${env:BLAZEMETER_API_KEY}")
    assert (SECRET in done.out) == is_file


def test_the_all_in_one_is_one_entry(command: Command, home: Path) -> None:
    done = command("clients", "cursor", "--all-in-one", "--preset", "core", "--read-only")
    [(name, entry)] = servers_in(cursor(home)).items()
    assert (name, Path(entry["command"]).name) == ("perfsuite", "perfsuite-mcp")
    assert entry["args"] == ["--preset", "core", "--read-only"]
    assert {"DD_API_KEY", "API_KEY_SECRET", "CONFLUENCE_API_TOKEN"} < entry["env"].keys()
    assert "40 tools" not in done.out


def test_the_all_in_one_carries_the_servers_that_were_chosen(command: Command, home: Path) -> None:
    command("clients", "cursor", "--all-in-one", "--server", "jmeter", "--server", "perfreport")
    [entry] = servers_in(cursor(home)).values()
    assert entry["args"] == ["--only", "jmeter,perfreport"]
    assert not any("KEY" in name for name in entry["env"])


def test_a_client_with_room_for_forty_tools_is_told_apart(command: Command, home: Path) -> None:
    assert "--all-in-one --preset core" in command("clients", "cursor").out


@pytest.mark.parametrize(("server", "fetched"), [("datadog", "perfsuite"), ("jmeter", "perfsuite[jmeter]")])
def test_uvx_fetches_the_package(command: Command, home: Path, server: str, fetched: str) -> None:
    command("clients", "claude-code", "--form", "uvx", "--server", server, "--scope", "project")
    [entry] = servers_in(Path.cwd() / ".mcp.json").values()
    assert (entry["command"], entry["args"]) == ("uvx", ["--from", fetched, f"{server}-mcp"])
    command("clients", "cursor", "--form", "uvx", "--server", server, "--package", "git+https://example.com/p.git")
    [entry] = servers_in(cursor(home)).values()
    assert entry["args"][:2] == ["--from", "git+https://example.com/p.git"]


def test_what_is_there_stays_and_the_former_file_is_kept(command: Command, home: Path) -> None:
    path = cursor(home, THEIRS)
    path.chmod(0o640)
    before = path.read_bytes()
    done = command("clients", "cursor", "--server", "perfreport")
    found = json.loads(path.read_text(encoding="utf-8"))
    assert found["mcpServers"].pop("perfsuite-perfreport")
    assert found == THEIRS
    assert list(found) == list(THEIRS)
    assert path.read_text(encoding="utf-8").startswith('{\n    "theme"'), "indented as before"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    backup = path.with_name("mcp.json.before-perfsuite")
    assert (backup.read_bytes(), stat.S_IMODE(backup.stat().st_mode)) == (before, 0o640)
    assert str(backup) in done.out
    assert "ghp_private" not in done.out + done.err
    assert sorted(one.name for one in path.parent.iterdir()) == ["mcp.json", "mcp.json.before-perfsuite"]


def test_the_same_again_changes_nothing(command: Command, home: Path) -> None:
    command("clients", "cursor")
    path = cursor(home)
    before = path.stat().st_mtime_ns
    assert "is as it should be" in command("clients", "cursor").out
    assert path.stat().st_mtime_ns == before
    assert not path.with_name("mcp.json.before-perfsuite").exists()


def test_a_new_file_is_for_its_owner_alone(command: Command, home: Path) -> None:
    command("clients", "cursor")
    assert stat.S_IMODE(cursor(home).stat().st_mode) == 0o600


def test_every_change_keeps_a_file_of_its_own(command: Command, home: Path) -> None:
    path = cursor(home, THEIRS)
    for server in ("perfreport", "datadog"):
        command("clients", "cursor", "--server", server)
    assert sorted(servers_in(path)) == ["github", "perfsuite-datadog"], (
        "those that were chosen last, and no other of ours"
    )
    assert {one.name for one in path.parent.iterdir()} == {
        "mcp.json", "mcp.json.before-perfsuite", "mcp.json.before-perfsuite1",
    }  # fmt: skip


def test_what_the_user_put_into_an_entry_of_ours_stays(command: Command, home: Path) -> None:
    theirs = {"DD_API_KEY": "${env:MY_KEY}", "DD_APP_KEY": SECRET, "PERFSUITE_LOG_LEVEL": "DEBUG"}
    environ = {**theirs, "PERFSUITE_ARTIFACTS_DIR": "/old"}
    ours = {"command": "old", "url": "http://old", "autoApprove": ["query_samples"], "env": environ}
    path = cursor(home, {"mcpServers": {"perfsuite-datadog": ours}})
    done = command("clients", "cursor", "--server", "datadog")
    entry = servers_in(path)["perfsuite-datadog"]
    assert entry["autoApprove"] == ["query_samples"]
    assert entry["env"].items() > theirs.items()
    assert Path(entry["env"]["PERFSUITE_ARTIFACTS_DIR"]).name == "artifacts"
    assert "url" not in entry
    assert SECRET not in done.out


def test_a_dry_run_shows_the_change_and_no_text_of_the_user(command: Command, home: Path) -> None:
    path = cursor(home, THEIRS)
    before = path.read_bytes()
    done = command("clients", "cursor", "--server", "datadog", "--dry-run")
    assert path.read_bytes() == before
    assert '+    "perfsuite-datadog": {' in done.out
    assert '+        "DD_API_KEY": "${env:DD_API_KEY}",' in done.out
    assert not any(word in done.out for word in ("ghp_private", "npx", "dark"))
    assert "Nothing was written" in done.out


def test_removing_takes_out_what_was_put_in(command: Command, home: Path) -> None:
    theirs = {"inputs": [{"id": "other", "type": "promptString"}], "servers": {"github": {"command": "npx"}}}
    path = home / ".config/Code/User/mcp.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(theirs), encoding="utf-8")
    command("clients", "vscode")
    assert len(json.loads(path.read_text())["inputs"]) > 1
    assert command("clients", "vscode", "--remove").code == 0
    assert json.loads(path.read_text()) == theirs
    assert "is as it should be" in command("clients", "vscode", "--remove").out


def test_removing_from_a_client_that_has_no_file_makes_none(command: Command, home: Path) -> None:
    assert command("clients", "cursor", "--remove").code == 0
    assert list(home.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('{"mcpServers": {}, // mine\n}', "is not plain JSON"),
        ('{"mcpServers": {},}', "is not plain JSON"),
        ('{"a": 1, "a": 2}', "stands there twice: 'a'"),
        ('{"a": NaN}', "NaN is no number of JSON"),
        ("[]", "the file is not an object"),
        ('{"mcpServers": []}', "'mcpServers' is not an object"),
        ("[" * 100_000, "is not plain JSON"),
    ],
)
def test_a_file_that_could_not_be_written_back_is_left_alone(
    command: Command, home: Path, content: str, reason: str
) -> None:
    path = cursor(home, content)
    done = command("clients", "cursor")
    assert done.code == 3
    assert reason in done.err
    assert "--print" in done.err
    assert path.read_text(encoding="utf-8") == content


@pytest.mark.parametrize("content", ["", "\ufeff{}", '{"word": "\\ud800"}', '{"größe": "ü"}'])
def test_odd_files_are_written_back_as_they_were(command: Command, home: Path, content: str) -> None:
    path = cursor(home, content)
    assert command("clients", "cursor", "--server", "perfreport").code == 0
    found = json.loads(path.read_text(encoding="utf-8-sig"))
    found.pop("mcpServers")
    assert found == json.loads(content.removeprefix("\ufeff") or "{}")
    assert path.read_text(encoding="utf-8").startswith("\ufeff") == content.startswith("\ufeff")


def test_a_link_stays_a_link(command: Command, home: Path) -> None:
    real = home / "dotfiles.json"
    real.write_text("{}", encoding="utf-8")
    cursor(home).symlink_to(real)
    command("clients", "cursor")
    assert cursor(home).is_symlink()
    assert servers_in(real)


def test_the_text_alone_can_be_printed_for_any_client(command: Command, home: Path) -> None:
    done = command("clients", "plain", "--server", "datadog", "--print")
    document = json.loads(done.out)
    assert document["mcpServers"]["perfsuite-datadog"]["env"]["DD_APP_KEY"] == "${DD_APP_KEY}"
    assert "DD_APP_KEY" in done.err
    assert list(home.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("cursor", "--server", "grafana"), "There is no server 'grafana'"),
        (("cursor", "--preset", "core"), "Add --all-in-one"),
        (("plain",), "Add --print"),
        (("claude-desktop", "--scope", "project"), "Leave out `--scope project`"),
        (("cursor", "--print", "--remove"), "contradict"),
    ],
)
def test_wrong_usage_is_told(command: Command, home: Path, options: tuple[str, ...], said: str) -> None:
    done = command("clients", *options)
    assert done.code == 2
    assert said in done.err
    assert list(home.iterdir()) == []


def test_without_a_client_all_are_listed(command: Command, home: Path) -> None:
    command("clients", "cursor", "--all-in-one")
    cursor(home).with_name("other.json").touch()
    (home / ".claude.json").write_text("// no", encoding="utf-8")
    found = {one["client"]: one["state"] for one in json.loads(command("clients", "--json").out)["clients"]}
    assert found["cursor"] == "perfsuite"
    assert found["vscode"] == "no file yet"
    assert "is not plain JSON" in found["claude-code"]
    assert "cursor" in command("clients").out


def test_a_configuration_folder_is_named_where_there_is_one(command: Command, home: Path) -> None:
    (Path.cwd() / "slas.yaml").touch()
    command("clients", "cursor", "--server", "perfreport")
    assert servers_in(cursor(home))["perfsuite-perfreport"]["env"]["PERFSUITE_CONFIG_DIR"] == str(Path.cwd())


def test_a_file_that_another_program_changed_meanwhile_is_left_alone(
    command: Command, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from perfsuite.cli import clients_files

    path = cursor(home, {})
    source = clients_files.read(path)
    path.write_text('{"new": 1}', encoding="utf-8")
    with pytest.raises(Exception, match="changed by another program"):
        clients_files.write(source, {"mcpServers": {}})
    assert path.read_text(encoding="utf-8") == '{"new": 1}'
