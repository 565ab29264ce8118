"""From a name or an id to what is meant, or to an error that names what comes close."""

from collections.abc import Awaitable, Callable, Sequence
from difflib import get_close_matches
from typing import Final, TypeVar

from perfsuite.errors import BadInput, NotFound
from perfsuite.samples.rows import printable
from perfsuite_blazemeter.client.api import BlazeMeter, Scope
from perfsuite_blazemeter.models.entities import Account, Kind, LoadTest, Named, Project, Workspace
from perfsuite_blazemeter.models.ids import LARGEST_ID
from perfsuite_blazemeter.service.paging import every

_MOST_NEAR: Final = 5
_LISTS: Final[dict[Kind, str]] = {
    "account": "get_workspaces",
    "workspace": "get_workspaces",
    "project": "get_projects",
    "test": "get_tests",
}
N = TypeVar("N", bound=Named)


async def find_account(blazemeter: BlazeMeter, wanted: str) -> Account:
    """The account of this name or id."""
    accounts = await all_accounts(blazemeter)
    if (number := id_of(wanted)) is not None:
        for account in accounts:
            if account.id == number:
                return account
    return _the_one("account", wanted, accounts, "what the key's owner may see")


async def find_workspace(blazemeter: BlazeMeter, wanted: str, account: str | None = None) -> Workspace:
    """The workspace of this name or id, in any account or in the one that is named."""
    home = await find_account(blazemeter, account) if account is not None else None
    found = await _by_id(wanted, blazemeter.workspace)
    if found is not None and home is None:
        return found
    accounts = [home] if home else await all_accounts(blazemeter)
    workspaces = [one for each in accounts for one in await workspaces_of(blazemeter, each)]
    if found is not None and any(one.id == found.id for one in workspaces):
        return found
    where = f"account {shown(home)}" if home else "the accounts that the key's owner may see"
    return _the_one("workspace", wanted, workspaces, where)


async def find_project(blazemeter: BlazeMeter, wanted: str, workspace: str | None) -> Project:
    """The project of this id, or of this name in the workspace."""
    found = await _by_id(wanted, blazemeter.project)
    if found is not None:
        return found
    home = await workspace_or_default(blazemeter, workspace)

    async def candidates(name: str | None) -> Sequence[Project]:
        return (await every(lambda skip: blazemeter.projects(home.id, name=name, skip=skip))).items

    return await _by_name("project", wanted, candidates, f"workspace {shown(home)}")


async def find_test(blazemeter: BlazeMeter, wanted: str, project: str | None, workspace: str | None) -> LoadTest:
    """The test of this id, or of this name in the project or workspace."""
    found = await _by_id(wanted, blazemeter.test)
    if found is not None:
        return found
    scope, where = await scope_of_tests(blazemeter, project, workspace)

    async def candidates(name: str | None) -> Sequence[LoadTest]:
        return (await every(lambda skip: blazemeter.tests(scope, name=name, skip=skip))).items

    return await _by_name("test", wanted, candidates, where)


async def scope_of_tests(blazemeter: BlazeMeter, project: str | None, workspace: str | None) -> tuple[Scope, str]:
    """Where tests are looked for, and what that is called."""
    if project is not None:
        found = await find_project(blazemeter, project, workspace)
        return Scope(project_id=found.id), f"project {shown(found)}"
    home = await workspace_or_default(blazemeter, workspace)
    return Scope(workspace_id=home.id), f"workspace {shown(home)}"


async def workspace_or_default(blazemeter: BlazeMeter, wanted: str | None) -> Workspace:
    """The workspace that is named, or else the one in which the key's owner works."""
    if wanted is not None:
        return await find_workspace(blazemeter, wanted)
    home = await _usual_workspace(blazemeter)
    if home is None:
        raise BadInput(
            "No workspace is named, and the key's owner has no default one.",
            next_step="Give `workspace`; `get_workspaces` lists them.",
        )
    return home


async def default_account(blazemeter: BlazeMeter) -> int | None:
    """The account in which the key's owner works."""
    project = (await blazemeter.user()).default_project
    if project is not None and project.account_id is not None:
        return project.account_id
    home = await _usual_workspace(blazemeter)
    return home.account_id if home else None


async def _usual_workspace(blazemeter: BlazeMeter) -> Workspace | None:
    """Some users' default project names its workspace, some only itself."""
    project = (await blazemeter.user()).default_project
    if project is None:
        return None
    number = project.workspace_id
    if number is None and project.id is not None:
        number = (await blazemeter.project(project.id)).workspace_id
    return None if number is None else await blazemeter.workspace(number)


async def all_accounts(blazemeter: BlazeMeter) -> list[Account]:
    """Every account that the key's owner may see."""
    return (await every(lambda skip: blazemeter.accounts(skip=skip))).items


async def workspaces_of(blazemeter: BlazeMeter, account: Account) -> list[Workspace]:
    """Every workspace of an account."""
    return (await every(lambda skip: blazemeter.workspaces(account.id, skip=skip))).items


def shown(one: Named) -> str:
    return f"{one.name!r} (id {one.id})"


def id_of(wanted: str) -> int | None:
    """The number, if this is one. It may be a name nevertheless."""
    text = wanted.strip()
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST_ID)) else None
    return number if number and number <= LARGEST_ID else None


async def _by_id(wanted: str, fetch: Callable[[int], Awaitable[N]]) -> N | None:
    number = id_of(wanted)
    if number is None:
        return None
    try:
        return await fetch(number)
    except NotFound:
        return None


async def _by_name(
    kind: Kind, wanted: str, candidates: Callable[[str | None], Awaitable[Sequence[N]]], where: str
) -> N:
    """Ask for the name first; only when nothing has it is the whole list worth its requests, for what comes close."""
    if _called(wanted, named := await candidates(wanted.strip())):
        return _the_one(kind, wanted, named, where)
    return _the_one(kind, wanted, await candidates(None), where)


def _called(wanted: str, candidates: Sequence[N]) -> list[N]:
    name = wanted.strip()
    exact = [one for one in candidates if one.name == name]
    return exact or [one for one in candidates if (one.name or "").casefold() == name.casefold()]


def _the_one(kind: Kind, wanted: str, candidates: Sequence[N], where: str) -> N:
    called, name = _called(wanted, candidates), printable(wanted)
    if len(called) == 1:
        return called[0]
    if called:
        ids = ", ".join(str(one.id) for one in called[:_MOST_NEAR])
        raise BadInput(f"{len(called)} {kind}s in {where} are called {name!r}: {ids}.", next_step="Give the id.")
    near = _near(name, candidates)
    hint = f" Similar: {', '.join(map(shown, near))}." if near else ""
    raise NotFound(
        f"There is no {kind} {name!r} in {where}, which holds {len(candidates)}.{hint}",
        next_step=f"Name one that `{_LISTS[kind]}` lists; others may lie in another workspace or account.",
    )


def _near(name: str, candidates: Sequence[N]) -> list[N]:
    by_name = {(one.name or "").casefold(): one for one in candidates}
    wanted = name.casefold()
    holding = [key for key in by_name if wanted and wanted in key]
    alike = get_close_matches(wanted, by_name, n=_MOST_NEAR, cutoff=0.5)
    return [by_name[key] for key in dict.fromkeys((*alike, *holding))][:_MOST_NEAR]
