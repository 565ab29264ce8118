"""Judging a test plan: what it does, whether JMeter takes it, and whether the guard rails let it run."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Final, Protocol

from perfsuite.configuration import Loaded, configuration_folders, load_configuration
from perfsuite.errors import BadFile, PerfsuiteError, Refused
from perfsuite_jmeter.client import plan_files
from perfsuite_jmeter.core.guardrails import (
    FILE,
    GuardRails,
    asks_first,
    judged_dangers,
    judged_targets,
    violations,
)
from perfsuite_jmeter.core.jmx import LARGEST_PLAN, Tree, read_plan
from perfsuite_jmeter.core.plans.classes import install_command
from perfsuite_jmeter.core.plans.dangers import loading_properties, property_fingerprint
from perfsuite_jmeter.core.plans.expansion import included_paths
from perfsuite_jmeter.core.property_files import read_properties
from perfsuite_jmeter.core.validation import Facts, Surroundings, examine, wanted_files
from perfsuite_jmeter.models.engine import Engine
from perfsuite_jmeter.models.plan import CheckedPlan, Danger, DataFile, Finding, Loading, PlanCheck, Target, Violation
from perfsuite_jmeter.models.runs import PlannedLoad
from perfsuite_jmeter.service.plan_answers import shortened

_MOST_INCLUDED: Final = 100
_MOST_SAID: Final = 8
_HEADER: Final = re.compile(r"[,;\t|]")
_VALIDATE: Final = "Call `validate_test_plan` for everything that is known of the plan."


class Verdict(Protocol):
    """What the real JMeter said to a plan."""

    @property
    def ok(self) -> bool: ...
    @property
    def seconds(self) -> float: ...
    @property
    def lines(self) -> tuple[str, ...]: ...


Load = Callable[[Path, Mapping[str, str]], Verdict]


@dataclass(frozen=True)
class Question:
    """A plan, and how it shall run. The values of `withheld` properties are secrets that nobody looks at."""

    plan: Path
    properties: Mapping[str, str]
    remote_hosts: Sequence[str] = ()
    withheld: Collection[str] = ()


@dataclass(frozen=True)
class Judged:
    """A plan with everything that was found out."""

    path: Path
    content: bytes
    facts: Facts
    targets: list[Target]
    dangers: list[Danger]
    violations: list[Violation]
    data_files: list[DataFile]

    @property
    def errors(self) -> list[Finding]:
        return [one for one in self.facts.findings if one.severity == "error"]


def find_rules(config_dir: Path | None, environ: Mapping[str, str], project: Path) -> Loaded[GuardRails]:
    """guardrails.yaml, or the defaults: only this machine, and no code in plans."""
    return load_configuration(GuardRails, FILE, configuration_folders(config_dir, environ, project))


def validate_test_plan(
    question: Question, rules: Loaded[GuardRails], engine: Engine | None = None, load: Load | None = None
) -> PlanCheck:
    """Everything about a plan, and what the real JMeter says to it."""
    judged = judge(question, rules, engine)
    generators = max(1, len(question.remote_hosts))
    work = judged.facts.work(generators)
    loaded = _loaded(load, judged, question) if load else None
    facts = judged.facts
    missing_files = [one for one in judged.data_files if one.found is False]
    answer = PlanCheck(
        plan=str(judged.path),
        valid=not (judged.errors or facts.missing or missing_files) and (loaded is None or loaded.ok),
        allowed=not judged.violations,
        asks_first=asks_first(rules.value, judged.targets, question.remote_hosts),
        rules_from=_source(rules),
        saved_by=facts.tree.saved_by,
        thread_groups=facts.groups,
        users=work.users,
        duration_s=work.duration_s,
        targets=judged.targets,
        data_files=judged.data_files,
        missing_classes=facts.missing,
        install_command=_install(facts, judged.path),
        dangers=judged.dangers,
        violations=judged.violations,
        findings=facts.findings,
        elements=facts.elements,
        disabled_elements=facts.disabled,
        loaded=loaded,
        notes=list(_notes(judged, rules, engine)),
    )
    return shortened(answer)


def checked_plan(question: Question, rules: Loaded[GuardRails], engine: Engine | None = None) -> CheckedPlan:
    """A plan that may run, or an error that names everything against it."""
    judged = judge(question, rules, engine)
    _refuse_invalid(judged)
    _refuse_forbidden(judged)
    work = judged.facts.work(max(1, len(question.remote_hosts)))
    return CheckedPlan(
        plan=str(judged.path),
        sha256=sha256(judged.content).hexdigest(),
        users=work.users,
        duration_s=work.duration_s,
        duration_limit_s=rules.value.duration_limit_s,
        hosts=tuple(sorted({one.host for one in judged.targets if one.host is not None})),
        ask=_ask(judged, rules.value, question, work.users, work.duration_s),
        notes=tuple(_notes(judged, rules, engine)),
    )


@dataclass(frozen=True)
class PlanChecker:
    """What a start asks of a plan."""

    rules: Loaded[GuardRails]
    engine: Engine
    load: Load
    withheld: Collection[str] = ()

    def validate(self, plan: Path, properties: Mapping[str, str], remote_hosts: Sequence[str]) -> PlannedLoad:
        """Say what the plan will do, or why JMeter would not take it."""
        question = Question(plan, properties, remote_hosts, self.withheld)
        judged = judge(question, self.rules, self.engine)
        _refuse_invalid(judged)
        # What is forbidden is not even loaded.
        if not judged.violations:
            _refuse_unloadable(_loaded(self.load, judged, question), judged.path)
        work = judged.facts.work(max(1, len(remote_hosts)))
        return PlannedLoad(users=work.users, duration_s=work.duration_s)

    def guard(
        self, plan: Path, properties: Mapping[str, str], remote_hosts: Sequence[str], load: PlannedLoad
    ) -> float | None:
        """Refuse what the rules do not let pass; else say after how many seconds the test must be ended."""
        question = Question(plan, properties, remote_hosts, self.withheld)
        return checked_plan(question, self.rules, self.engine).duration_limit_s


def judge(question: Question, rules: Loaded[GuardRails], engine: Engine | None) -> Judged:
    """Read a plan and everything around it."""
    path = question.plan.expanduser().absolute()
    content = plan_files.plan_bytes(path, LARGEST_PLAN)
    facts = examine(*_surrounded(path, content, question, engine))
    targets = judged_targets([*facts.targets, *_generators(question.remote_hosts)], rules.value)
    dangers = judged_dangers([*_dangers(facts), *_loading(path, question)], rules.value)
    work = facts.work(max(1, len(question.remote_hosts)))
    return Judged(
        path=path,
        content=content,
        facts=facts,
        targets=targets,
        dangers=dangers,
        violations=[
            *violations(rules.value, work, targets, dangers, rules.where),
            *_unjudgeable(facts, rules),
        ],
        data_files=_data_files(path, facts),
    )


def _surrounded(path: Path, content: bytes, question: Question, engine: Engine | None) -> tuple[Tree, Surroundings]:
    tree = read_plan(content)
    properties = {**_engine_properties(engine), **question.properties}
    around = Surroundings(
        properties=properties,
        withheld=frozenset(question.withheld),
        included=_included(path, tree, properties),
        classes=plan_files.installed_classes(engine.home) if engine else None,
    )
    wanted = wanted_files(tree, around)
    headers = {name: plan_files.first_line(plan_files.beside(path, file)) for name, file in wanted.headers.items()}
    scripts = {name: plan_files.file_hash(plan_files.beside(path, name)) for name in wanted.scripts}
    around = replace(
        around,
        headers={name: _names(line) for name, line in headers.items() if line is not None},
        scripts={name: found for name, found in scripts.items() if found is not None},
    )
    return tree, around


def _names(line: str) -> tuple[str, ...]:
    """The variables that a first line may name, whatever separates them."""
    return tuple(name.strip().strip("\"'") for name in _HEADER.split(line) if name.strip())


def _engine_properties(engine: Engine | None) -> dict[str, str]:
    found: dict[str, str] = {}
    for content in plan_files.property_files(engine.home) if engine else ():
        found |= read_properties(content)
    return found


def _included(path: Path, tree: Tree, properties: Mapping[str, str]) -> dict[str, Tree]:
    """The plans that can be read of those that a plan includes, directly or not."""
    found: dict[str, Tree] = {}
    waiting = included_paths(tree, properties)
    while waiting and len(found) < _MOST_INCLUDED:
        name = waiting.pop()
        if name in found or not plan_files.is_there(plan_files.beside(path, name)):
            continue
        inner = _included_plan(path, name)
        found[name] = inner
        waiting += included_paths(inner, properties)
    return found


def _included_plan(path: Path, name: str) -> Tree:
    try:
        return read_plan(plan_files.plan_bytes(plan_files.beside(path, name), LARGEST_PLAN), file=name)
    except PerfsuiteError as error:
        raise BadFile(f"The included plan {name!r}: {error.message}", next_step=error.next_step) from None


def _generators(remote_hosts: Sequence[str]) -> Iterator[Target]:
    for one in remote_hosts:
        yield Target(host=one.rpartition(":")[0] or one, given_as=one, role="generator", where="remote_hosts")


def _dangers(facts: Facts) -> Iterator[Danger]:
    for one in facts.dangers:
        yield Danger(kind=one.kind, where=one.located.where, fingerprint=one.fingerprint)


def _loading(path: Path, question: Question) -> Iterator[Danger]:
    """Properties that make JMeter itself run something before the plan does."""
    for name in loading_properties([*question.properties, *question.withheld]):
        value = question.properties.get(name, "")
        content = plan_files.file_hash(plan_files.beside(path, value)) or "missing"
        fingerprint = property_fingerprint(name, value, content)
        yield Danger(kind="JSR223Property", where=f"the property {name!r}", fingerprint=fingerprint)


def _unjudgeable(facts: Facts, rules: Loaded[GuardRails]) -> Iterator[Violation]:
    """What a plan borrows and cannot be read may do anything."""
    for one in facts.broken:
        yield Violation(
            rule="allowed_hosts",
            message=f"The {one.located.element.kind} at {one.located.where} {one.message}: what it runs is not known.",
            change=f"Correct or disable the controller; {rules.where('allowed_hosts')} cannot allow it.",
        )


def _data_files(plan: Path, facts: Facts) -> list[DataFile]:
    return [
        DataFile(
            path=one.path if one.path is not None else one.given_as,
            found=None if one.path is None else plan_files.is_there(plan_files.beside(plan, one.path)),
            used_by=one.located.where,
        )
        for one in facts.files
    ]


def _loaded(load: Load, judged: Judged, question: Question) -> Loading:
    verdict = load(judged.path, question.properties)
    return Loading(ok=verdict.ok, seconds=round(verdict.seconds, 1), lines=tuple(verdict.lines[:_MOST_SAID]))


def _install(facts: Facts, plan: Path) -> str | None:
    if not facts.missing:
        return None
    known = install_command(one.class_name for one in facts.missing)
    return (
        known if known and all(one.plugin for one in facts.missing) else f"PluginsManagerCMD.sh install-for-jmx {plan}"
    )


def _source(rules: Loaded[GuardRails]) -> str:
    if rules.path is not None:
        return str(rules.path)
    return f"defaults: there is no {FILE} in {', '.join(str(path.parent) for path in rules.searched)}"


def _notes(judged: Judged, rules: Loaded[GuardRails], engine: Engine | None) -> Iterator[str]:
    yield from judged.facts.tree.notes
    if rules.path is None:
        yield f"Without a {FILE} only this machine may be loaded, no code may run, and starting asks the user."
    if engine is None:
        yield "No JMeter was looked at: classes that are not JMeter's own count as missing."
    if any(one.ends_by == "loops" for one in judged.facts.groups):
        yield "Thread groups that end with their loops take as long as their samplers do."
    if any(one.role == "load" for one in judged.targets):
        yield "Redirects are followed to wherever the target sends them: no plan names those hosts."


def _refuse_invalid(judged: Judged) -> None:
    missing = [f"{one.path!r} ({one.used_by})" for one in judged.data_files if one.found is False]
    classes = [one.class_name for one in judged.facts.missing]
    said = [one.message for one in judged.errors]
    said += [f"These data files are missing: {', '.join(missing[:_MOST_SAID])}."] if missing else []
    said += [f"JMeter lacks these classes: {', '.join(classes[:_MOST_SAID])}."] if classes else []
    if said:
        command = _install(judged.facts, judged.path)
        raise BadFile(
            f"The plan {judged.path.name!r} cannot run. {' '.join(said[:_MOST_SAID])}",
            next_step=f"Run `{command}`, then try again." if command else f"Correct the plan. {_VALIDATE}",
        )


def _refuse_unloadable(loaded: Loading, path: Path) -> None:
    if not loaded.ok:
        raise BadFile(f"JMeter does not take the plan {path.name!r}: {' '.join(loaded.lines)}", next_step=_VALIDATE)


def _refuse_forbidden(judged: Judged) -> None:
    if not judged.violations:
        return
    shown = judged.violations[:_MOST_SAID]
    more = len(judged.violations) - len(shown)
    raise Refused(
        f"The guard rails do not let the plan {judged.path.name!r} run: "
        + " ".join(f"[{one.rule}] {one.message}" for one in shown)
        + (f" And {more} more." if more else ""),
        next_step=" ".join(dict.fromkeys(one.change for one in shown)),
    )


def _ask(
    judged: Judged, rules: GuardRails, question: Question, users: int | None, duration_s: float | None
) -> str | None:
    if not asks_first(rules, judged.targets, question.remote_hosts):
        return None
    hosts = sorted({one.host or one.given_as for one in judged.targets})
    named = ", ".join(hosts[:_MOST_SAID]) + (f" and {len(hosts) - _MOST_SAID} more" if len(hosts) > _MOST_SAID else "")
    lasting = "until its loops are done" if duration_s is None else f"for {duration_s:g} s"
    many = "an unknown number of" if users is None else str(users)
    return f"Start the load test {judged.path.name!r} with {many} users {lasting} against {named or 'no host'}?"
