"""The logs of a session, and the storage that has them."""

import hashlib
import hmac
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from anyio.to_thread import run_sync
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, PlainTextResponse, Response

from perfsuite.sandbox.blazemeter import zips
from perfsuite.sandbox.blazemeter.envelopes import answer
from perfsuite.sandbox.blazemeter.masters import Master, Session
from perfsuite.sandbox.blazemeter.standin import BlazeMeterStandIn
from perfsuite.sandbox.blazemeter.tables import API, PREFIX, STORAGE
from perfsuite.sandbox.standins.visits import Visit

EXPIRES_S: Final = 3600
_KEY: Final = b"sandbox signature"
_OLD, _NEW, _LOG = "jtls_and_more.zip", "artifacts.zip", "bzt.log"
_LOG_FAULTS: Final = ("archived", "archived_in_200", "not_ready", "relative_url", "old_names", "no_archive")
_PATH: Final = "/bucket/masters/{master_id}/sessions/{session_id}/{name}"


@API.route(
    "GET", "/sessions/{session_id}/reports/logs", name="session_logs", evidence="source",
    note="no recorded body is public", faults=_LOG_FAULTS,
)  # fmt: skip
async def session_logs(standin: BlazeMeterStandIn, visit: Visit) -> Response:
    master, session = _found(standin, visit)
    if refused := standin.refused_as_archived(visit, master):
        return refused
    data_url = f"{PREFIX}/sessions/{session.id}/reports/logs/data"
    told = {
        "hash": "logs",
        "session_id": session.id,
        "dataUrl": data_url,
        "data": _files(standin, visit, master, session),
    }
    return answer(told)


@API.route(
    "GET", "/sessions/{session_id}/reports/logs/data", name="session_logs_data", evidence="source", faults=_LOG_FAULTS
)  # fmt: skip
async def session_logs_data(standin: BlazeMeterStandIn, visit: Visit) -> Response:
    master, session = _found(standin, visit)
    return standin.refused_as_archived(visit, master) or answer(_files(standin, visit, master, session))


@API.route(
    "GET", "/sessions/{session_id}/{name}", name="session_file", evidence="source", note="behind a relative address",
    faults=zips.HOSTILE,
)  # fmt: skip
async def session_file(standin: BlazeMeterStandIn, visit: Visit) -> Response:
    master, session = _found(standin, visit)
    if visit.part("name") == _LOG:
        return PlainTextResponse(zips.bzt_log(master, session))
    return await _archive(standin, visit, master, session)


@STORAGE.route(
    "GET", _PATH, name="storage", evidence="source", is_open=True, faults=(*zips.HOSTILE, "expired"),
    note="how it refuses is how such storage does in general",
)  # fmt: skip
async def storage(standin: BlazeMeterStandIn, visit: Visit) -> Response:
    """A signed address is enough; whoever sends credentials too is refused, as such storage does."""
    if "authorization" in visit.request.headers:
        return _refused(400, "InvalidArgument", "Only one auth mechanism allowed")
    expires = visit.number("X-Amz-Expires-At", 0) or 0
    signature = visit.value("X-Amz-Signature") or ""
    if not hmac.compare_digest(signature.encode(), _signature(visit.request.url.path, expires).encode()):
        return _refused(403, "SignatureDoesNotMatch", "The request signature does not match")
    if visit.fault("expired") or expires < standin.clock.now():
        return _refused(403, "AccessDenied", "Request has expired")
    return await _archive(standin, visit, *_found(standin, visit))


def _found(standin: BlazeMeterStandIn, visit: Visit) -> tuple[Master, Session]:
    found = standin.masters.session(visit.part("session_id"))
    if found is None:
        raise HTTPException(404, "Not Found: Session not found")
    return found


def _files(standin: BlazeMeterStandIn, visit: Visit, master: Master, session: Session) -> list[dict[str, Any]]:
    name = _OLD if visit.fault("old_names") else _NEW
    archive = {"title": "Artifacts", "filename": name}
    age, ends = master.age(standin.clock.now()), master.timeline.ends_s
    if age >= ends + standin.spec.logs_after_s and not visit.fault("not_ready"):
        is_relative = bool(visit.fault("relative_url"))
        archive["dataUrl"] = (
            f"{PREFIX}/sessions/{session.id}/{name}" if is_relative else _signed(standin, master, session, name)
        )
    log = f"{PREFIX}/sessions/{session.id}/{_LOG}"
    logs = [{"title": _LOG, "filename": _LOG, "dataUrl": log, "tailDataUrl": f"{log}/tail"}]
    return logs if visit.fault("no_archive") else [archive, *logs]


def _signed(standin: BlazeMeterStandIn, master: Master, session: Session, name: str) -> str:
    path = _PATH.format(master_id=master.id, session_id=session.id, name=name)
    until = int(standin.clock.now()) + EXPIRES_S
    query = {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Credential": "sandbox/storage", "X-Amz-Expires": EXPIRES_S,
        "X-Amz-Expires-At": until, "X-Amz-Signature": _signature(path, until),
    }  # fmt: skip
    return f"{standin.storage_url}{path}?{urlencode(query)}"


def _signature(path: str, until: int) -> str:
    return hmac.new(_KEY, f"{path} {until}".encode(), hashlib.sha256).hexdigest()


async def _archive(standin: BlazeMeterStandIn, visit: Visit, master: Master, session: Session) -> Response:
    name = visit.part("name")
    rows = master.so_far(standin.clock.now())
    if name not in (_OLD, _NEW) or rows is None or master.ended(standin.clock.now()) is None:
        raise HTTPException(404, "Not Found")
    path = await run_sync(_packed, standin, visit, master, session)
    return FileResponse(path, media_type="application/zip", filename=name)


def _packed(standin: BlazeMeterStandIn, visit: Visit, master: Master, session: Session) -> Path:
    is_old = visit.part("name") == _OLD
    folder = standin.folder / "archives"
    sound = folder / f"{session.id}-{visit.part('name')}"
    with standin.zipping:
        folder.mkdir(exist_ok=True)
        rows = master.so_far(standin.clock.now())
        if not sound.exists() and rows is not None:
            zips.pack(sound, standin.spec, master, session, rows, old=is_old)
        kind = next((fault.kind for fault in visit.faults if fault.kind in zips.HOSTILE), None)
        if kind is None:
            return sound
        hostile = folder / f"{kind}-{sound.name}"
        if not hostile.exists():
            zips.pack_hostile(hostile, kind, sound)
        return hostile


def _refused(status: int, code: str, message: str) -> Response:
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return PlainTextResponse(text, status, media_type="application/xml")
