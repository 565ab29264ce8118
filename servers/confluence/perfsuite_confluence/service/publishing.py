"""Publishing a report: one act that may be repeated. What is there already is not done again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import anyio
import anyio.to_thread

from perfsuite.artifacts import RunFolder
from perfsuite.errors import BadInput, Conflict, NotFound, RemoteError
from perfsuite.workflow.ledger import Ledger, RunningStep
from perfsuite_confluence.client.api import Confluence
from perfsuite_confluence.core import decisions
from perfsuite_confluence.core.decisions import FilePlan, Found
from perfsuite_confluence.core.hashes import body_hash
from perfsuite_confluence.core.names import labels_of, title_of
from perfsuite_confluence.models.answers import Outcome, Published
from perfsuite_confluence.models.entities import Draft, Page, Space
from perfsuite_confluence.models.published import PROPERTY, PUBLISHED, PageMark, Publication
from perfsuite_confluence.models.requests import PublishRequest
from perfsuite_confluence.service import above, placing, uploading
from perfsuite_confluence.service.above import Above, parent_of
from perfsuite_confluence.service.desk import Desk
from perfsuite_confluence.service.finding import find_space
from perfsuite_confluence.service.placing import Wish
from perfsuite_confluence.service.preparing import Prepared, page_title, prepare
from perfsuite_confluence.service.recording import STAGE, note_place
from perfsuite_confluence.service.reports import publication_of
from perfsuite_confluence.service.sources import Source, source_of, with_record
from perfsuite_confluence.service.standing import troubles

TOOL: Final = "publish_report"
_AGAIN_AFTER_S: Final = (0.2, 0.5, 1.0)
_UNSURE: Final = "Look it up before sending it again."
_AGAIN: Final = f"Call `{TOOL}` again: it looks up by itself what arrived, and sends nothing twice."
_STAYS: Final = "Somebody edited the page; what they wrote stays."
_MOST_NOTES: Final = 20
_MOST_NAMES: Final = 5
_NOTHING: Final = FilePlan((), {}, (), (), ())


@dataclass(frozen=True)
class Plan:
    """What will be done, decided before anything is."""

    wish: Wish
    prepared: Prepared
    found: Found | None
    files: FilePlan
    content_hash: str
    wanted_title: str
    """Of the report; that of the page is the wish's."""
    move_to: str | None
    notes: tuple[str, ...]

    @property
    def is_unchanged(self) -> bool:
        found = self.found
        if found is None or found.mark is None or not self.files.is_done or self.move_to:
            return False
        return found.mark.content_hash == self.content_hash and found.page.title == self.wish.title


async def publish(desk: Desk, request: PublishRequest) -> Published:
    """Publish a report, or say what that would change."""
    source = source_of(desk.runs, request.run_id)
    run = with_record(source)
    space = await find_space(desk.confluence, wanted_space(source, request, lambda: desk.site))
    if request.dry_run:
        plan = await _planned(desk, source, space, request)
        return await _foretold(desk, plan, request)
    with Ledger(run).step(STAGE, "publish", tool=TOOL) as step:
        _note(step, _opening(desk, run, space))
        plan = await _planned(desk, source, space, request)
        for path in plan.prepared.inputs:
            step.used(path)
        step.produced(run.path(source.storage))
        try:
            return await _carried_out(desk, step, plan, request)
        except RemoteError as error:
            if error.next_step.startswith(_UNSURE):
                # Others must look first; this tool does that by itself.
                raise type(error)(error.message, next_step=_AGAIN) from None
            raise


async def _foretold(desk: Desk, plan: Plan, request: PublishRequest) -> Published:
    """What a call without dry_run would do."""
    problem, page = _objection(plan), plan.found.page if plan.found else None
    if problem is None or request.overwrite:
        return await _told(plan, _would(plan), page, desk)
    if plan.is_unchanged:
        return await _told(_with_notes(plan, _STAYS), "unchanged", page, desk)
    told = await _told(_with_notes(plan, f"It would be refused: {problem.message}"), "would_refuse", page, desk)
    return told.model_copy(update={"next_step": problem.next_step})


