"""datadog/collection.json: every query that was sent, and whether its answer is complete."""

from typing import Final, Literal

from pydantic import Field, NonNegativeInt

from perfsuite.artifacts import layout
from perfsuite.artifacts.layout import JsonArtifact
from perfsuite.artifacts.schemas import Document, Stored, UtcTime

Kind = Literal["metrics", "logs", "spans", "counts"]


class QueryRecord(Stored):
    """One query. `subject` says whom it was about; `reason` says what is missing when it is not complete."""

    tool: str
    environment: str
    part: str
    kind: Kind
    subject: str
    query: str
    window_from: UtcTime
    window_to: UtcTime
    requested_interval_s: float | None = None
    effective_interval_s: float | None = None
    requests: NonNegativeInt = 1
    pages: NonNegativeInt = 1
    rows: NonNegativeInt
    complete: bool
    reason: str | None = None
    formula: str | None = None
    unit: str | None = None
    notes: tuple[str, ...] = ()


class Collection(Document):
    """The whole file, in the order of tools, environments and parts; and how what is derived is computed."""

    queries: tuple[QueryRecord, ...] = ()
    formulas: dict[str, str] = Field(default_factory=dict)


COLLECTION: Final = JsonArtifact(
    layout.COLLECTION.key, layout.COLLECTION.place, layout.COLLECTION.written_by, layout.COLLECTION.about, Collection
)
