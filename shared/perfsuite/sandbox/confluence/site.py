"""What may be done on a site, and what is refused."""

from dataclasses import dataclass

from perfsuite.sandbox.clock import Clock
from perfsuite.sandbox.confluence.refusals import Refusal
from perfsuite.sandbox.confluence.spec import ConfluenceSpec, SpaceSpec
from perfsuite.sandbox.confluence.storage import BadStorage, parse, settled
from perfsuite.sandbox.confluence.wiki import Page, Property, Space, Status, Version, Wiki

_LONGEST_TITLE = 255
_LONGEST_LABEL = 255
_LONGEST_PROPERTY = 32 * 1024


@dataclass(frozen=True)
class Draft:
    """A page as somebody wants it. None leaves what there is."""

    title: str
    body: str
    parent_id: int | None = None
    number: int | None = None
    message: str = ""
    is_minor: bool = False
    status: Status = "current"


class Site:
    """A wiki and its rules."""

    def __init__(self, spec: ConfluenceSpec, clock: Clock) -> None:
        self.spec = spec
        self.clock = clock
        self.wiki = Wiki()
        for one in spec.spaces:
            self._open(one)

    def create(self, space: Space, draft: Draft) -> Page:
        self.check_writable(space)
        title = self._checked_title(space, draft.title, None) if draft.status == "current" else draft.title
        body = _checked_body(draft.body)
        parent_id = self._checked_parent(space, draft.parent_id) if draft.parent_id else space.home_id
        version = Version(1, title, body, self.clock.now(), draft.message, draft.is_minor)
        return self.wiki.add(space, parent_id, version, draft.status)

    def update(self, page: Page, draft: Draft) -> Page:
        """A new version; a page in the trash comes out of it instead, and changes in nothing else."""
        self.check_writable(page.space)
        if draft.number is None:
            raise Refusal(400, "Must supply an incremented version when updating Content. No version supplied.")
        if draft.number != self._next_number(page):
            said = f"Version must be incremented on update. Current version is: {page.latest.number}"
            raise Refusal(409, said)
        title = self._checked_title(page.space, draft.title, page)
        if page.status == "trashed":
            page.status = "current"
            return page
        body = _checked_body(draft.body)
        if draft.parent_id:
            page.parent_id = self._checked_parent(page.space, draft.parent_id, page)
        made = Version(draft.number, title, body, self.clock.now(), draft.message, draft.is_minor)
        page.versions = [made] if page.status == "draft" else [*page.versions, made]
        page.status = draft.status
        return page

    def trash(self, page: Page, *, purge: bool) -> None:
        self.check_writable(page.space)
        if purge and page.status != "trashed":
            raise Refusal(400, "Content must be in the trash before it is purged")
        if purge:
            self.wiki.purge(page)
        else:
            self.wiki.trash(page)

    def set_property(self, page: Page, key: str, value: object, number: int | None) -> Property:
        """A new property without a number, or the next version of one."""
        self.check_writable(page.space)
        known = page.properties.get(key)
        if known is None:
            made = Property(self.wiki.next_id(), key, value, 1, self.clock.now())
            page.properties[key] = made
            return made
        if number is None:
            raise Refusal(409, f"Cannot create existing JsonContentProperty: a property with key {key} exists already")
        if number != known.version + 1:
            raise Refusal(409, f"Version must be incremented on update. Current version is: {known.version}")
        known.value, known.version, known.at = value, number, self.clock.now()
        return known

    def add_labels(self, page: Page, names: list[str]) -> None:
        self.check_writable(page.space)
        for name in names:
            if not name or len(name) > _LONGEST_LABEL or any(mark in name for mark in ' :;,.?&[]()#^*!@<>"'):
                raise Refusal(400, f"The label {name[:80]!r} contains invalid characters")
        page.labels += [name.lower() for name in dict.fromkeys(names) if name.lower() not in page.labels]

    def check_writable(self, space: Space) -> None:
        if space.is_read_only:
            raise Refusal(403, f"User does not have permission to edit content in the space {space.key}")

    def check_property(self, key: object, content: bytes) -> str:
        if not isinstance(key, str) or not key or len(key) > _LONGEST_LABEL:
            raise Refusal(400, "The key of a property is a text")
        if len(content) > _LONGEST_PROPERTY:
            raise Refusal(413, f"A property has at most {_LONGEST_PROPERTY} bytes")
        return key

    def _next_number(self, page: Page) -> int:
        return 1 if page.status == "draft" else page.latest.number + 1

    def _checked_title(self, space: Space, title: str, page: Page | None) -> str:
        title = title.strip()
        if not title:
            raise Refusal(400, "Title cannot be empty")
        if len(title) > _LONGEST_TITLE:
            raise Refusal(400, f"Title cannot be longer than {_LONGEST_TITLE} characters")
        holder = self.wiki.holder(space, title)
        if holder is not None and holder is not page:
            taken = "A page with this title already exists: A page already exists with the"
            raise Refusal(
                400, f"{taken} title {title} in the space with key {space.key}", f"{taken} same TITLE in this space"
            )
        return title

    def _checked_parent(self, space: Space, parent_id: int, page: Page | None = None) -> int:
        parent = self.wiki.pages.get(parent_id)
        if parent is None or parent.status != "current":
            raise Refusal(404, f"No parent page found with id {parent_id}", "Parent content not found")
        if parent.space is not space:
            raise Refusal(400, "The parent page is in another space")
        if page is not None and page in (parent, *self.wiki.ancestors(parent)):
            raise Refusal(400, "A page cannot be moved under itself")
        return parent_id

    def _open(self, spec: SpaceSpec) -> None:
        now = self.clock.now()
        space = Space(self.wiki.next_id(), spec.key, spec.name, spec.is_read_only, now)
        self.wiki.spaces[space.key] = space
        home = self.wiki.add(space, None, Version(1, f"{spec.name} Home", "<p>Welcome.</p>", now))
        space.home_id = home.id
        known = {"": home.id}
        for path in spec.titles:
            above, _, title = path.rpartition("/")
            known[path] = self.wiki.add(space, known[above], Version(1, title, "<p>Pages below.</p>", now)).id


def _checked_body(body: str) -> str:
    try:
        parse(body)
    except BadStorage as error:
        raise Refusal(400, str(error)) from None
    return settled(body)
