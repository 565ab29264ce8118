"""From the Markdown of a report to the parts of a page.

It imports lxml and Markdown, which a server need not do before it publishes.
"""

from perfsuite_confluence.core import navigation
from perfsuite_confluence.core.blocks import read_blocks
from perfsuite_confluence.core.rendering import FindPicture, render
from perfsuite_confluence.core.tables import shorten
from perfsuite_confluence.models.parts import PageParts


def page_of(markdown: str, find_picture: FindPicture) -> PageParts:
    """The parts of the page; pictures are asked for as the report names them."""
    root = render(read_blocks(markdown), find_picture)
    heading = navigation.take_title(root)
    navigation.add_contents(root)
    navigation.mend_links(root)
    body, tables = shorten(root)
    return PageParts(heading, body, tuple(tables))
