"""The models of the JSON files in a run folder.

A file says `major.minor`. A newer minor version has added keys: they are read past and written back. A newer major
version has changed the meaning of some, so it is refused.
"""

import re
from datetime import UTC, datetime
from pathlib import PurePosixPath, PureWindowsPath
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError

from perfsuite.artifacts.run_id import RunId, shown

Source = Literal["blazemeter", "jmeter", "import"]
Fidelity = Literal["samples", "aggregate"]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]

NEWER_SCHEMA = "newer_schema"


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


UtcTime = Annotated[AwareDatetime, AfterValidator(_utc)]


def _relative(name: str) -> str:
    if PurePosixPath(name).is_absolute() or PureWindowsPath(name).drive or name.startswith("\\"):
        raise PydanticCustomError("absolute_path", "a name or a relative path is expected, so that no machine shows")
    return name


class Stored(BaseModel):
    """A part of a file: frozen, and it keeps keys that it does not know."""

    model_config = ConfigDict(frozen=True, extra="allow")


class Document(Stored):
    """A whole file, which begins with its version."""

    major: ClassVar[int] = 1
    schema_version: str = "1.0"

    @model_validator(mode="before")
    @classmethod
    def _readable(cls, data: Any) -> Any:
        version = data.get("schema_version") if isinstance(data, dict) else None
        if version is None:
            return data
        if not (isinstance(version, str) and (match := re.fullmatch(r"([0-9]{1,6})\.[0-9]{1,6}", version))):
            raise PydanticCustomError(
                "schema_version",
                "`schema_version` should be {expected}; found {found}",
                {"expected": f"'{cls.major}.x'", "found": shown(version)},
            )
        if int(match[1]) != cls.major:
            raise PydanticCustomError(
                NEWER_SCHEMA if int(match[1]) > cls.major else "schema_version",
                "it has schema version {found}, and this perfsuite reads {expected}",
                {"expected": f"{cls.major}.x", "found": version},
            )
        return data


class ConfluenceRequest(Stored):
    """Where the report shall go."""

    mode: str | None = None
    space: str | None = None
    parent: str | None = None


class RunRequest(Stored):
    """What the user asked for before anything started."""

    environment: str | None = None
    environment_type: str | None = None
    workspace: str | None = None
    confluence: ConfluenceRequest = ConfluenceRequest()


class Window(Stored):
    """The time under load, from the first sample to the last."""

    first_sample_at: UtcTime
    last_sample_at: UtcTime

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last_sample_at < self.first_sample_at:
            raise PydanticCustomError("window", "the last sample cannot come before the first")
        return self


class FileState(Stored):
    """A file as a step saw it. `external` files lie outside the run folder and keep the path they were given by.

    An `absent` one was looked for and was not there: that it appears changes what the step would give.
    """

    path: str
    sha256: Sha256
    size: NonNegativeInt
    mtime_ns: int
    external: bool = False
    absent: bool = False


class StepFailure(Stored):
    """What happened, and what to do about it."""

    message: str
    next_step: str
    cancelled: bool = False
    """Somebody asked for it to end, so nothing is wrong."""


class StepRecord(Stored):
    """The last time that a step ran. `part` tells the calls of a step that takes several, such as one for a chart."""

    stage: str
    step: str
    part: str = ""
    state: Literal["running", "done", "failed"]
    started_at: UtcTime
    ended_at: UtcTime | None = None
    tool: str
    inputs: tuple[FileState, ...] = ()
    outputs: tuple[FileState, ...] = ()
    error: StepFailure | None = None


class RunFacts(Document):
    """What is known about a run when it is made."""

    scenario: str | None = None
    type: str | None = None
    version: str | None = None
    tags: tuple[str, ...] = ()
    source: Source | None = None
    fidelity: Fidelity | None = None
    request: RunRequest = RunRequest()


class RunRecord(RunFacts):
    """`run.json`: what the run is, and its ledger. The only file in which wall-clock times may stand."""

    run_id: RunId
    window: Window | None = None
    incomplete: str | None = None
    """Why the samples are not all there are; whatever is made from them must say so."""
    ledger: tuple[StepRecord, ...] = ()


class ImportedFile(Stored):
    """A file that was imported, by the name it was given, so that the same import gives the same bytes anywhere."""

    name: Annotated[str, AfterValidator(_relative)]
    size: NonNegativeInt
    sha256: Sha256


class ImportSources(Document):
    """`import/sources.json`: what was imported, and what had to be assumed about it."""

    files: tuple[ImportedFile, ...] = Field(min_length=1)
    format: str
    dialect: dict[str, str] = {}
    rows_read: NonNegativeInt
    rows_rejected: NonNegativeInt
    warnings: tuple[str, ...] = ()
    tool_version: str
