"""Files as they are sent, and as they are kept."""

import re
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from perfsuite.sandbox.confluence.refusals import Refusal
from perfsuite.sandbox.confluence.site import Site
from perfsuite.sandbox.confluence.spec import Flavour
from perfsuite.sandbox.confluence.wiki import Attachment, Page, Upload
from perfsuite.sandbox.standins.visits import Visit

CORRUPT: Final = "corrupt"
"""The answer is 503, and there is an attachment that holds only `share` of the file."""
_TOKENS: Final[dict[Flavour, tuple[str, ...]]] = {"cloud": ("no-check", "nocheck"), "onprem": ("no-check",)}
"""The older spelling is refused on premises."""
_FORBIDDEN: Final = re.compile(r'[\\/:*?"<>|\x00-\x1f]')
_LONGEST_NAME: Final = 255
_MOST_PARTS: Final = 100


@dataclass(frozen=True)
class SentFile:
    """A file and what was said about it."""

    name: str
    content: bytes
    media_type: str
    comment: str
    is_minor: bool

    def upload(self, number: int, at: float, share: float = 1) -> Upload:
        content = self.content[: int(len(self.content) * share)]
        return Upload(number, content, self.media_type, at, self.comment, self.is_minor)


async def sent_files(site: Site, visit: Visit) -> list[SentFile]:
    """The files of a form, each as it may be kept."""
    if visit.request.headers.get("x-atlassian-token", "").lower() not in _TOKENS[site.spec.flavour]:
        raise Refusal(403, "XSRF check failed")
    form = await _form(visit)
    try:
        return await _files(site, form)
    finally:
        await form.close()


async def _files(site: Site, form: FormData) -> list[SentFile]:
    comment, minor = form.get("comment"), form.get("minorEdit")
    files = [one for one in form.getlist("file") if isinstance(one, UploadFile)]
    if not files:
        raise Refusal(400, "Attachment file part must be called 'file'")
    return [
        SentFile(
            _checked_name(one.filename or ""),
            _checked_content(site, await one.read()),
            one.content_type or "application/octet-stream",
            comment if isinstance(comment, str) else "",
            minor == "true",
        )
        for one in files
    ]


def attach(site: Site, visit: Visit, page: Page, files: list[SentFile], *, replacing: bool = False) -> list[Attachment]:
    """Keep new files; an existing name is refused, unless it may be replaced."""
    site.check_writable(page.space)
    for one in files:
        if not replacing and page.attachment(one.name):
            raise Refusal(400, f"Cannot add a new attachment with same file name as an existing attachment: {one.name}")
    return [_kept(site, visit, page, page.attachment(one.name), one) for one in files]


def replace(site: Site, visit: Visit, page: Page, attachment: Attachment, file: SentFile) -> Attachment:
    """The next version of an attachment. It keeps its name, whatever the file is called."""
    site.check_writable(page.space)
    return _kept(site, visit, page, attachment, file)


def _kept(site: Site, visit: Visit, page: Page, known: Attachment | None, file: SentFile) -> Attachment:
    corrupt = visit.fault(CORRUPT)
    upload = file.upload(known.latest.number + 1 if known else 1, site.clock.now(), corrupt.share if corrupt else 1)
    if known:
        known.uploads.append(upload)
    kept = known or site.wiki.attach(page, file.name, upload)
    if corrupt:
        raise Refusal(503, "Service Unavailable")
    return kept


async def _form(visit: Visit) -> FormData:
    if not visit.request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise Refusal(415, "Unsupported Media Type")

    async def body() -> AsyncGenerator[bytes, None]:
        yield visit.body

    try:
        return await MultiPartParser(
            visit.request.headers, body(), max_files=_MOST_PARTS, max_fields=_MOST_PARTS
        ).parse()
    except (MultiPartException, KeyError) as error:
        raise Refusal(400, f"Cannot read the form: {error}") from None


def _checked_name(name: str) -> str:
    if not name or len(name) > _LONGEST_NAME or _FORBIDDEN.search(name):
        raise Refusal(400, f"Filename contains invalid character(s): {name[:80]!r}")
    return name


def _checked_content(site: Site, content: bytes) -> bytes:
    if len(content) > site.spec.attachment_limit:
        raise Refusal(413, f"Attachment is larger than {site.spec.attachment_limit} bytes")
    return content
