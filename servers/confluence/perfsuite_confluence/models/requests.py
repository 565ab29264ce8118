"""What the tools are asked for."""

from dataclasses import dataclass
from typing import Any

from perfsuite_confluence.models.entities import Mode


@dataclass(frozen=True)
class PublishRequest:
    """Which report goes where."""

    mode: Mode
    run_id: str
    space: str | None = None
    parent: str | None = None
    title: str | None = None
    labels: tuple[str, ...] = ()
    overwrite: bool = False
    dry_run: bool = False

    @property
    def told_apart_by(self) -> dict[str, Any]:
        """What tells one publication of a report from another."""
        return {name: value for name, value in vars(self).items() if name != "run_id"}


@dataclass(frozen=True)
class PageQuestion:
    """Which pages of a space are wanted."""

    space: str
    parent: str | None = None
    title: str | None = None
    start: int = 0
    limit: int = 50
