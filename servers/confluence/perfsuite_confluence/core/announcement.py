"""What a page shows between its making and its first report: a page must be there before files can go to it."""

from typing import Final

from perfsuite.artifacts.run_id import RunId
from perfsuite_confluence.models.entities import Page

_SAYS: Final = " is being published. It takes a minute; load the page again then."


def announcement(run_id: RunId) -> str:
    """The body of a page that was just made."""
    text = f"<p>The report of <code>{run_id}</code>{_SAYS}</p>"
    body = f"<ac:rich-text-body>{text}</ac:rich-text-body>"
    return f'<ac:structured-macro ac:name="info">{body}</ac:structured-macro>'


def is_announcement(page: Page, run_id: RunId) -> bool:
    """Whether a page is one that we made for this run, and that nobody has touched since."""
    return page.version == 1 and f"<code>{run_id}</code>{_SAYS}" in (page.body or "")
