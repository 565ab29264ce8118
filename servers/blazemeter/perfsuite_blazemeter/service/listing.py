"""Lists of what BlazeMeter holds."""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from perfsuite.mcp.answers import fit
from perfsuite_blazemeter.client.api import BlazeMeter
from perfsuite_blazemeter.core.times import stamp
from perfsuite_blazemeter.models.answers import LoadTestList, LoadTestRow, Part, ProjectList, ProjectRow
from perfsuite_blazemeter.models.entities import Execution, LoadTest, Page, Project
from perfsuite_blazemeter.service import finding

_EMPTY: Final = (
    "{what} in {where}: it is empty, or the key's owner may not see what it holds. Others may have more: "
    "`get_workspaces` lists them."
)
_MOST_LOADS: Final = 5
T = TypeVar("T")
R = TypeVar("R", bound=Part)


async def list_projects(blazemeter: BlazeMeter, workspace: str | None, *, start: int, limit: int) -> ProjectList:
    """The projects of a workspace."""
    home = await finding.workspace_or_default(blazemeter, workspace)
    page = await blazemeter.projects(home.id, skip=start, limit=limit)
    where = f"workspace {finding.shown(home)}"
    return ProjectList(**listed(page, start, _project, _notes(page, start, "No project", where)))


async def list_tests(
    blazemeter: BlazeMeter, project: str | None, workspace: str | None, *, start: int, limit: int
) -> LoadTestList:
    """The tests of a project or workspace."""
    scope, where = await finding.scope_of_tests(blazemeter, project, workspace)
    page = await blazemeter.tests(scope, skip=start, limit=limit)
    return LoadTestList(**listed(page, start, _test, _notes(page, start, "No test", where)))


def listed(page: Page[T], start: int, row: Callable[[T], R], notes: Sequence[str]) -> dict[str, Any]:
    """The fields of a listing: as many rows of the page as fit, and where the next begin."""
    fitted = fit([row(item) for item in page.items])
    more = fitted.has_more or page.has_more
    return {
        "rows": fitted.items,
        "total": page.total,
        "has_more": more,
        "next_start": start + len(fitted.items) if more else None,
        "notes": list(notes),
    }


def load_of(test: LoadTest) -> list[str]:
    """The load that a test puts on, one line for each part of it."""
    return [_load(one) for one in test.override_executions[:_MOST_LOADS]]


def _notes(page: Page[T], start: int, what: str, where: str) -> list[str]:
    if page.items:
        return [] if start else [f"Of {where}."]
    if start:
        return [f"{where} has no more than that: `start` is beyond the end."]
    return [_EMPTY.format(what=what, where=where)]


def _project(project: Project) -> ProjectRow:
    return ProjectRow(id=project.id, name=project.name, workspace_id=project.workspace_id, tests=project.tests_count)


def _test(test: LoadTest) -> LoadTestRow:
    return LoadTestRow(
        id=test.id,
        name=test.name,
        project_id=test.project_id,
        type=test.configuration.type if test.configuration else None,
        load=load_of(test),
        updated_at=stamp(test.updated),
    )


def _load(one: Execution) -> str:
    parts = [
        f"{one.concurrency} users" if one.concurrency is not None else None,
        f"ramp-up {one.ramp_up}" if one.ramp_up else None,
        f"hold {one.hold_for}" if one.hold_for else None,
        f"from {', '.join(sorted(one.locations)[:_MOST_LOADS])}" if one.locations else None,
    ]
    return ", ".join(filter(None, parts)) or "not said"
