"""The accounts that servers work with: what the environment must hold for each, and one cheap call that tries it."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

from perfsuite.settings import given, remember_secret


class Outcome(NamedTuple):
    """What came of trying an account."""

    state: Literal["ok", "warning", "broken"]
    found: str
    next_step: str = ""


@dataclass(frozen=True)
class Variable:
    """An environment variable that says which account is meant, or as whom."""

    name: str
    kind: Literal["secret", "file", "plain"]
    """A secret may also stand in a file that NAME_FILE names; a file is named by the variable itself."""
    about: str


@dataclass(frozen=True)
class Way:
    """One way to say it all, and the arguments of the call that tries it."""

    variables: tuple[Variable, ...]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    of: str = ""

    def missing(self, environ: Mapping[str, str]) -> list[str]:
        return [one.name for one in self.variables if not is_set(one, environ)]


@dataclass(frozen=True)
class Account:
    """An account of a service."""

    server: str
    title: str
    tool: str
    ways: tuple[Way, ...]
    read: Callable[[Mapping[str, Any]], Outcome]
    address: Variable | None = None
    """Says where, and not as whom: alone, it means that nothing is configured."""

    @property
    def variables(self) -> list[Variable]:
        """Every variable, each once."""
        return list(dict.fromkeys(one for way in self.ways for one in way.variables))

    def is_configured(self, environ: Mapping[str, str]) -> bool:
        """Whether any credential is set. Whether they are enough, the server says best."""
        return any(is_set(one, environ) for one in self.variables if one != self.address)

    def likeliest(self, environ: Mapping[str, str]) -> Way:
        """The way of which most is set."""
        return min(self.ways, key=lambda way: len(way.missing(environ)) / len(way.variables))

    def wanted(self, environ: Mapping[str, str]) -> str:
        """What is not set, for each way; of those for the same kind of service, the first alone."""
        first = {way.of or way.variables: way for way in reversed(self.ways)}
        return ", or ".join(f"{_listed(way.missing(environ))}{way.of}" for way in reversed(first.values()))


def is_set(variable: Variable, environ: Mapping[str, str]) -> bool:
    """Whether there is a value, or a file with it."""
    file = variable.kind == "secret" and given(environ, f"{variable.name}_FILE")
    return bool(given(environ, variable.name) or file)


def remember_secrets() -> None:
    """Keep every secret of an account that stands in the environment out of all that is printed."""
    for name in (one.name for account in ACCOUNTS for one in account.variables if one.kind == "secret"):
        remember_secret(os.environ.get(name, "").strip())


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1]))) if names else ""


def _counted(what: str, key: str) -> Callable[[Mapping[str, Any]], Outcome]:
    def read(answer: Mapping[str, Any]) -> Outcome:
        seen, total = len(answer[key]), answer["total"]
        if not seen:
            return Outcome("warning", f"answers, and shows no {what}", "Ask whoever gave the key what it may see.")
        more = "at least " if total is None and answer["has_more"] else ""
        return Outcome("ok", f"answers; {what} to be seen: {more}{seen if total is None else total}")

    return read


def _datadog(answer: Mapping[str, Any]) -> Outcome:
    allowed: Mapping[str, bool | None] = answer["allowed"]
    if all(allowed.values()) and not answer["problems"]:
        return Outcome("ok", f"{answer['url']} answers; to be read: {', '.join(_permissions(allowed))}")
    state: Literal["warning", "broken"] = "warning" if any(dict(_permissions(allowed)).values()) else "broken"
    return Outcome(state, f"{answer['url']}: {' '.join(answer['problems'])}", answer["next_step"])


def _permissions(allowed: Mapping[str, bool | None]) -> dict[str, bool | None]:
    return {name: may for name, may in allowed.items() if name != "api_key"}


_URL: Final = Variable("CONFLUENCE_URL", "plain", "the address of Confluence")
_API_TOKEN: Final = Variable("CONFLUENCE_API_TOKEN", "secret", "an API token of the Atlassian account")
_CLOUD: Final = {"mode": "cloud", "limit": 1}
_ONPREM: Final = {"mode": "onprem", "limit": 1}

ACCOUNTS: Final = (
    Account(
        "blazemeter",
        "BlazeMeter",
        "get_workspaces",
        (
            Way(
                (
                    Variable("API_KEY_ID", "plain", "the id of a key of BlazeMeter"),
                    Variable("API_KEY_SECRET", "secret", "the secret of that key"),
                ),
                {"limit": 1},
            ),
            Way((Variable("BLAZEMETER_API_KEY", "file", "the path of a file with a key of BlazeMeter"),), {"limit": 1}),
        ),
        _counted("workspaces", "rows"),
    ),
    Account(
        "datadog",
        "Datadog",
        "check_datadog_access",
        (
            Way(
                (
                    Variable("DD_API_KEY", "secret", "an API key of the Datadog organization"),
                    Variable("DD_APP_KEY", "secret", "an application key of the Datadog organization"),
                )
            ),
        ),
        _datadog,
    ),
    Account(
        "confluence",
        "Confluence",
        "list_spaces",
        (
            Way(
                (
                    _URL,
                    Variable("CONFLUENCE_EMAIL", "plain", "the e-mail address of the Atlassian account"),
                    _API_TOKEN,
                ),
                _CLOUD,
                " (Cloud)",
            ),
            Way(
                (_URL, Variable("CONFLUENCE_PAT", "secret", "a personal access token of Confluence on premises")),
                _ONPREM,
                " (on premises)",
            ),
            Way(
                (
                    _URL,
                    Variable("CONFLUENCE_USER", "plain", "the name of a user of Confluence on premises"),
                    Variable("CONFLUENCE_PASSWORD", "secret", "the password of that user"),
                ),
                _ONPREM,
                " (on premises)",
            ),
        ),
        _counted("spaces", "spaces"),
        address=_URL,
    ),
)
