"""Where configuration files are looked for."""

import os
from collections.abc import Mapping
from pathlib import Path

from perfsuite.configuration import configuration_folders
from perfsuite.settings import SuiteSettings


def configuration(
    settings: SuiteSettings, environ: Mapping[str, str] = os.environ, project: Path | None = None
) -> tuple[Path, ...]:
    """The folders, the first one that has a file counts."""
    return configuration_folders(settings.config_dir, environ, project or Path.cwd())
