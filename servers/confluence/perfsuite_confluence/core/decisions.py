"""What to do with a page as it was found. A person's work is never overwritten unless somebody said so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from perfsuite_confluence.core.hashes import body_hash
from perfsuite_confluence.models.entities import Attachment, Page
from perfsuite_confluence.models.published import PageMark, Publication

_PUBLISHED: Final = "Published from run "
_SAID: Final = "perfsuite "
_SHORT: Final = 16


@dataclass(frozen=True)
class Found:
    """The page of a report, and what is known about it."""

    page: Page
    mark: PageMark | None
    earlier: Publication | None
    is_new: bool = False
    """Whether it holds nothing but our announcement."""


@dataclass(frozen=True)
class FilePlan:
    """What happens to the files of a page."""

    add: tuple[str, ...]
    replace: Mapping[str, str]
    """Name to the id of the attachment."""
    keep: tuple[str, ...]
    foreign: tuple[str, ...]
    """Names that we need, under which somebody else put a file."""
    unused: tuple[str, ...]
    """Files of ours that the report does not show any more."""

    @property
    def is_done(self) -> bool:
        return not self.add and not self.replace


def is_edited(found: Found) -> bool:
    """Whether somebody changed the body since we left it."""
    if found.is_new or (found.page.message or "").startswith(_PUBLISHED):
        return False
    if found.mark is not None:
        return found.page.version != found.mark.version and body_hash(found.page.body or "") != found.mark.body_hash
    # Only the run folder knows the page as ours: its mark was taken away, or never came to be.
    return found.earlier is None or found.page.version != found.earlier.version


def message_of(run_id: str, content_hash: str) -> str:
    """What is said about a version of ours."""
    return f"{_PUBLISHED}{run_id} ({content_hash[:_SHORT]})"


def plan_files(wanted: Mapping[str, tuple[str, int]], existing: Sequence[Attachment]) -> FilePlan:
    """Compare files, name to hash and size, with those of the page."""
    by_name = {one.title: one for one in existing}
    keep = [name for name, (sha256, size) in wanted.items() if _is_same(by_name.get(name), sha256, size)]
    replace = {name: by_name[name].id for name in wanted if name in by_name and name not in keep}
    return FilePlan(
        add=tuple(name for name in wanted if name not in by_name),
        replace=replace,
        keep=tuple(keep),
        foreign=tuple(name for name in replace if not _is_ours(by_name[name])),
        unused=tuple(one.title for one in existing if one.title not in wanted and one.comment and _is_ours(one)),
    )


def comment_on(sha256: str) -> str:
    """What is said about a file of ours."""
    return f"{_SAID}{sha256[:_SHORT]}"


def settled_title(wanted: str, is_asked: bool, found: Found | None) -> tuple[str, str | None]:
    """The title to publish under, and what is to be said about it. One that a person gave to the page stays."""
    if found is None or found.page.title == wanted:
        return wanted, None
    left = (found.mark.title if found.mark else "") or (found.earlier.title if found.earlier else "")
    if left and found.page.title != left and (not is_asked or wanted == left):
        return found.page.title, f"Somebody renamed the page to {found.page.title!r}; it keeps that title."
    return wanted, None


def settled_parent(wanted: str | None, found: Found) -> tuple[str | None, str | None]:
    """The parent to move the page to, or None where it stays; and what is to be said about it."""
    if wanted is None or found.page.parent_id == wanted:
        return None, None
    if found.earlier is not None and found.earlier.parent_id == wanted:
        return None, f"Somebody moved the page under page {found.page.parent_id}; it stays there."
    return wanted, None


def _is_same(attachment: Attachment | None, sha256: str, size: int) -> bool:
    return attachment is not None and attachment.comment == comment_on(sha256) and attachment.size == size


def _is_ours(attachment: Attachment) -> bool:
    return attachment.comment is None or attachment.comment.startswith(_SAID)
