"""The question to the samples of a run, and its answer."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from perfsuite.samples.definitions import PercentileMethod

About = Literal["labels", "time_series", "response_codes", "error_groups"]
KindOrAny = Literal["sample", "transaction", "sub", "any"]
SortBy = Literal["slowest", "mean_ms", "samples", "errors", "error_rate", "throughput_per_s", "label"]
Percentile = Annotated[float, Field(ge=0, le=100)]
Value = str | int | float | list[str] | None


class SampleQuestion(BaseModel):
    """One question to the samples of a run."""

    model_config = ConfigDict(frozen=True)

    about: About = "labels"
    labels: tuple[str, ...] = ()
    kind: KindOrAny = "sample"
    sort_by: SortBy = "slowest"
    percentiles: tuple[float, ...] = (50, 90, 95, 99)
    percentile_method: PercentileMethod = "linear"
    bucket_s: float | None = None
    from_s: float | None = None
    to_s: float | None = None
    start: int = 0
    limit: int = 20


class SampleAnswer(BaseModel):
    """Rows that answer the question, and what they rest on."""

    run_id: str
    about: About
    window_start: str = Field(description="UTC start of the first sample asked about")
    window_s: float
    percentile_method: PercentileMethod
    counting: str = Field(description="which rows are counted")
    overall: dict[str, Value] | None = Field(None, description="all labels asked about together")
    rows: list[dict[str, Value]]
    total: int = Field(description="rows there are in all")
    has_more: bool
    next_start: int | None = Field(None, description="`start` for the next rows")
    notes: list[str]
