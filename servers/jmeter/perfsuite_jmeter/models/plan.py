"""What is said about a test plan."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Severity = Literal["error", "warning", "advice"]
Phase = Literal["setUp", "main", "tearDown"]
EndsBy = Literal["duration", "loops", "never", "unknown"]
Role = Literal["load", "proxy", "metrics", "database", "mail", "dns", "generator"]
Rule = Literal[
    "allowed_hosts", "max_threads", "max_duration_minutes", "max_requests_per_second", "forbidden_elements"
]  # fmt: skip


class Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Finding(Part):
    """Something that stops the plan, endangers it, or makes its numbers worse."""

    severity: Severity
    code: str
    message: str
    where: str | None = Field(None, description="the element that stands for all, and its line")
    count: int = Field(1, description="elements of which it is true")


class ThreadGroup(Part):
    """One enabled thread group, as the given properties resolve it."""

    name: str
    kind: str
    line: int
    phase: Phase
    users: int | None = Field(None, description="most at the same time; null: not limited, or not known")
    ramp_s: float | None = None
    delay_s: float = 0
    duration_s: float | None = Field(None, description="with its delay; null: not limited by time, or not known")
    loops: int | None = Field(None, description="-1: for ever; null: does not apply, or not known")
    arrivals_per_s: float | None = Field(None, description="peak of an open model")
    requests_per_s: float | None = Field(None, description="what timers or arrivals limit it to; null: not limited")
    ends_by: EndsBy
    unresolved: tuple[str, ...] = Field((), description="what only the running test knows")


class Target(Part):
    """A host that the plan reaches."""

    host: str | None = Field(None, description="null: known only while the test runs")
    given_as: str = Field(description="what stands in the plan")
    role: Role
    reason: str | None = Field(None, description="why the host is not known")
    allowed: bool | None = Field(None, description="by guardrails.yaml, or because it is this machine")
    where: str = Field(description="the first element that reaches it")
    elements: int = 1


class DataFile(Part):
    """A file that the plan reads."""

    path: str
    found: bool | None = Field(None, description="null: its name is known only while the test runs")
    used_by: str


class MissingClass(Part):
    class_name: str
    plugin: str | None = Field(None, description="as the Plugins Manager calls it")


class Danger(Part):
    """What runs code or commands, or writes files, on the machine that makes the load."""

    kind: str
    where: str
    fingerprint: str = Field(description="what allowed_elements in guardrails.yaml takes")
    forbidden: bool | None = None


class Violation(Part):
    """A guard rail that does not let the plan run."""

    rule: Rule
    message: str
    change: str = Field(description="where to change it")


class Loading(Part):
    """What the real JMeter said to the plan."""

    ok: bool
    seconds: float
    lines: tuple[str, ...] = ()


class PlanCheck(Part):
    """What validate_test_plan answers."""

    plan: str
    valid: bool = Field(description="JMeter takes it, and nothing that it needs is missing")
    allowed: bool = Field(description="the guard rails let it run")
    asks_first: bool = Field(description="starting it asks the user")
    rules_from: str
    saved_by: str = Field(description="the version of JMeter that saved it")
    thread_groups: list[ThreadGroup]
    users: int | None = Field(description="most at the same time over all generators; null: not limited or not known")
    duration_s: float | None = Field(description="null: not limited by time, or not known")
    targets: list[Target]
    data_files: list[DataFile]
    missing_classes: list[MissingClass]
    install_command: str | None = None
    dangers: list[Danger]
    violations: list[Violation]
    findings: list[Finding]
    elements: dict[str, int] = Field(description="enabled elements by class")
    disabled_elements: int
    loaded: Loading | None = Field(None, description="null: no JMeter was asked")
    notes: list[str]
    left_out: dict[str, int] = Field({}, description="entries not shown here, by list")


class CheckedPlan(Part):
    """A plan that may be started, and what starting it has to know."""

    plan: str
    sha256: str
    users: int | None
    duration_s: float | None = Field(description="what is planned; null: until its loops are done")
    duration_limit_s: float | None = Field(description="when the supervisor ends it")
    hosts: tuple[str, ...]
    ask: str | None = Field(description="what to ask the user; null: nothing has to be asked")
    notes: tuple[str, ...] = ()
