"""The entries of a client's configuration that start the chosen servers."""

import os
import shutil
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, Final, Literal

from perfsuite.cli.accounts import ACCOUNTS, Account, Variable, Way
from perfsuite.cli.clients_kinds import Kind, Scope, input_definition
from perfsuite.errors import BadInput
from perfsuite.settings import SuiteSettings, given

Form = Literal["local", "uvx"]
Entry = dict[str, Any]

ALL_IN_ONE: Final = "perfsuite"
_SUFFIX: Final = "-mcp"
_CONFIGURATION: Final = ("environments.yaml", "slas.yaml", "custom_queries.yaml", "charts.yaml", "guardrails.yaml")
# What else the servers read, and people set: it goes into the entry as it stands in the environment.
_PASSED_ON: Final[Mapping[str, tuple[str, ...]]] = {
    "blazemeter": ("BLAZEMETER_BASE_URL",),
    "confluence": ("CONFLUENCE_CLOUD_ID",),
    "datadog": ("DD_SITE", "DATADOG_BASE_URL"),
    "jmeter": ("JMETER_HOME", "JAVA_HOME", "PERFSUITE_JMETER_HEAP", "PERFSUITE_SCRIPTS_DIR"),
}
_PASSED_ON_BY_ALL: Final = ("PERFSUITE_CA_BUNDLE",)
# It brings a JMeter of its own where there is none.
_WITH_JMETER: Final = ("jmeter", ALL_IN_ONE)


@dataclass(frozen=True)
class Choice:
    """What the user chose."""

    servers: tuple[str, ...]
    """None: all of them."""
    all_in_one: bool
    preset: str | None
    read_only: bool
    form: Form
    package: str
    scope: Scope


@dataclass(frozen=True)
class Entries:
    """What is to stand in the file."""

    servers: dict[str, Entry]
    inputs: list[dict[str, Any]]
    referred: list[Variable]
    """What the user must still give."""

    def strings(self) -> set[str]:
        """Every text in them: all of it may be shown."""
        return set(strings_in([self.servers, self.inputs]))


def known_servers() -> tuple[str, ...]:
    """The servers that this installation brings, without the all-in-one."""
    scripts = distribution("perfsuite").entry_points.select(group="console_scripts").names
    names = (name.removesuffix(_SUFFIX) for name in scripts if name.endswith(_SUFFIX))
    return tuple(sorted(name for name in names if name != ALL_IN_ONE))


def names_of_ours() -> set[str]:
    """The names under which entries of perfsuite stand in a file."""
    return {ALL_IN_ONE, *(f"{ALL_IN_ONE}-{name}" for name in known_servers())}


def make_entries(kind: Kind, choice: Choice) -> Entries:
    """The entries for the chosen servers."""
    chosen = _chosen(choice)
    names = {ALL_IN_ONE: chosen} if choice.all_in_one else {f"{ALL_IN_ONE}-{name}": (name,) for name in chosen}
    servers: dict[str, Entry] = {}
    referred: dict[str, Variable] = {}
    for name, carried in names.items():
        environ, wanted = _environment(kind, choice, carried)
        command = ALL_IN_ONE if choice.all_in_one else carried[0]
        servers[name] = {
            **({"type": "stdio"} if kind.is_typed else {}),
            **_start(choice, command, _options(choice, carried)),
            "env": environ,
        }
        referred |= {one.name: one for one in wanted}
    inputs = [input_definition(one) for one in referred.values()] if kind.has_inputs else []
    return Entries(servers, inputs, list(referred.values()))


def _chosen(choice: Choice) -> tuple[str, ...]:
    known = known_servers()
    if unknown := [name for name in choice.servers if name not in known]:
        raise BadInput(f"There is no server {unknown[0]!r}.", next_step=f"Choose some of {', '.join(known)}.")
    if not choice.all_in_one and choice.preset:
        raise BadInput("A preset is a part of the all-in-one server.", next_step="Add --all-in-one.")
    return tuple(dict.fromkeys(choice.servers)) or known


def _options(choice: Choice, carried: Sequence[str]) -> list[str]:
    only = ["--only", ",".join(carried)] if choice.all_in_one and choice.servers else []
    preset = ["--preset", choice.preset] if choice.preset else []
    return [*only, *preset, *(["--read-only"] if choice.read_only else [])]


def _start(choice: Choice, server: str, options: list[str]) -> Entry:
    command = f"{server}{_SUFFIX}"
    if choice.form == "local":
        suffix = ".exe" if sys.platform == "win32" else ""
        return {"command": str(Path(sysconfig.get_path("scripts")) / f"{command}{suffix}"), "args": options}
    package = choice.package
    if package == ALL_IN_ONE and server in _WITH_JMETER:
        package = f"{package}[jmeter]"
    # A file for oneself names it where it is: clients that are started from a menu have a short PATH.
    uvx = shutil.which("uvx") if choice.scope == "user" else None
    return {"command": uvx or "uvx", "args": ["--from", package, command, *options]}


def _environment(kind: Kind, choice: Choice, servers: Sequence[str]) -> tuple[dict[str, str], list[Variable]]:
    """The environment of a server, and what it only refers to."""
    environ = _folders()
    for name in (*_PASSED_ON_BY_ALL, *(one for server in servers for one in _PASSED_ON.get(server, ()))):
        if value := given(os.environ, name):
            environ[name] = value
    referred: list[Variable] = []
    for account in (one for one in ACCOUNTS if one.server in servers):
        for variable in _way(account, kind).variables:
            setting = _by_value(variable, choice.scope)
            if setting is None:
                setting = kind.refer(variable)
                referred.append(variable)
            environ |= setting
    return environ, referred


def _folders() -> dict[str, str]:
    """Absolute, because clients start servers in odd places."""
    settings = SuiteSettings.load()
    found = {"PERFSUITE_ARTIFACTS_DIR": str(_absolute(settings.artifacts_dir))}
    here = Path.cwd()
    if settings.config_dir is not None:
        found["PERFSUITE_CONFIG_DIR"] = str(_absolute(settings.config_dir))
    elif any((here / name).is_file() for name in _CONFIGURATION):
        found["PERFSUITE_CONFIG_DIR"] = str(here)
    return found


def _absolute(folder: Path) -> Path:
    return Path(os.path.abspath(folder.expanduser()))  # noqa: PTH100 - a link stays the link that the user named


def _way(account: Account, kind: Kind) -> Way:
    """The way that the environment goes, else the one that suits the client."""
    if account.is_configured(os.environ):
        return account.likeliest(os.environ)
    by_file = (way for way in account.ways if not any(one.kind == "plain" for one in way.variables))
    return next(by_file, account.ways[0]) if kind.prefers_files else account.ways[0]


def _by_value(variable: Variable, scope: Scope) -> dict[str, str] | None:
    """What may stand in the file itself: where a secret lies, and, in a file for oneself, what is none."""
    file = f"{variable.name}_FILE"
    if variable.kind == "secret":
        path = "" if given(os.environ, variable.name) else given(os.environ, file)
        return {file: str(_absolute(Path(path)))} if path and scope == "user" else None
    value = given(os.environ, variable.name)
    if scope == "project" or not value:
        return None
    if variable.kind == "plain":
        return {variable.name: value}
    # What is no file may be the key itself, put there by mistake.
    return {variable.name: str(_absolute(Path(value)))} if Path(value).expanduser().is_file() else None


def strings_in(value: Any) -> Iterator[str]:
    """Every text in a document but its keys."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from strings_in(part)
