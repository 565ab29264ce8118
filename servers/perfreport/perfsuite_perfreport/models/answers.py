"""What the tools that write reports answer."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from perfsuite_perfreport.models.report import Confidence, Verdict

ReportFormat = Literal["md", "html", "docx"]


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class ReportAnswer(_Answer):
    """What a report says in short, and where it lies."""

    run_id: str
    verdict: Verdict
    confidence: Confidence
    reason: str
    files: list[str]
    findings: int
    bottlenecks: int
    recommendations: int
    charts: int
    missing: list[str]
    edited: list[str] = Field(description="parts written by hand, kept as they were")
    notes: list[str]
    next_step: str


class TemplateEntry(_Answer):
    """A template for reports."""

    name: str
    about: str
    path: str
    is_built_in: bool


class TemplateList(_Answer):
    """The templates, and where to put one."""

    templates: list[TemplateEntry]
    total: int
    has_more: bool
    next_step: str


class ComparisonAnswer(_Answer):
    """What a comparison says in short, and where its report lies."""

    comparison_id: str
    verdict: Verdict
    confidence: Confidence
    reason: str
    files: list[str] = Field(description="in the folder of artifacts")
    regressions: list[str] = Field(description="the worst ones")
    improvements: int
    untold: int = Field(description="measures that cannot be told or compared")
    missing: list[str]
    edited: list[str] = Field(description="parts written by hand, kept as they were")
    notes: list[str]
    next_step: str
