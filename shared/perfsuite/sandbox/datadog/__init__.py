"""A stand-in of Datadog: a small model of hosts and services under load, asked over Datadog's own routes.

spec, opening                              what there is, and how it is opened
curves, hosts, kubernetes, shop_origin     the model: load over time, and what it does to machines
sources, world                             its time series, and those that were measured
scopes, language, windows, evaluation      metric queries and their answers
searches, events                           logs and spans, and the queries that search them
metric_answers, event_answers, units       shapes of answers
limits, refusals, standin, event_routes    the application
"""

from perfsuite.sandbox.datadog.opening import OpenDatadog, opened
from perfsuite.sandbox.datadog.spec import DatadogSpec
from perfsuite.sandbox.datadog.standin import METRIC_ROUTES, DatadogStandIn
from perfsuite.sandbox.standins.routes import StandInRoute

ROUTES: tuple[StandInRoute, ...] = METRIC_ROUTES.routes

__all__ = ["ROUTES", "DatadogSpec", "DatadogStandIn", "OpenDatadog", "opened"]
