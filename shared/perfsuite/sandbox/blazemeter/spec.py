"""What a stand-in of BlazeMeter is made of."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from perfsuite.errors import BadInput


@dataclass(frozen=True)
class BlazeMeterSpec:
    """Which results its runs have, and how they go."""

    results: tuple[Path, ...]
    """Result files, one an engine, or one file or run folder that is split between the engines."""
    engines: int = 2
    runs: int = 12
    """How many runs there are already. They are a day apart; the oldest is archived."""
    newest_ends: float | None = None
    """When the load of the newest run ended, in seconds since the epoch; None: as in the results."""
    boot_s: float = 20.0
    """From the start of a run until the first sample."""
    finalising_s: float = 10.0
    logs_after_s: float = 5.0
    """From the end of a run until its logs can be downloaded."""
    speed: float = 1.0
    """How much faster than time a run goes that is started here. Its times are then ahead of the clock."""
    engines_ahead_s: float = 0.0
    """How far the clocks of the engines, which time the samples, are ahead of BlazeMeter's."""
    executions: int = 1
    """How many kpi files each engine writes."""
    mixed_columns: bool = False
    """Whether every second engine writes fewer columns, in another order."""
    sessions: Literal["dict", "list"] = "dict"
    """Which of its two shapes the list of sessions has."""
    key_id: str = "sandbox-key-id"
    key_secret: str = "sandbox-key-secret"  # noqa: S105 - obviously nobody's

    def __post_init__(self) -> None:
        for name, low, high in (("engines", 1, 64), ("runs", 1, 1000), ("executions", 1, 8), ("speed", 0.001, 1e6)):
            if not low <= getattr(self, name) <= high:
                raise BadInput(f"`{name}` is {getattr(self, name)}.", next_step=f"Give {low} to {high}.")
