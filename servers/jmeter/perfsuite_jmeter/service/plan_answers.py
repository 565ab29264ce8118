"""The answer about a plan, in as many characters as a model should read."""

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from perfsuite.mcp.answers import fit
from perfsuite.samples.rows import printable
from perfsuite_jmeter.models.plan import Part, PlanCheck

P = TypeVar("P", bound=Part)

# What each list may take of 10,000 characters, the most important first.
_ROOM: Final[Mapping[str, int]] = {
    "violations": 2_200,
    "findings": 1_500,
    "thread_groups": 1_600,
    "targets": 1_100,
    "missing_classes": 300,
    "data_files": 500,
    "dangers": 700,
}
_MOST_KINDS: Final = 12
_LONGEST: Final[Mapping[str, int]] = {"message": 600, "change": 300, "where": 160, "used_by": 160, "given_as": 120}
_LONGEST_OTHER: Final = 200


def shortened(check: PlanCheck) -> PlanCheck:
    """The same, with the texts on one line each, and only the beginnings of long lists."""
    changes: dict[str, Any] = {}
    left_out: dict[str, int] = {}
    for name, room in _ROOM.items():
        items = [_cut(one) for one in getattr(check, name)]
        fitted = fit(items, reserve=0, longest=room)
        changes[name] = fitted.items
        if fitted.has_more:
            left_out[name] = len(items) - len(fitted.items)
    if len(check.elements) > _MOST_KINDS:
        left_out["elements"] = len(check.elements) - _MOST_KINDS
    kinds = list(check.elements.items())[:_MOST_KINDS]
    changes["elements"] = {printable(kind, _LONGEST_OTHER // 4): count for kind, count in kinds}
    changes["loaded"] = check.loaded and _cut(check.loaded)
    changes["left_out"] = left_out
    return _cut(check.model_copy(update=changes))


def _cut(part: P) -> P:
    """The part with every text of its own short enough to be shown."""
    texts = {name: value for name, value in part if isinstance(value, str)}
    lists = {name: value for name, value in part if isinstance(value, tuple)}
    update: dict[str, Any] = {name: printable(text, _LONGEST.get(name, _LONGEST_OTHER)) for name, text in texts.items()}
    update |= {name: tuple(printable(one, _LONGEST_OTHER) for one in values[:5]) for name, values in lists.items()}
    return part.model_copy(update=update)
