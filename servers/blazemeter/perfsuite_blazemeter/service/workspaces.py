"""The workspaces of every account, and the one that a run belongs to."""

from dataclasses import dataclass

from perfsuite.artifacts import RunStore
from perfsuite.artifacts.schemas import RunRecord
from perfsuite.errors import AccessDenied, BadInput
from perfsuite.mcp.answers import fit
from perfsuite.workflow.ledger import RunningStep
from perfsuite_blazemeter.client.api import BlazeMeter
from perfsuite_blazemeter.models.answers import WorkspaceList, WorkspaceRow
from perfsuite_blazemeter.models.entities import Account, Workspace
from perfsuite_blazemeter.service import finding
from perfsuite_blazemeter.service.recording import Entry, recorded

TOOL = "get_workspaces"


@dataclass(frozen=True)
class WorkspaceQuestion:
    """Which workspaces are asked for, and for which run."""

    workspace: str | None = None
    account: str | None = None
    run_id: str | None = None
    start: int = 0
    limit: int = 50


async def list_workspaces(blazemeter: BlazeMeter, runs: RunStore, question: WorkspaceQuestion) -> WorkspaceList:
    """The workspaces, or the one that was named, which is noted for the run."""
    if question.workspace is None:
        if question.run_id is not None:
            raise BadInput("Which workspace run belongs to is not said.", next_step="Give `workspace`, too.")
        return await _all(blazemeter, question)
    found = await _one(blazemeter, runs, question, question.workspace)
    accounts = {one.id: one for one in await finding.all_accounts(blazemeter)}
    row = _row(found, accounts.get(found.account_id or 0))
    return WorkspaceList(rows=[row], total=1, has_more=False, next_start=None)


async def _one(blazemeter: BlazeMeter, runs: RunStore, question: WorkspaceQuestion, wanted: str) -> Workspace:
    async def fetch() -> Workspace:
        return await finding.find_workspace(blazemeter, wanted, question.account)

    if question.run_id is None:
        return await fetch()
    return await recorded(runs, Entry(question.run_id, "find_workspace", TOOL), fetch, _keep)


def _keep(step: RunningStep, found: Workspace) -> None:
    def belonging(run: RunRecord) -> RunRecord:
        named = found.name or str(found.id)
        return run.model_copy(update={"request": run.request.model_copy(update={"workspace": named})})

    step.folder.update(belonging)


async def _all(blazemeter: BlazeMeter, question: WorkspaceQuestion) -> WorkspaceList:
    if question.account is None:
        accounts = await finding.all_accounts(blazemeter)
    else:
        accounts = [await finding.find_account(blazemeter, question.account)]
    rows, notes = await _rows(blazemeter, accounts)
    start = question.start
    page = rows[start : start + question.limit]
    fitted = fit(page, total=len(rows), start=start)
    return WorkspaceList(
        rows=fitted.items,
        total=len(rows),
        has_more=fitted.has_more,
        next_start=start + len(fitted.items) if fitted.has_more else None,
        notes=notes + _why_empty(accounts, rows),
    )


async def _rows(blazemeter: BlazeMeter, accounts: list[Account]) -> tuple[list[WorkspaceRow], list[str]]:
    rows, notes = list[WorkspaceRow](), list[str]()
    for account in accounts:
        try:
            rows += [_row(one, account) for one in await finding.workspaces_of(blazemeter, account)]
        except AccessDenied:
            if len(accounts) == 1:
                raise
            notes.append(f"The key's owner may not see the workspaces of account {finding.shown(account)}.")
    return rows, notes


def _why_empty(accounts: list[Account], rows: list[WorkspaceRow]) -> list[str]:
    if rows:
        return []
    named = ", ".join(map(finding.shown, accounts)) or "no account at all"
    return [f"The key's owner sees {named}, and no workspace there. Perhaps the key belongs to somebody else."]


def _row(one: Workspace, account: Account | None) -> WorkspaceRow:
    return WorkspaceRow(id=one.id, name=one.name, account_id=one.account_id, account=account.name if account else None)