def wanted_space(source: Source, request: PublishRequest, site: Callable[[], str]) -> str:
    """The space that is meant: the one given, else the one found for the run, else where it was published."""
    noted, known = with_record(source).record().request.confluence, publication_of(source.folder)
    name = request.space or (noted.space if noted.mode in (None, request.mode) else None)
    if not name and known is not None and (known.mode, known.site) == (request.mode, site()):
        name = known.space_key
    if not name:
        raise BadInput(
            f"No space is named, and none is noted for {source.named} in the Confluence of mode {request.mode!r}.",
            next_step="Give `space`, or call `list_spaces` with the name of the space and the `run_id`.",
        )
    return name


async def _planned(desk: Desk, source: Source, space: Space, request: PublishRequest) -> Plan:
    desk.tell(0, None, "rendering the report")
    run = source.folder
    prepared = await anyio.to_thread.run_sync(prepare, source)
    earlier = _earlier(desk, run, space)
    title = title_of(request.title) if request.title else page_title(run.run_id, prepared.heading)
    wish = Wish(source, space, title, None, request.overwrite, earlier)
    located = await placing.locate(desk.confluence, wish)
    known = Above(request.parent, run.record().request.confluence, earlier)
    parent_id = await parent_of(desk.confluence, space, known, exists=located.found is not None)
    wish = replace(wish, parent_id=parent_id)
    plan = await _decided(desk, prepared, wish, located, is_asked=request.title is not None)
    return _with_notes(plan, *await anyio.to_thread.run_sync(troubles, run))


async def _decided(
    desk: Desk, prepared: Prepared, wish: Wish, located: placing.Located, *, is_asked: bool
) -> Plan:  # fmt: skip
    found, notes = located.found, [*located.notes, *prepared.notes]
    wanted = wish.title
    title, renamed = decisions.settled_title(wish.title, is_asked, found)
    move_to, moved = decisions.settled_parent(wish.parent_id, found) if found else (None, None)
    wish = replace(wish, title=title)
    files = await uploading.plan(desk.confluence, found.page.id, prepared.files) if found else _NOTHING
    if found and found.page.title != title:
        await placing.check_title(desk.confluence, wish, found.page)
    if files.unused:
        notes.append(_stale(files.unused))
    notes += [note for note in (renamed, moved) if note]
    return Plan(wish, prepared, found, files, prepared.hash(title), wanted, move_to, tuple(notes))


def _stale(names: Sequence[str]) -> str:
    """They stay, because earlier versions of the page show them; a person may remove them."""
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    shown = ", ".join(names[:_MOST_NAMES])
    return f"Files of an earlier report stay attached, and the page shows them no more: {shown}{more}."


async def _carried_out(desk: Desk, step: RunningStep, plan: Plan, request: PublishRequest) -> Published:
    problem, found = _objection(plan), plan.found
    if found and plan.is_unchanged and not request.overwrite:
        plan = _with_notes(plan, _STAYS) if problem else plan
        return await _finished(desk, step, plan, found, "unchanged", request)
    if problem and not request.overwrite:
        raise problem
    outcome: Outcome = "created" if found is None or found.is_new else "updated"
    if found is None:
        found = await _created(desk, step, plan)
        plan = replace(plan, files=uploading.planned(plan.prepared.files, ()))
    written = await _written(desk, plan, found)
    return await _finished(desk, step, plan, written, outcome, request)


async def _created(desk: Desk, step: RunningStep, plan: Plan) -> Found:
    desk.tell(0, None, "making the page")
    found = await placing.create(desk.confluence, plan.wish)
    # From here on the next call finds the page by its id, whatever happens to this one.
    _note(step, _publication(desk, plan, found, "publishing"))
    _note_place(desk, step, plan)
    return found


