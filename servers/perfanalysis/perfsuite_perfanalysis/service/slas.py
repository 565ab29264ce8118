"""Finds slas.yaml, and the profile in it that is about a run."""

import os
from collections.abc import Mapping
from pathlib import Path

from perfsuite.configuration import Loaded, configuration_folders, load_configuration
from perfsuite.errors import NotFound
from perfsuite.settings import SuiteSettings
from perfsuite_perfanalysis.core.sla_rules import Rules
from perfsuite_perfanalysis.models.slas import FILE, SlaFile


def find_slas(
    settings: SuiteSettings, environ: Mapping[str, str] = os.environ, project: Path | None = None
) -> Loaded[SlaFile]:
    """The file, or nothing wanted where there is none."""
    folders = configuration_folders(settings.config_dir, environ, project or Path.cwd())
    return load_configuration(SlaFile, FILE, folders)


def chosen_rules(slas: Loaded[SlaFile], profile: str | None, scenario: str | None) -> Rules | None:
    """The rules by the profile that was named, else that of the run's scenario, else the only one; None without a
    file."""
    known = {one.id: one for one in slas.value.slas}
    if profile is not None and profile not in known:
        raise NotFound(
            f"There is no SLA profile {profile!r} in {FILE}; there are: {', '.join(map(repr, known)) or 'none'}.",
            next_step=f"Name one that {FILE} has, or leave `sla_profile` out.",
        )
    if slas.path is None:
        return None
    only = next(iter(known.values())) if len(known) == 1 else None
    return Rules(slas.value, known.get(profile or scenario or "", only))
