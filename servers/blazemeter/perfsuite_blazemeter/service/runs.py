"""The runs of a test, a project, a workspace or a whole account."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from perfsuite.errors import BadInput
from perfsuite_blazemeter.client.api import BlazeMeter, Scope
from perfsuite_blazemeter.core.phases import phase_by_dates
from perfsuite_blazemeter.core.times import moment_of, stamp
from perfsuite_blazemeter.models.answers import RunList, RunRow
from perfsuite_blazemeter.models.entities import Master, Page
from perfsuite_blazemeter.service import finding
from perfsuite_blazemeter.service.listing import listed

# BlazeMeter counts whole seconds.
_SLACK: Final = timedelta(seconds=1)


@dataclass(frozen=True)
class RunQuestion:
    """Whose runs are asked for, and of when."""

    test: str | None = None
    project: str | None = None
    workspace: str | None = None
    account: str | None = None
    start_time: str | None = None
    end_time: str | None = None
    start: int = 0
    limit: int = 20


@dataclass(frozen=True)
class _Window:
    start: datetime | None
    end: datetime | None

    @classmethod
    def of(cls, question: RunQuestion, now: datetime) -> "_Window":
        start, end = (moment_of(text, now) if text else None for text in (question.start_time, question.end_time))
        if start and end and end < start:
            raise BadInput(
                f"The window ends at {stamp(end)}, before it begins at {stamp(start)}.",
                next_step="Exchange the two, or check their zones.",
            )
        return cls(start, end)

    def __str__(self) -> str:
        return f"{stamp(self.start) or 'the beginning'} to {stamp(self.end) or 'now'}"

    def holds(self, run: Master) -> bool:
        """Whether any part of the run lies in it."""
        ended_before = self.start and run.ended and run.ended < self.start - _SLACK
        began_after = self.end and run.created and run.created > self.end + _SLACK
        return not ended_before and not began_after


async def list_runs(blazemeter: BlazeMeter, question: RunQuestion, now: datetime) -> RunList:
    """The runs of the scope and the window, the newest first."""
    window = _Window.of(question, now)
    scope, where = await _scope(blazemeter, question)
    page = await blazemeter.masters(
        scope, start=window.start, end=window.end, skip=question.start, limit=question.limit
    )
    held = Page([run for run in page.items if window.holds(run)], page.total, page.has_more)
    fields = listed(held, question.start, _row, _notes(page, held, window, question, now))
    if fields["has_more"] and len(fields["rows"]) == len(held.items):
        fields["next_start"] = question.start + len(page.items)
    is_whole = window.start is None and window.end is None
    return RunList(**fields, scope=where, window=None if is_whole else str(window))


async def _scope(blazemeter: BlazeMeter, question: RunQuestion) -> tuple[Scope, str]:
    """The narrowest of what was named; nothing named means the account in which the key's owner works."""
    if question.test is not None:
        test = await finding.find_test(blazemeter, question.test, question.project, question.workspace)
        return Scope(test_id=test.id), f"test {finding.shown(test)}"
    if question.project is not None or question.workspace is not None:
        return await finding.scope_of_tests(blazemeter, question.project, question.workspace)
    if question.account is not None:
        account = await finding.find_account(blazemeter, question.account)
        return Scope(account_id=account.id), f"account {finding.shown(account)}"
    home = await finding.default_account(blazemeter)
    if home is None:
        raise BadInput(
            "Whose runs is not said, and the key's owner has no default account.",
            next_step="Give `test`, `project`, `workspace` or `account`.",
        )
    return Scope(account_id=home), f"account {home}, the default of the key's owner"


def _notes(page: Page[Master], held: Page[Master], window: _Window, question: RunQuestion, now: datetime) -> list[str]:
    notes = []
    if left_out := len(page.items) - len(held.items):
        notes.append(f"{left_out} runs outside of the window, which BlazeMeter gave nevertheless, are left out.")
    if page.total is None and page.has_more:
        notes.append("BlazeMeter does not say how many there are in all.")
    if held.items:
        return notes
    if window.start is not None and window.start > now:
        return [*notes, f"The window begins in the future; now it is {stamp(now)}."]
    if question.start:
        return [*notes, "`start` is beyond the end of the list."]
    return [*notes, "No run: perhaps the window or its zone is wrong, or the runs lie in another workspace or account."]


def _row(run: Master) -> RunRow:
    return RunRow(
        master_id=run.id,
        name=run.name,
        test_id=run.test_id,
        project_id=run.project_id,
        phase=phase_by_dates(run),
        report_status=run.report_status,
        users=run.max_users,
        created_at=stamp(run.created),
        ended_at=stamp(run.ended),
    )
