"""What the tools that analyse answer: a digest, short enough to read; the file has all."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue, WithJsonSchema

# The schema of the answer is sent to the model with every request; it need not say that JSON holds JSON.
Row = Annotated[dict[str, JsonValue], WithJsonSchema({"type": "object"})]


class Digest(BaseModel):
    """The gist of an analysis and where the rest is."""

    model_config = ConfigDict(frozen=True)

    id: str
    file: str
    status: str
    reasons: list[str]
    summary: Row
    rows: list[Row]
    has_more: bool = Field(description="in the file")
    findings: list[Row]
    notes: list[str]
    next_step: str
