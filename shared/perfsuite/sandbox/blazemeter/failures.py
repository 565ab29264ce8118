"""The errors report: everything that is in it twice, is in it twice."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from perfsuite.sandbox.blazemeter.recording import Failure

_MOST: Final = 20
"""So many different errors of a label are listed; the others are samplesNotCounted. The real number is not known."""


def failure_rows(failures: Sequence[Failure], *, is_inconsistent: bool) -> list[dict[str, Any]]:
    """A row ALL, one for each label that failed, and one that is no label."""
    names = list(dict.fromkeys(failure.label for failure in failures if failure.label is not None))
    rows = [_row("ALL", [failure for failure in failures if failure.label is None])]
    rows += [_row(name, [failure for failure in failures if failure.label == name]) for name in names]
    leftover = _row("err_inconsistency", [])
    leftover["otherErrorsCount"] = 3 if is_inconsistent else 0
    return [*rows, leftover]


def _row(name: str, failures: Sequence[Failure]) -> dict[str, Any]:
    errors: Counter[tuple[str, str]] = Counter()
    assertions: Counter[str] = Counter()
    urls: Counter[str] = Counter()
    for failure in failures:
        errors[failure.code, failure.message] += failure.count
        if failure.assertion:
            assertions[failure.assertion] += failure.count
        if failure.url:
            urls[failure.url] += failure.count
    listed = errors.most_common(_MOST)
    return {
        "_id": name,
        "labelId": name,
        "name": name,
        "errors": [{"rc": code, "m": message, "count": count} for (code, message), count in listed],
        "assertions": [
            {"name": "All Assertions", "failureMessage": message, "failures": count}
            for message, count in assertions.most_common(_MOST)
        ],
        "urls": [{"url": url, "count": count} for url, count in urls.most_common(_MOST)],
        "failedEmbeddedResources": [],
        "samplesNotCounted": sum(errors.values()) - sum(count for _, count in listed),
        "assertionsNotCounted": sum(assertions.values()) - sum(n for _, n in assertions.most_common(_MOST)),
        "otherErrorsCount": 0,
    }
