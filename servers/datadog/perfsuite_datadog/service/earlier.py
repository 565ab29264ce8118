"""What an earlier call got for the same question and window, which one that got less must not replace."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from perfsuite.errors import BadInput
from perfsuite.workflow.ledger import RunningStep
from perfsuite_datadog.models.collection import QueryRecord
from perfsuite_datadog.service.asking import Answered, first_failure
from perfsuite_datadog.service.desk import note_queries, noted_queries

LONGER: Final = "Give `from_time` and `to_time` that lie further apart, such as a few minutes around the load."
KEPT: Final = "What an earlier call got whole for this window was kept; the files hold that."


@dataclass
class Gathered:
    """What a collection of metrics has so far. `keeps` says that files of an earlier call stay."""

    tool: str
    step: RunningStep | None
    answers: list[Answered] = field(default_factory=list)
    records: list[QueryRecord] = field(default_factory=list)
    keeps: bool = False

    def take(self, answers: Sequence[Answered]) -> bool:
        """Take these in, and say whether the files about the same are better as an earlier call left them."""
        records = [record for one in answers for record in one.records]
        earlier = better(self.step, records)
        self.answers += answers
        self.records += earlier or records
        self.keeps |= bool(earlier)
        return bool(earlier)

    def note(self) -> None:
        """Note all queries, and raise what failed where nothing at all came back."""
        note_queries(self.step, self.records)
        if failure := first_failure(self.answers):
            raise failure
        if self.answers and all(one.is_too_short for one in self.answers):
            raise BadInput(f"Nothing can be told: {self.answers[0].note}", next_step=LONGER)


def better(step: RunningStep | None, records: Sequence[QueryRecord]) -> tuple[QueryRecord, ...]:
    """What was noted when the same was asked and all of it came, where these do not have all of it."""
    if step is None or all(one.complete for one in records):
        return ()
    if any(step.folder.file_or_none(one.path) is None for one in step.record.outputs):
        return ()
    whole = {_asked(one): one for one in noted_queries(step.folder) if one.complete}
    found = tuple(whole[_asked(one)] for one in records if _asked(one) in whole)
    return found if len(found) == len(records) and any(one.rows for one in found) else ()


def mark_incomplete(step: RunningStep | None, at: datetime, reason: str, next_step: str) -> None:
    """Have the status of the run say so until a later call gets all of it."""
    if step is not None:
        step.fail(at, f"Not all of it came: {reason}", next_step)


def again(tool: str) -> str:
    """What to do where a part failed."""
    return f"Call `{tool}` again to get all of it."


def _asked(one: QueryRecord) -> tuple[object, ...]:
    whom = one.tool, one.environment, one.part, one.subject
    return *whom, one.query, one.formula, one.window_from, one.window_to
