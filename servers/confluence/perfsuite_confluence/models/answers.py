"""What the tools answer."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Outcome = Literal["created", "updated", "unchanged", "would_create", "would_update"]


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class SpaceRow(_Answer):
    key: str
    name: str
    id: str
    url: str | None = None


class SpaceList(_Answer):
    spaces: list[SpaceRow]
    total: int
    has_more: bool
    note: str | None = None


class SpaceDetails(_Answer):
    key: str
    name: str
    id: str
    type: str | None
    url: str | None
    homepage_id: str | None
    top_pages: list[str]
    pages_at_top: int
    next_step: str


class PageRow(_Answer):
    id: str
    title: str
    space: str | None = None
    url: str | None = None


class PageList(_Answer):
    pages: list[PageRow]
    total: int
    has_more: bool
    note: str | None = None


class PageDetails(_Answer):
    id: str
    title: str
    space: str | None
    parent_id: str | None
    status: str
    version: int | None
    changed_by: str | None
    changed_at: str | None
    url: str | None
    labels: list[str]
    attachments: list[str]
    report_of_run: str | None
    text: str
    has_more: bool


class ReportRow(_Answer):
    run_id: str
    file: str
    size_bytes: int
    charts: int
    title: str | None
    published_at: str | None


class ReportList(_Answer):
    reports: list[ReportRow]
    total: int
    has_more: bool
    note: str | None = None


class Published(_Answer):
    outcome: Outcome
    page_id: str | None
    url: str | None
    title: str
    version: int | None
    space: str
    files_added: int
    files_replaced: int
    files_kept: int
    storage_file: str
    notes: list[str]
    next_step: str
