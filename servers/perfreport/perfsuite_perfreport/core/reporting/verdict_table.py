"""The one table of verdicts: what the words of the analyses mean for whoever decides.

A limit that is broken and a regression beyond the noise floor answer the same question, so both are a FAIL, whatever
their size: how far beyond is what severities tell.
"""

from collections.abc import Iterable
from typing import Final, Literal

from perfsuite.artifacts.comparisons import ChangeVerdict
from perfsuite_perfreport.models.report import Verdict

OF_LIMITS: Final[dict[Literal["fail", "warn", "pass", "not_evaluated"], Verdict]] = {
    "fail": "FAIL", "warn": "PASS WITH WARNINGS", "pass": "PASS", "not_evaluated": "INCONCLUSIVE",
}  # fmt: skip
OF_CHANGES: Final[dict[ChangeVerdict, Verdict]] = {
    "regression": "FAIL", "improvement": "PASS", "within_noise": "PASS", "inconclusive": "INCONCLUSIVE",
    "insufficient_data": "INCONCLUSIVE", "incomparable": "INCONCLUSIVE",
}  # fmt: skip
WORDS: Final[dict[ChangeVerdict, str]] = {
    "regression": "REGRESSION", "improvement": "IMPROVEMENT", "within_noise": "WITHIN NOISE",
    "inconclusive": "INCONCLUSIVE", "insufficient_data": "TOO FEW SAMPLES", "incomparable": "NOT COMPARABLE",
}  # fmt: skip
"""How the verdicts of changes read."""
_WORST_FIRST: Final[tuple[Verdict, ...]] = ("FAIL", "INCONCLUSIVE", "PASS WITH WARNINGS", "PASS")


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict on the whole. Of nothing, nothing can be told."""
    return min(verdicts, key=_WORST_FIRST.index, default="INCONCLUSIVE")
