"""The environments and the queries that the user wrote down."""

import os
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from perfsuite.configuration import Loaded, configuration_folders, load_configuration
from perfsuite.errors import NotFound, NotReady
from perfsuite.samples.rows import printable
from perfsuite.settings import SuiteSettings
from perfsuite_datadog.models.custom_queries import CustomQueries
from perfsuite_datadog.models.environments import Environment, Environments

ENVIRONMENTS: Final = "environments.yaml"
QUERIES: Final = "custom_queries.yaml"
_EXAMPLE: Final = "environments: {QA: {env_tag: qa, hosts: [{hostname: web-1}]}}"


@dataclass(frozen=True)
class NamedEnvironment:
    """An environment, its name, and the file that it stands in."""

    name: str
    environment: Environment
    path: Path


def find_environment(settings: SuiteSettings, name: str) -> NamedEnvironment:
    """The environment of this name, whatever its capitals."""
    loaded = load_configuration(Environments, ENVIRONMENTS, _folders(settings))
    known = loaded.value.environments
    if loaded.path is None or not known:
        raise NotReady(
            f"No environment is described: there is no {ENVIRONMENTS!r}, or it is empty.",
            next_step=f"Describe one in `{loaded.path or loaded.searched[0]}`, such as `{_EXAMPLE}`.",
        )
    found = next((one for one in known if one == name), None) or _only([k for k in known if k.lower() == name.lower()])
    if found is None:
        near = get_close_matches(name, known, n=3, cutoff=0.5) or sorted(known)[:10]
        raise NotFound(
            f"There is no environment {printable(name, 80)!r} in {str(loaded.path)!r}, which has {len(known)}.",
            next_step=f"Name one of {', '.join(map(repr, near))}.",
        )
    return NamedEnvironment(found, known[found], loaded.path)


def custom_queries(settings: SuiteSettings) -> Loaded[CustomQueries]:
    """What custom_queries.yaml says; nothing where there is none."""
    return load_configuration(CustomQueries, QUERIES, _folders(settings))


def _only(names: list[str]) -> str | None:
    return names[0] if len(names) == 1 else None


def _folders(settings: SuiteSettings) -> tuple[Path, ...]:
    return configuration_folders(settings.config_dir, os.environ, Path.cwd())
