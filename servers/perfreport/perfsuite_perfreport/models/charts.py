"""Charts: which there are, and what charts.yaml may say about them."""

from typing import Annotated, Final, Literal, Self, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from perfsuite.configuration import Configuration

FILE: Final = "charts.yaml"
DEFAULT: Final = "default"

ChartType = Literal[
    "THROUGHPUT_USERS", "PERCENTILES_OVER_TIME", "P90_USERS", "ERRORS_BY_CODE", "LATENCY_VS_THROUGHPUT",
    "LATENCY_VS_USERS", "LATENCY_DISTRIBUTION", "CPU_UTILIZATION", "MEMORY_UTILIZATION", "CPU_USERS", "MEMORY_USERS",
    "TOP_SLOWEST", "SLA_MARGINS", "CORRELATION_HEATMAP", "GENERATOR_HEALTH",
]  # fmt: skip
CHART_TYPES: Final[tuple[ChartType, ...]] = get_args(ChartType)
Unit = Literal["ms", "s", "per_s", "per_min"]

ChartName = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,39}$")]
Color = Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$")]
Height = Annotated[int, Field(ge=240, le=4320)]

_SMALLEST_IN: Final = (5.0, 2.5)


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("expected the name of a time zone, such as Europe/Berlin") from None
    return name


class ChartOverride(Configuration):
    """What is changed of a chart. An `id` that is not built in is a chart of its own, of the `type` it names."""

    id: ChartName
    type: ChartType | None = None
    title: str | None = Field(default=None, min_length=1, max_length=120)
    unit: Unit | None = None
    colors: tuple[Color, ...] = Field(default=(), max_length=12)
    sla_line: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """In milliseconds for response times, in percent for resources."""
    height_px: Height | None = None

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.type is None and self.id not in CHART_TYPES:
            raise ValueError(f"a chart that is not built in needs a `type`, one of {', '.join(CHART_TYPES)}")
        if self.type is not None and self.id in CHART_TYPES and self.type != self.id:
            raise ValueError("a built-in chart keeps its type; choose an id of your own for another one")
        return self


class ChartFile(Configuration):
    """charts.yaml."""

    charts: tuple[ChartOverride, ...] = Field(default=(), max_length=100)
    width_px: int = Field(default=1280, ge=480, le=7680)
    height_px: Height = 720
    dpi: int = Field(default=144, ge=50, le=400)
    timezone: Annotated[str, AfterValidator(_zone)] | None = None
    """Of the local time that is stated; by default that of the machine."""
    fonts: tuple[str, ...] = Field(default=(), max_length=10)
    """Font files for scripts that DejaVu Sans lacks."""

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        ids = [one.id for one in self.charts]
        if twice := sorted({one for one in ids if ids.count(one) > 1}):
            raise ValueError(f"{', '.join(twice)} stands there twice")
        heights = [self.height_px, *(one.height_px for one in self.charts if one.height_px)]
        if self.width_px / self.dpi < _SMALLEST_IN[0] or min(heights) / self.dpi < _SMALLEST_IN[1]:
            raise ValueError(
                f"text would not fit: expected at least {_SMALLEST_IN[0]:g} x {_SMALLEST_IN[1]:g} times `dpi` pixels"
            )
        return self


class ChartAbout(BaseModel):
    """A chart that can be asked for."""

    model_config = ConfigDict(frozen=True)

    chart_id: str
    about: str
    made_from: str
    takes_resource: bool
    in_default: bool
    can_be_drawn: bool | None = None
    """Of the run that was named; null where none was."""
    missing: str | None = None


class ChartList(BaseModel):
    """Every chart."""

    model_config = ConfigDict(frozen=True)

    charts: list[ChartAbout]
    total: int
    has_more: bool = False
    resources: list[str] = []
    notes: list[str] = []
