"""What the tools answer. What is not known is empty: that takes less of a model's attention than null does."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Outcome = Literal["created", "updated", "unchanged", "would_create", "would_update", "would_refuse"]


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class SpaceRow(_Answer):
    key: str
    name: str
    url: str


class SpaceList(_Answer):
    spaces: list[SpaceRow]
    total: int
    has_more: bool
    note: str = ""


class SpaceDetails(_Answer):
    key: str
    name: str
    id: str
    url: str
    homepage_id: str
    top_pages: list[str]
    pages_at_top: int
    next_step: str


class PageRow(_Answer):
    id: str
    title: str
    space: str
    url: str


class PageList(_Answer):
    pages: list[PageRow]
    total: int
    has_more: bool
    note: str = ""


class PageDetails(_Answer):
    id: str
    title: str
    space: str
    parent_id: str
    status: str
    version: int
    changed_by: str
    changed_at: str
    url: str
    labels: list[str]
    attachments: list[str]
    report_of_run: str
    text: str
    has_more: bool


class ReportRow(_Answer):
    run_id: str
    of: Literal["run", "comparison"]
    file: str
    size_bytes: int
    charts: int
    title: str
    published_at: str


class ReportList(_Answer):
    reports: list[ReportRow]
    total: int
    has_more: bool
    note: str = ""


class Published(_Answer):
    outcome: Outcome
    page_id: str | None
    url: str | None
    title: str
    version: int | None
    space: str
    parent_id: str
    parent_title: str
    files_added: int
    files_replaced: int
    files_kept: int
    storage_file: str
    notes: list[str]
    next_step: str
