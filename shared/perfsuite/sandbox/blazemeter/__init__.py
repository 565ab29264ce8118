"""A stand-in of BlazeMeter.

spec, opening                                    what it is made of, and how it is opened
recording, kpi_files, results                    the samples behind its runs
catalog, masters, timeline                       what there is, and how a run goes
verdicts, failures, zips                         what is told of a run
envelopes, tables, standin                       the application
entity_routes, run_routes, report_routes, log_routes
"""

from perfsuite.sandbox.blazemeter import entity_routes, log_routes, report_routes, run_routes
from perfsuite.sandbox.blazemeter.opening import OpenBlazeMeter, opened
from perfsuite.sandbox.blazemeter.spec import BlazeMeterSpec
from perfsuite.sandbox.blazemeter.standin import BlazeMeterStandIn
from perfsuite.sandbox.blazemeter.tables import API, STORAGE
from perfsuite.sandbox.standins.routes import StandInRoute

HANDLERS = (entity_routes, log_routes, report_routes, run_routes)
"""The modules that fill the tables when they are imported."""
ROUTES: tuple[StandInRoute, ...] = (*API.routes, *STORAGE.routes)

__all__ = ["ROUTES", "BlazeMeterSpec", "BlazeMeterStandIn", "OpenBlazeMeter", "opened"]
