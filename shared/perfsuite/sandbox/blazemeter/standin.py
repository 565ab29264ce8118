"""A service that answers as BlazeMeter's API does, and a second one that answers as its storage."""

import base64
import hmac
import threading
from pathlib import Path
from typing import Any, ClassVar, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from perfsuite.sandbox.blazemeter import catalog, envelopes, recording
from perfsuite.sandbox.blazemeter.masters import Master, Masters
from perfsuite.sandbox.blazemeter.spec import BlazeMeterSpec
from perfsuite.sandbox.blazemeter.tables import API, STORAGE
from perfsuite.sandbox.standins.application import Backstage, StandIn
from perfsuite.sandbox.standins.faults import Fault
from perfsuite.sandbox.standins.journal import Credentials
from perfsuite.sandbox.standins.routes import RouteTable
from perfsuite.sandbox.standins.visits import Visit

ARCHIVED: Final = (
    "Execution report is archived. It is not possible to read execution information from an archived execution."
)


class BlazeMeterStandIn(StandIn):
    """Its runs, all of the same samples, in a folder that somebody else removes."""

    tables: ClassVar[tuple[RouteTable[Any], ...]] = (API, STORAGE)

    def __init__(self, spec: BlazeMeterSpec, folder: Path, backstage: Backstage | None = None) -> None:
        super().__init__(backstage)
        self.spec = spec
        self.folder = folder
        self.storage_url = ""
        """Where the second application listens. Whoever serves it says so."""
        self.zipping = threading.Lock()
        self.recording = recording.read(spec.results, folder, spec.engines)
        self.masters = Masters(spec, self.recording, (catalog.CHECKOUT_TEST, catalog.STRICT_TEST))

    def credentials(self, request: Request) -> Credentials:
        given = request.headers.get("authorization")
        if given is None:
            return "none"
        pair = base64.b64encode(f"{self.spec.key_id}:{self.spec.key_secret}".encode()).decode()
        return "right" if hmac.compare_digest(given.encode(), f"Basic {pair}".encode()) else "wrong"

    def failure(self, status: int, message: str, *, http_status: int | None = None) -> Response:
        return envelopes.failure(status, message, http_status or status)

    def too_many(self, fault: Fault) -> Response:
        refused = self.failure(429, "Too Many Requests")
        refused.headers["Retry-After"] = f"{fault.seconds:g}"
        return refused

    def master(self, visit: Visit) -> Master:
        """The run that the path names."""
        found = self.masters.find(visit.part("master_id"))
        if found is None:
            raise HTTPException(404, "Not Found: Master not found")
        return found

    def refused_as_archived(self, visit: Visit, master: Master) -> JSONResponse | None:
        """The answer to whoever wants a report of an archived run."""
        if visit.fault("archived_in_200"):
            return envelopes.failure(422, ARCHIVED, 200)
        return envelopes.failure(422, ARCHIVED, 422) if master.is_archived or visit.fault("archived") else None
