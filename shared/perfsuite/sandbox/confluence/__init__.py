"""A stand-in of Confluence, in the cloud and on premises, whose pages can be looked at in a browser.

spec, opening                          what a site is made of, and how it is opened
wiki, storage, site                    pages and what hangs on them; their format; what may be done to them
refusals, tables, standin              the application, and how each part of it refuses
addresses, paging, drafts, uploads     what requests and answers have in common
shapes_v1, shapes_v2, cql              shapes of answers, and the language of searches
cloud_routes, cloud_part_routes        the second version of the API
content_routes                         the first one, as on premises
upload_routes, search_routes           the first one, as in both flavours
rendering, macros, look, view_routes   pages as a browser shows them
"""

from perfsuite.sandbox.confluence import (
    cloud_part_routes,
    cloud_routes,
    content_routes,
    search_routes,
    upload_routes,
    view_routes,
)
from perfsuite.sandbox.confluence.opening import OpenConfluence, opened
from perfsuite.sandbox.confluence.spec import ConfluenceSpec, SpaceSpec
from perfsuite.sandbox.confluence.standin import CloudStandIn, ConfluenceStandIn, OnPremStandIn
from perfsuite.sandbox.confluence.tables import CLOUD, ONPREM
from perfsuite.sandbox.standins.routes import StandInRoute

HANDLERS = (cloud_routes, cloud_part_routes, content_routes, upload_routes, search_routes, view_routes)
"""The modules that fill the tables when they are imported."""
ROUTES: tuple[StandInRoute, ...] = (*CLOUD.routes, *ONPREM.routes)

__all__ = [
    "ROUTES",
    "CloudStandIn",
    "ConfluenceSpec",
    "ConfluenceStandIn",
    "OnPremStandIn",
    "OpenConfluence",
    "SpaceSpec",
    "opened",
]
