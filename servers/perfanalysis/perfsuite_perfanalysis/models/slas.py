"""`slas.yaml`: what response times, error rates and throughput are wanted."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, field_validator

from perfsuite.configuration import Configuration
from perfsuite.samples.definitions import Apdex

FILE = "slas.yaml"
_PERCENTILE = re.compile(r"[Pp]?([0-9]{2}(?:\.[0-9]{1,3})?)")


def _percentile(value: Any) -> Any:
    match = _PERCENTILE.fullmatch(str(value))
    if match is None or not 50 <= float(match[1]) <= 99.9:
        raise ValueError("expected one from P50 to P99.9")
    return float(match[1])


def _in_order(limits: "ApdexLimits") -> "ApdexLimits":
    if limits.satisfied_ms > limits.tolerated_ms:
        raise ValueError("expected `satisfied_ms` to be at most `tolerated_ms`")
    return limits


PositiveNumber = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Percentile = Annotated[float, BeforeValidator(_percentile)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=500)]


class ApdexLimits(Configuration):
    """The two limits of APDEX."""

    satisfied_ms: PositiveNumber
    tolerated_ms: PositiveNumber

    def limits(self) -> Apdex:
        return Apdex(self.satisfied_ms, self.tolerated_ms)


class Limits(Configuration):
    """What is wanted of every label; `min_throughput` and `apdex` are about the whole run."""

    response_time_sla_ms: PositiveNumber | None = None
    percentile: Percentile | None = None
    error_rate_threshold: Percent | None = None
    min_throughput: PositiveNumber | None = None
    apdex: Annotated[ApdexLimits, AfterValidator(_in_order)] | None = None


class Override(Configuration):
    """What is wanted of the labels that fit a pattern, in which * and ? stand for any text and any character."""

    pattern: Text
    response_time_sla_ms: PositiveNumber | None = None
    percentile: Percentile | None = None
    error_rate_threshold: Percent | None = None
    reason: Text | None = None


class Profile(Configuration):
    """The limits of one system or scenario."""

    id: Text
    description: Text | None = None
    default_sla: Limits = Limits()
    api_overrides: tuple[Override, ...] = Field((), max_length=1_000)


class SlaFile(Configuration):
    """The whole file."""

    version: str | int | float = 1
    default_sla: Limits = Limits()
    slas: tuple[Profile, ...] = ()

    @field_validator("slas")
    @classmethod
    def _distinct(cls, slas: tuple[Profile, ...]) -> tuple[Profile, ...]:
        ids = [one.id for one in slas]
        if twice := sorted({one for one in ids if ids.count(one) > 1}):
            raise ValueError(f"expected every `id` once; {twice[0]!r} stands there several times")
        return slas
