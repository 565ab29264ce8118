"""What makes the numbers of a plan worse, or stops it: each kind said once, with where it is and how often."""

from collections.abc import Iterator
from typing import Final

from perfsuite_jmeter.core.jmx import Located
from perfsuite_jmeter.core.plans.running import Plan, Running, is_sampler
from perfsuite_jmeter.core.plans.targets import inherited, is_http
from perfsuite_jmeter.core.properties import Scope, resolve
from perfsuite_jmeter.models.plan import Finding, Severity, ThreadGroup

_KEEPS_EVERYTHING: Final = frozenset(
    {
        "ViewResultsFullVisualizer", "TableVisualizer", "GraphVisualizer", "StatVisualizer", "StatGraphVisualizer",
        "AssertionVisualizer", "RespTimeGraphVisualizer", "ComparisonVisualizer", "SummaryReport",
    }
)  # fmt: skip
_PACING: Final = ("Timer", "TestAction")
_SHOWN: Final = 60


def advice(plan: Plan, scope: Scope, groups: list[ThreadGroup]) -> Iterator[Finding]:
    """Everything worth saying about a plan that can run."""
    yield from _groups(plan, groups)
    yield from _samplers(plan, scope, groups)
    yield from _listeners(plan, scope)


def _groups(plan: Plan, groups: list[ThreadGroup]) -> Iterator[Finding]:
    if not groups:
        yield _finding("error", "no_thread_group", "No thread group is enabled, so that JMeter would measure nothing.")
    elif not plan.samplers:
        yield _finding("error", "no_sampler", "No enabled thread group has an enabled sampler.")
    for group in groups:
        where = f"{group.name}, line {group.line}"
        if group.ends_by == "never":
            text = f"The thread group {_cut(group.name)} loops for ever and has no duration: only a stop ends it."
            yield Finding(severity="warning", code="endless", message=text, where=where)
        if group.users == 0:
            text = f"The thread group {_cut(group.name)} starts no users."
            yield Finding(severity="warning", code="no_users", message=text, where=where)
        for one in group.unresolved:
            yield Finding(severity="warning", code="unresolved", message=one, where=where)


def _samplers(plan: Plan, scope: Scope, groups: list[ThreadGroup]) -> Iterator[Finding]:
    main = [one for one in plan.samplers if one.group.element.kind not in ("SetupThreadGroup", "PostThreadGroup")]
    kinds = {one.element.kind for one in plan.active}
    bare = [one for one in main if not _has(one, "Assertion") and is_http(one.located.element)]
    if bare:
        text = "No assertion checks the answers of these requests: an error page with status 200 counts as a success."
        yield _about("advice", "no_assertion", text, [one.located for one in bare])
    hasty = [one for one in main if not _paced(one)]
    open_model = all(group.arrivals_per_s is not None for group in groups if group.phase == "main")
    if hasty and not open_model:
        text = "No timer paces these samplers: users ask again at once, and the load follows the speed of the target."
        yield _about("advice", "no_pacing", text, [one.located for one in hasty])
    if any(is_http(one.located.element) for one in main) and "CookieManager" not in kinds and _several(groups):
        text = "There are several users and no HTTP Cookie Manager: sessions kept in cookies do not work."
        yield _finding("advice", "no_cookies", text)
    yield from _requests(main, scope)


def _requests(main: list[Running], scope: Scope) -> Iterator[Finding]:
    http = [one for one in main if is_http(one.located.element)]
    embedded = [one for one in http if inherited(one, "HTTPSampler.image_parser").lower() == "true"]
    if embedded:
        text = (
            "These requests fetch embedded resources: many more requests than samplers, also to hosts that the plan "
            "does not name."
        )
        yield _about("warning", "embedded_resources", text, [one.located for one in embedded])
    patient = [one for one in http if not inherited(one, "HTTPSampler.response_timeout")]
    if patient:
        text = "These requests have no response timeout: a target that hangs holds their users until the end."
        yield _about("advice", "no_timeout", text, [one.located for one in patient])
    local = [one for one in http if resolve(inherited(one, "HTTPSampler.protocol"), scope) == "file"]
    if local:
        yield _about("warning", "local_file", "These requests read local files.", [one.located for one in local])


def _listeners(plan: Plan, scope: Scope) -> Iterator[Finding]:
    collectors = [one for one in plan.active if one.element.kind == "ResultCollector"]
    heavy = [one for one in collectors if one.element.gui in _KEEPS_EVERYTHING]
    if heavy:
        text = "These listeners are for looking at results while a plan is written. Disable them for load."
        yield _about("advice", "heavy_listener", text, heavy)
    writing = [one for one in collectors if one.element.text("filename").strip()]
    if writing:
        names = {str(resolve(one.element.text("filename"), scope)) for one in writing}
        text = (
            f"These listeners write files of their own ({_cut(', '.join(sorted(names)))}), to which a second run "
            "appends. The results of a run are kept without them."
        )
        yield _about("advice", "own_result_file", text, writing)


def _several(groups: list[ThreadGroup]) -> bool:
    return sum(group.users or 0 for group in groups) > 1


def _has(running: Running, ending: str) -> bool:
    return any(one.kind.endswith(ending) or ending in one.kind for one in running.around)


def _paced(running: Running) -> bool:
    # A Flow Control Action among the samplers is how JMeter itself records pauses.
    around = running.around
    if running.located.element.kind == "TestAction":
        return True
    return any(one.kind.endswith(_PACING) or (is_sampler(one) and one.kind == "TestAction") for one in around)


def _finding(severity: Severity, code: str, message: str) -> Finding:
    return Finding(severity=severity, code=code, message=message)


def _about(severity: Severity, code: str, message: str, places: list[Located]) -> Finding:
    distinct = {id(one.element): one for one in places}
    return Finding(severity=severity, code=code, message=message, where=places[0].where, count=len(distinct))


def _cut(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…")
