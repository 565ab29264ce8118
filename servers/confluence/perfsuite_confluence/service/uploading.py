"""The files of a page: added, replaced where they changed, and looked at again after an upload that failed."""

from collections.abc import Mapping, Sequence
from typing import Final

import anyio.to_thread

from perfsuite.errors import AccessDenied, LimitExceeded, NotFound, RateLimited, RemoteError
from perfsuite_confluence.client.api import Confluence, every
from perfsuite_confluence.core.decisions import FilePlan, comment_on, plan_files
from perfsuite_confluence.models.entities import Attachment, File
from perfsuite_confluence.service.desk import Desk
from perfsuite_confluence.service.pictures import PageFile

_TRIES: Final = 4
_DECIDED: Final = (AccessDenied, NotFound, RateLimited)


async def plan(confluence: Confluence, page_id: str, files: Mapping[str, PageFile]) -> FilePlan:
    """What has to be done to the files of a page."""
    existing = await every(lambda place: confluence.attachments(page_id, place))
    return planned(files, existing)


def planned(files: Mapping[str, PageFile], existing: Sequence[Attachment]) -> FilePlan:
    return plan_files({name: (one.sha256, one.size) for name, one in files.items()}, existing)


async def carry_out(desk: Desk, page_id: str, files: Mapping[str, PageFile], wanted: FilePlan) -> None:
    """Send what is new or changed, one after the other: a wiki is not a place for bursts."""
    names = [*wanted.add, *wanted.replace]
    for number, name in enumerate(names):
        desk.tell(number, len(names) + 1, f"uploading {name}")
        await _put(desk.confluence, page_id, files[name], wanted.replace.get(name))


async def _put(confluence: Confluence, page_id: str, file: PageFile, attachment_id: str | None) -> None:
    content = await anyio.to_thread.run_sync(file.read)
    upload = File(file.name, content, file.media_type, comment_on(file.sha256))
    lost: RemoteError | None = None
    for _ in range(_TRIES):
        try:
            made = await _sent(confluence, page_id, upload, attachment_id)
        except RemoteError as error:
            if isinstance(error, _DECIDED):
                raise
            made, lost = None, error
        if made is not None and made.size in (None, len(content)):
            return
        # Cloud may answer 503 and keep a broken file all the same. Whatever is there is replaced, and not trusted.
        attachment_id = await _id_of(confluence, page_id, file.name)
    raise lost or LimitExceeded(
        f"Confluence keeps {file.name!r} in another size than it was sent, {_TRIES} times.",
        next_step="Call `publish_report` again later; a proxy in between may cut large uploads.",
    )


async def _sent(confluence: Confluence, page_id: str, upload: File, attachment_id: str | None) -> Attachment:
    if attachment_id is None:
        return await confluence.attach(page_id, upload)
    return await confluence.exchange(page_id, attachment_id, upload)


async def _id_of(confluence: Confluence, page_id: str, name: str) -> str | None:
    existing = await every(lambda place: confluence.attachments(page_id, place))
    return next((one.id for one in existing if one.title == name), None)