async def _written(desk: Desk, plan: Plan, found: Found) -> Found:
    """Send the files, then the body that shows them, then the mark that tells what was sent."""
    wish = plan.wish
    try:
        await uploading.carry_out(desk, found.page.id, plan.prepared.files, plan.files)
        desk.tell(len(plan.files.add) + len(plan.files.replace), None, "writing the page")
        page = await _updated(desk.confluence, plan, found)
    except NotFound as error:
        raise NotFound(
            f"Page {found.page.id} went away while it was being published. {error.message}",
            next_step=f"Call `{TOOL}` again: it makes the page anew.",
        ) from None
    mark = PageMark(
        run_id=wish.run_id,
        content_hash=plan.content_hash,
        body_hash=body_hash(page.body or ""),
        version=page.version or 0,
        title=plan.wanted_title,
    )
    known = await desk.confluence.property(page.id, PROPERTY)
    await desk.confluence.set_property(page.id, PROPERTY, mark.model_dump(), known)
    return Found(page, mark, found.earlier)


async def _updated(confluence: Confluence, plan: Plan, found: Found) -> Page:
    """The page with the report on it, as Confluence gives it back."""
    message = decisions.message_of(plan.wish.run_id, plan.content_hash)
    draft = Draft(plan.wish.space, plan.wish.title, plan.prepared.body, plan.move_to, message)
    page = found.page
    for wait_s in (*_AGAIN_AFTER_S, None):
        try:
            await confluence.update_page(page, draft)
            break
        except (RemoteError, Conflict) as error:
            now = await confluence.page(page.id)
            if now.message == message and now.version == (page.version or 0) + 1:
                # It was carried out, and only the answer got lost.
                return now
            if wait_s is None or not isinstance(error, Conflict) or _differs(now, page):
                raise
            # Confluence says the same when it got into its own way, or when somebody changed no more than a label.
            page = now
            await anyio.sleep(wait_s)
    return await confluence.page(page.id)


def _differs(now: Page, before: Page) -> bool:
    """Whether somebody changed what we would write over."""
    return (now.body, now.title, now.parent_id) != (before.body, before.title, before.parent_id)


async def _finished(
    desk: Desk, step: RunningStep, plan: Plan, found: Found, outcome: Outcome, request: PublishRequest
) -> Published:
    notes = [*plan.notes, *await _labelled(desk.confluence, found.page.id, request.labels)]
    _note(step, _publication(desk, plan, found, "published"))
    _note_place(desk, step, plan)
    return await _told(replace(plan, notes=tuple(notes)), outcome, found.page, desk)


async def _labelled(confluence: Confluence, page_id: str, words: Sequence[str]) -> list[str]:
    """Add what labels are missing. A report without a label is still a report, so that it failed is only said."""
    wanted = labels_of(words)
    try:
        missing = [name for name in wanted if name not in await confluence.labels(page_id)] if wanted else []
        if missing:
            await confluence.add_labels(page_id, missing)
    except RemoteError as error:
        return [f"The labels could not be set. {error.message}"]
    return []


def _objection(plan: Plan) -> Conflict | None:
    """Why a person's work would be lost, if it would."""
    found = plan.found
    if found is None:
        return None
    if decisions.is_edited(found):
        who = f" by {found.page.author}" if found.page.author else ""
        return Conflict(
            f"Page {found.page.id} ({found.page.title!r}) was edited{who}: it is at version {found.page.version}, and "
            f"the report was version {_left(found)}.",
            next_step="Show the user what is there by `get_page_by_id`. With overwrite=true the report replaces it; "
            "their version stays in the history of the page.",
        )
    if plan.files.foreign:
        return Conflict(
            f"Somebody else put files of these names on page {found.page.id}: {', '.join(plan.files.foreign[:5])}.",
            next_step="Ask the user. With overwrite=true they are replaced; their versions stay in the history.",
        )
    return None


def _left(found: Found) -> str:
    known = found.mark.version if found.mark else (found.earlier.version if found.earlier else None)
    return str(known or "unknown")


