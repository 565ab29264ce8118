"""The answer about a plan, in as many characters as a model should read."""

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from pydantic_core import to_json

from perfsuite.mcp.answers import LONGEST_ANSWER, fit
from perfsuite.samples.rows import printable
from perfsuite_jmeter.models.plan import Finding, Part, PlanCheck

P = TypeVar("P", bound=Part)

# What each list may take of 10,000 characters, the most important first.
_ROOM: Final[Mapping[str, int]] = {
    "violations": 2_000,
    "findings": 2_200,
    "thread_groups": 1_600,
    "targets": 1_100,
    "missing_classes": 300,
    "data_files": 500,
    "dangers": 600,
}
_SHARES: Final = (1.0, 0.8, 0.6, 0.4)
_ORDER: Final = ("error", "warning", "advice")
_MOST_KINDS: Final = 12
_LONGEST: Final[Mapping[str, int]] = {"message": 600, "change": 300, "where": 160, "used_by": 160, "given_as": 120}
_LONGEST_OTHER: Final = 200
_LONGEST_KIND: Final = 60


def shortened(check: PlanCheck) -> PlanCheck:
    """The same, with the texts on one line each, and only the beginnings of long lists."""
    answers = (_shared(check, share) for share in _SHARES)
    return next((one for one in answers if len(to_json(one)) <= LONGEST_ANSWER), _shared(check, 0))


def _shared(check: PlanCheck, share: float) -> PlanCheck:
    changes: dict[str, Any] = {}
    left_out: dict[str, int] = {}
    for name, room in _ROOM.items():
        items = [_cut(one) for one in _sorted(getattr(check, name))]
        fitted = fit(items, reserve=0, longest=int(room * share))
        changes[name] = fitted.items
        if fitted.has_more:
            left_out[name] = len(items) - len(fitted.items)
    kinds = list(check.elements.items())[:_MOST_KINDS]
    if len(kinds) < len(check.elements):
        left_out["elements"] = len(check.elements) - len(kinds)
    changes["elements"] = {printable(kind, _LONGEST_KIND): count for kind, count in kinds}
    changes["notes"] = [printable(one, _LONGEST_OTHER) for one in check.notes]
    changes["loaded"] = check.loaded and _cut(check.loaded)
    return _cut(check.model_copy(update={**changes, "left_out": left_out}))


def _sorted(items: list[Part]) -> list[Part]:
    """Findings by severity, all else as it is."""
    return sorted(items, key=lambda one: _ORDER.index(one.severity) if isinstance(one, Finding) else 0)


def _cut(part: P) -> P:
    """The part with every text of its own short enough to be shown."""
    texts = {name: value for name, value in part if isinstance(value, str)}
    lists = {name: value for name, value in part if isinstance(value, tuple)}
    update: dict[str, Any] = {name: printable(text, _LONGEST.get(name, _LONGEST_OTHER)) for name, text in texts.items()}
    update |= {name: tuple(printable(one, _LONGEST_OTHER) for one in values[:5]) for name, values in lists.items()}
    return part.model_copy(update=update)
