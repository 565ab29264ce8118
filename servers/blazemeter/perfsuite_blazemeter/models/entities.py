"""What BlazeMeter knows: accounts, workspaces, projects, tests, masters (runs) and their sessions (engines)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BeforeValidator, Field

from perfsuite_blazemeter.models.values import Count, Key, Listed, Moment, Received, Text

T = TypeVar("T")


def _place(value: Any) -> Any:
    """A location is a name, or an object that has one."""
    if isinstance(value, dict):
        return next((value[key] for key in ("id", "locationId", "title", "name") if value.get(key)), None)
    return value


Place = Annotated[Text, BeforeValidator(_place)]
Places = Listed[Place]


@dataclass(frozen=True)
class Page(Generic[T]):
    """A part of a list. BlazeMeter does not always know how many there are in all."""

    items: Sequence[T]
    total: int | None
    has_more: bool


@dataclass(frozen=True)
class Archived:
    """What comes in place of a report that BlazeMeter has put away. That is a state, and no failure."""

    message: str


class Named(Received):
    """What has a number and a name."""

    id: int
    name: Text = None


class Account(Named):
    """Who pays."""


class DefaultProject(Received):
    """Where a user works unless they say otherwise."""

    id: int | None = None
    account_id: int | None = None
    workspace_id: int | None = None


class User(Received):
    """The owner of the key."""

    id: int | None = None
    default_project: DefaultProject | None = None


class Workspace(Named):
    """A team's place in an account."""

    account_id: int | None = None
    enabled: bool | None = None
    locations: Places = ()


class Project(Named):
    """A folder of tests in a workspace."""

    workspace_id: int | None = None
    tests_count: int | None = None


class Configuration(Received):
    """How a test is set up."""

    type: Text = None


class Execution(Received):
    """The load that a test puts on."""

    concurrency: int | None = None
    ramp_up: Text = None
    hold_for: Text = None
    locations: dict[str, Any] | None = None


class LoadTest(Named):
    """A test as it is set up."""

    project_id: int | None = None
    updated: Moment = None
    configuration: Configuration | None = None
    override_executions: Listed[Execution] = ()


class Master(Named):
    """A run. `ended` is None while it goes on; `created` is before its engines have booted."""

    test_id: int | None = None
    project_id: int | None = None
    user_id: int | None = None
    created: Moment = None
    updated: Moment = None
    ended: Moment = None
    max_users: int | None = None
    report_status: Text = None
    dumped: bool | None = None
    note: Text = None
    locations: Places = ()
    public_token: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9_.~-]*$", repr=False)] = None


class PublicLink(Received):
    """What lets anybody read the report."""

    public_token: Annotated[str, Field(min_length=1, pattern=r"^[A-Za-z0-9_.~-]+$", repr=False)]


class Session(Received):
    """One engine of a run."""

    id: Key
    name: Text = None
    test_id: int | None = None
    status: Text = None
    location_id: Text = None


class SessionError(Received):
    """What went wrong with an engine."""

    code: int | None = None
    message: Text = None


class FullSession(Received):
    """An engine, with what went wrong."""

    id: Text = None
    errors: Listed[SessionError] = ()


class MasterFull(Received):
    """What only the long form of a master says."""

    note: Text = None
    has_thresholds: bool | None = None
    sessions: Listed[FullSession] = ()


class Shares(Received):
    """Which part of the engines is in which phase, in percent."""

    pending: float | None = None
    booting: float | None = None
    downloading: float | None = None
    ready: float | None = None
    ended: float | None = None


class MasterStatus(Received):
    """Where a run stands. BlazeMeter leaves `progress` out at first."""

    id: int | None = None
    progress: Count | None = None
    status: Text = None
    statuses: Shares | None = None
    execution_step: Text = None
    sessions: Listed[Session] = ()


Kind = Literal["account", "workspace", "project", "test"]
