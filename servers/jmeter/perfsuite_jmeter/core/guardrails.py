"""guardrails.yaml: what a load test may do, and what a plan does that it may not."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints, field_validator

from perfsuite.configuration import Configuration
from perfsuite_jmeter.core.plans.addresses import ANYTHING, canonical_pattern, is_allowed, is_loopback
from perfsuite_jmeter.core.plans.dangers import FORBIDDEN_BY_DEFAULT, is_forbidden
from perfsuite_jmeter.models.plan import Danger, EndsBy, Phase, Rule, Target, ThreadGroup, Violation

FILE: Final = "guardrails.yaml"

_SHOWN: Final = 80
_PHASES: Final[tuple[Phase, ...]] = ("setUp", "main", "tearDown")
_UNLIMITED: Final[frozenset[EndsBy]] = frozenset({"never", "unknown"})
Fingerprint = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class GuardRails(Configuration):
    """The rules; a file that leaves one out has its default."""

    allowed_hosts: tuple[str, ...] = Field((), max_length=1_000)
    max_threads: int | None = Field(None, ge=0, strict=True)
    max_duration_minutes: float | None = Field(None, gt=0, allow_inf_nan=False)
    max_requests_per_second: float | None = Field(None, gt=0, allow_inf_nan=False)
    forbidden_elements: tuple[str, ...] = Field(FORBIDDEN_BY_DEFAULT, max_length=1_000)
    allowed_elements: tuple[Fingerprint, ...] = Field((), max_length=10_000)
    require_confirmation: Literal["always", "remote", "never"] = "always"

    @field_validator("allowed_hosts")
    @classmethod
    def _hosts_can_be_compared(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(canonical_pattern, hosts))

    @property
    def duration_limit_s(self) -> float | None:
        return None if self.max_duration_minutes is None else self.max_duration_minutes * 60


@dataclass(frozen=True)
class Work:
    """What a plan would do, over all generators."""

    groups: Sequence[ThreadGroup]
    serialized: bool
    generators: int

    @property
    def users(self) -> int | None:
        """Most at the same time; None where nothing limits them, or it is not known."""
        peaks = [self._together([group.users for group in part]) for part in self._parts()]
        known = [one for one in peaks if one is not None]
        return int(max(known, default=0)) * self.generators if len(known) == len(peaks) else None

    @property
    def requests_per_s(self) -> float | None:
        peaks = [self._together([group.requests_per_s for group in part]) for part in self._parts()]
        known = [one for one in peaks if one is not None]
        return max(known, default=0.0) * self.generators if len(known) == len(peaks) else None

    @property
    def duration_s(self) -> float | None:
        """None where a group is not limited by time."""
        total = 0.0
        for part in self._parts():
            lasting = [group.duration_s for group in part if group.users != 0]
            known = [one for one in lasting if one is not None]
            if len(known) < len(lasting):
                return None
            total += sum(known) if self.serialized else max(known, default=0.0)
        return total

    def _parts(self) -> Iterator[list[ThreadGroup]]:
        """JMeter runs the groups of a phase at the same time, and the phases one after the other."""
        return ([group for group in self.groups if group.phase == phase] for phase in _PHASES)

    def _together(self, values: Sequence[float | None]) -> float | None:
        known = [one for one in values if one is not None]
        if len(known) < len(values):
            return None
        return max(known, default=0) if self.serialized else sum(known)


def judged_targets(targets: Iterable[Target], rules: GuardRails) -> list[Target]:
    """Each host, with whether the rules allow it. One that is not known is not allowed, unless everything is."""
    return [one.model_copy(update={"allowed": _host_allowed(one.host, rules)}) for one in targets]


def _host_allowed(host: str | None, rules: GuardRails) -> bool:
    if ANYTHING in rules.allowed_hosts:
        return True
    return host is not None and is_allowed(host, rules.allowed_hosts)


def judged_dangers(dangers: Iterable[Danger], rules: GuardRails) -> list[Danger]:
    """Each danger, with whether the rules forbid it."""
    return [
        one.model_copy(
            update={
                "forbidden": is_forbidden(one.kind, rules.forbidden_elements)
                and one.fingerprint not in rules.allowed_elements
            }
        )
        for one in dangers
    ]


def violations(
    rules: GuardRails,
    work: Work,
    targets: Sequence[Target],
    dangers: Sequence[Danger],
    where: Callable[[str], str],
) -> list[Violation]:
    """Everything that the rules do not let pass. `where` says where a key of the rules is changed."""
    return [
        *_hosts(targets, where),
        *_forbidden(dangers, where),
        *_threads(rules, work, where),
        *_duration(rules, work, where),
        *_rate(rules, work, where),
    ]


def _hosts(targets: Sequence[Target], where: Callable[[str], str]) -> Iterator[Violation]:
    for one in targets:
        if one.allowed:
            continue
        if one.host is None:
            message = (
                f"What {_cut(one.given_as)} reaches cannot be told before the test runs, and so counts as not allowed: "
                f"{one.reason or 'nothing says it'}. It stands at {one.where}."
            )
            change = (
                "Pass the properties that settle it, write the host into the plan, or allow '*', which is any host, as "
                f"{where('allowed_hosts')}."
            )
        else:
            message = f"The host {_cut(one.host)} is not allowed ({_role(one)}), at {one.where}."
            change = f"Add it to {where('allowed_hosts')}, or pass properties that name another host."
        yield _violation("allowed_hosts", message, change)


def _role(target: Target) -> str:
    elements = "1 element" if target.elements == 1 else f"{target.elements} elements"
    written = "" if target.given_as == target.host else f", written as {_cut(target.given_as)}"
    return f"{target.role}, {elements}{written}"


def _forbidden(dangers: Sequence[Danger], where: Callable[[str], str]) -> Iterator[Violation]:
    for one in dangers:
        if one.forbidden:
            yield _violation(
                "forbidden_elements",
                f"{one.kind!r} is forbidden, at {one.where}: it can run code or commands, or write files, here.",
                f"Take it out; or, once a person has read what it does, add {one.fingerprint!r} to "
                f"{where('allowed_elements')}.",
            )


def _threads(rules: GuardRails, work: Work, where: Callable[[str], str]) -> Iterator[Violation]:
    if rules.max_threads is None or (work.users is not None and work.users <= rules.max_threads):
        return
    unknown = [group for group in work.groups if group.users is None]
    found = "users at the same time without a known limit" if unknown else f"{work.users} users at the same time"
    open_model = [group for group in work.groups if group.arrivals_per_s is not None]
    note = " An open model starts a user for each arrival, and they add up if the target hangs." if open_model else ""
    named = _listed(unknown or work.groups, lambda group: "unknown" if group.users is None else str(group.users))
    yield _violation(
        "max_threads",
        f"At most {rules.max_threads} users are allowed; the plan has {found}{_times(work)}: {named}.{note}",
        f"Pass properties that lower the users of these thread groups, or raise {where('max_threads')}.",
    )


def _times(work: Work) -> str:
    return f" on {work.generators} generators" if work.generators > 1 else ""


def _duration(rules: GuardRails, work: Work, where: Callable[[str], str]) -> Iterator[Violation]:
    limit = rules.duration_limit_s
    if limit is None:
        return
    change = f"Pass properties that shorten it, or raise {where('max_duration_minutes')}."
    endless = [group for group in work.groups if group.ends_by in _UNLIMITED and group.users != 0]
    if endless:
        yield _violation(
            "max_duration_minutes",
            f"At most {rules.max_duration_minutes:g} minutes are allowed; these thread groups have no known end: "
            f"{_listed(endless, lambda group: group.ends_by)}.",
            f"Give them a duration (scheduler and duration of the thread group). {change}",
        )
    elif work.duration_s is not None and work.duration_s > limit:
        yield _violation(
            "max_duration_minutes",
            f"At most {rules.max_duration_minutes:g} minutes are allowed; the plan takes {work.duration_s / 60:g}: "
            f"{_listed(work.groups, lambda group: f'{group.duration_s or 0:g} s')}.",
            change,
        )
    else:
        yield from _long_groups(rules, work, limit, change)


def _long_groups(rules: GuardRails, work: Work, limit: float, change: str) -> Iterator[Violation]:
    """Beside groups that end with their loops, one may be too long by itself."""
    long = [group for group in work.groups if (group.duration_s or 0) > limit and group.users != 0]
    if long:
        yield _violation(
            "max_duration_minutes",
            f"At most {rules.max_duration_minutes:g} minutes are allowed; longer are "
            f"{_listed(long, lambda group: f'{group.duration_s or 0:g} s')}.",
            change,
        )


def _rate(rules: GuardRails, work: Work, where: Callable[[str], str]) -> Iterator[Violation]:
    most = rules.max_requests_per_second
    if most is None or (work.requests_per_s is not None and work.requests_per_s <= most):
        return
    free = [group for group in work.groups if group.requests_per_s is None]
    found = "is not limited" if free else f"may reach {work.requests_per_s:g}{_times(work)}"
    named = _listed(free or work.groups, lambda group: "no limit" if free else f"{group.requests_per_s or 0:g}/s")
    yield _violation(
        "max_requests_per_second",
        f"At most {most:g} requests a second are allowed; the rate of the plan {found}: {named}.",
        "Put a timer with a constant delay, a Constant Throughput Timer or a Throughput Shaping Timer over all "
        f"samplers of these thread groups, or raise {where('max_requests_per_second')}.",
    )


def _listed(groups: Sequence[ThreadGroup], about: Callable[[ThreadGroup], str]) -> str:
    shown = [f"{_cut(group.name)} (line {group.line}): {about(group)}" for group in groups[:5]]
    return ", ".join(shown) + (f" and {len(groups) - 5} more" if len(groups) > 5 else "")


def _violation(rule: Rule, message: str, change: str) -> Violation:
    return Violation(rule=rule, message=message, change=change)


def asks_first(rules: GuardRails, targets: Iterable[Target], generators: Sequence[str]) -> bool:
    """Whether starting asks the user: `remote` means that something else than this machine is reached."""
    if rules.require_confirmation != "remote":
        return rules.require_confirmation == "always"
    return bool(generators) or any(one.host is None or not is_loopback(one.host) for one in targets)


def _cut(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…")