def _earlier(desk: Desk, run: RunFolder, space: Space) -> Publication | None:
    """What the run folder says, where it is about this site and space."""
    known = publication_of(run)
    same = known is not None and (known.mode, known.site, known.space_key) == (
        desk.confluence.mode, desk.site, space.key,
    )  # fmt: skip
    return known if same else None


def _opening(desk: Desk, run: RunFolder, space: Space) -> Publication:
    """What is noted first: that it was agreed to publish in this space."""
    known = _earlier(desk, run, space)
    if known is not None:
        return known
    return Publication(
        state="publishing", mode=desk.confluence.mode, site=desk.site, space_key=space.key, space_name=space.name,
        title="",
    )  # fmt: skip


def _publication(desk: Desk, plan: Plan, found: Found, state: Literal["publishing", "published"]) -> Publication:
    page, earlier, is_done = found.page, found.earlier, state == "published"
    ours = found.mark.version if found.mark else None
    return Publication(
        state=state,
        mode=desk.confluence.mode,
        site=desk.site,
        space_key=plan.wish.space.key,
        space_name=plan.wish.space.name,
        title=page.title,
        page_id=page.id,
        url=_url(desk, page),
        version=ours if is_done else (earlier.version if earlier else None),
        parent_id=plan.wish.parent_id or (earlier.parent_id if earlier else None),
        content_hash=plan.content_hash if is_done else None,
    )


def _note_place(desk: Desk, step: RunningStep, plan: Plan) -> None:
    """Keep where the report went as what is wanted for the run: the next call may leave it out."""
    earlier, parent_id = plan.wish.earlier, plan.wish.parent_id
    parent_id = parent_id or (earlier.parent_id if earlier else None)
    note_place(step.folder, {"mode": desk.confluence.mode, "space": plan.wish.space.key, "parent": parent_id})


def _with_notes(plan: Plan, *notes: str) -> Plan:
    return replace(plan, notes=(*plan.notes, *notes))


def _note(step: RunningStep, publication: Publication) -> None:
    step.produced(step.folder.save(PUBLISHED, publication))


def _url(desk: Desk, page: Page) -> str:
    return desk.confluence.address(page.webui) or f"{desk.site}/pages/viewpage.action?pageId={page.id}"


def _few(notes: Sequence[str]) -> list[str]:
    more = [f"{len(notes) - _MOST_NOTES} more notes are left out."] if len(notes) > _MOST_NOTES else []
    return [*notes[:_MOST_NOTES], *more]


def _would(plan: Plan) -> Outcome:
    if plan.found is None or plan.found.is_new:
        return "would_create"
    return "unchanged" if plan.is_unchanged else "would_update"


async def _told(plan: Plan, outcome: Outcome, page: Page | None, desk: Desk) -> Published:
    moved = plan.move_to if outcome.startswith("would") else None
    over = moved or (page.parent_id if page else None) or plan.wish.parent_id or plan.wish.space.homepage_id
    parent_id, parent_title = await above.named(desk.confluence, over)
    wanted = len(plan.prepared.files)
    added = len(plan.files.add) if plan.found else wanted
    return Published(
        outcome=outcome,
        page_id=page.id if page else None,
        url=_url(desk, page) if page else None,
        title=plan.wish.title,
        version=page.version if page else None,
        space=plan.wish.space.key,
        parent_id=parent_id,
        parent_title=parent_title,
        files_added=added,
        files_replaced=len(plan.files.replace),
        files_kept=len(plan.files.keep),
        storage_file=plan.wish.source.storage.relative(run_id=plan.wish.run_id),
        notes=_few(plan.notes),
        next_step=_NEXT[outcome],
    )


_NEXT: Final[dict[Outcome, str]] = {
    "created": "Show the user the address.",
    "updated": "Show the user the address.",
    "unchanged": "Nothing to do: the page shows this report.",
    "would_create": "Call it without dry_run to publish.",
    "would_update": "Call it without dry_run to publish.",
    "would_refuse": "Ask the user.",
}
