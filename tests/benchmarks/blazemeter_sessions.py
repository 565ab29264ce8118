"""Eight engines' results fetched from a server of this machine, unpacked and merged; against copying the same bytes.

The server and the work are processes of their own. How long and how large the work was until its file was merged is
noted by the work itself; what follows, reading the file into samples, has a line of its own.
"""

import hashlib
import json
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from measuring import Measured, interleaved

ENGINES = 8
MEGABYTES = 150
MOST_RATIO, MOST_MB = 10.0, 300.0
_ROUNDS = 3
_CHUNK = 1024 * 1024
_HEADER = (
    "timeStamp,elapsed,label,responseCode,responseMessage,threadName,success,bytes,grpThreads,allThreads,Latency,"
    "Hostname,Connect\n"
)
_START_MS = 1_790_000_000_000


def blazemeter(folder: Path, _rows: int) -> None:
    """Print how long it takes, and how much memory."""
    source = folder / "blazemeter"
    _generate(source)
    reading = Measured("reading the merged file into samples")

    def copied() -> tuple[float, float]:
        return _asked("copy", source)["copying"]

    def merged(url: str) -> tuple[float, float]:
        said = _asked("bring", folder / "sessions", url)
        seconds, megabytes = said["reading"]
        reading.seconds.append(seconds)
        reading.peak_mb.append(megabytes)
        return said["merging"]

    with _served(source) as url:
        measured = interleaved(
            {"reference: copying with SHA-256": copied, "download, extract, merge": lambda: merged(url)}, _ROUNDS
        )
    reference, ours = measured.values()
    for one in (*measured.values(), reading):
        print(one.line(reference))
    ratio, megabytes = ours.median_s / reference.median_s, max(ours.peak_mb)
    print(f"ratio {ratio:.1f}, at most {MOST_RATIO:g}; peak {megabytes:.0f} MB, at most {MOST_MB:g}")
    if ratio > MOST_RATIO or megabytes > MOST_MB:
        raise SystemExit("The sessions of BlazeMeter take too long, or too much memory.")


def _generate(folder: Path) -> None:
    """The results of every engine, plain and as the archive that BlazeMeter makes of them."""
    folder.mkdir(exist_ok=True)
    for engine in range(ENGINES):
        plain, archive = folder / f"kpi-{engine}.jtl", folder / f"engine-{engine}.zip"
        if archive.exists():
            continue
        _write(plain, engine)
        with zipfile.ZipFile(archive.with_suffix(".part"), "w", zipfile.ZIP_DEFLATED, compresslevel=4) as made:
            made.write(plain, "kpi.jtl")
            made.writestr("jmeter.log", "INFO o.a.j.JMeter: Version 5.5\n")
        archive.with_suffix(".part").rename(archive)


def _write(path: Path, engine: int) -> None:
    size, number = 0, 0
    with path.open("w", encoding="ascii") as file:
        file.write(_HEADER)
        while size < MEGABYTES * 1_000_000:
            number += 1
            elapsed = 20 + (number * 7919 + engine * 31) % 880
            stamp = _START_MS + number * 3 + (number * 104_729) % 5 - elapsed
            code = "500,Internal Server Error" if number % 500 == 0 else "200,OK"
            size += file.write(
                f"{stamp},{elapsed},{number % 40:02d} GET /api/v1/resource,{code},Checkout 1-{number % 200},"
                f"{'false' if number % 500 == 0 else 'true'},{1200 + number % 900},200,200,{elapsed - 10},"
                f"ip-10-0-0-{engine},{number % 5}\n"
            )


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    command = [sys.executable, __file__, "serve", str(folder)]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdin is not None
    assert server.stdout is not None
    try:
        yield server.stdout.readline().strip()
    finally:
        server.stdin.close()
        server.wait()


def _asked(*command: object) -> dict[str, tuple[float, float]]:
    """What the process says of each part of its work: seconds, and megabytes at the most until then."""
    done = subprocess.run(
        [sys.executable, __file__, *map(str, command)], check=True, capture_output=True, text=True
    )  # fmt: skip
    said = map(json.loads, done.stdout.splitlines())
    return {one["what"]: (one["seconds"], one["megabytes"]) for one in said}


def copy(source: Path) -> None:
    """Copy every result file, and hash it on the way."""
    began = time.perf_counter()
    target = source / "copy"
    for engine in range(ENGINES):
        digest = hashlib.sha256()
        with (source / f"kpi-{engine}.jtl").open("rb") as file, target.open("wb") as sink:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                sink.write(chunk)
    _say("copying", time.perf_counter() - began)


def bring(folder: Path, url: str) -> None:
    """Bring the sessions of the run, and say what it took until they were merged, and then until they were read."""
    import shutil

    from perfsuite.artifacts import RunStore
    from perfsuite_blazemeter.service.desk import connection
    from perfsuite_blazemeter.service.sessions import SessionsRequest, bring_sessions

    shutil.rmtree(folder, ignore_errors=True)
    os.environ.update(BLAZEMETER_BASE_URL=url, API_KEY_ID="benchmark-id", API_KEY_SECRET="benchmark-secret")
    began = time.perf_counter()
    merged_at: list[float] = []

    def tell(_share: float, what: str) -> None:
        if what == "reading samples" and not merged_at:
            merged_at.append(time.perf_counter())
            _say("merging", merged_at[0] - began)

    bring_sessions(RunStore(folder), SessionsRequest("1"), connection, tell, lambda: False)
    _say("reading", time.perf_counter() - merged_at[0])
    shutil.rmtree(folder)


def _say(what: str, seconds: float) -> None:
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    megabytes = peak / (1e6 if sys.platform == "darwin" else 1e3)
    print(json.dumps({"what": what, "seconds": seconds, "megabytes": megabytes}), flush=True)


def serve(folder: Path) -> None:
    """Answer as BlazeMeter does, until standard input ends."""
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import FileResponse, JSONResponse, Response
    from starlette.routing import Route

    from perfsuite.sandbox.serving import serving

    async def answer(request: Request) -> Response:
        place = request.url.path.removeprefix("/api/v4")
        ids = [f"engine-{engine}" for engine in range(ENGINES)]
        fixed: dict[str, object] = {
            "/masters/1": {"id": 1, "ended": 1_790_001_000},
            "/masters/1/status": {"progress": 140, "status": "ENDED"},
            "/masters/1/sessions": {"sessions": [{"id": name} for name in ids]},
        }
        if place in fixed:
            return JSONResponse({"error": None, "result": fixed[place]})
        name = place.split("/")[2]
        if place.endswith(".zip"):
            return FileResponse(folder / f"{name}.zip")
        file = {"filename": "artifacts.zip", "dataUrl": f"/api/v4/files/{name}/artifacts.zip"}
        return JSONResponse({"error": None, "result": {"data": [file]}})

    with serving(Starlette(routes=[Route("/{path:path}", answer)])) as url:
        print(f"{url}/api/v4", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    what, place, *rest = sys.argv[1:]
    if what == "bring":
        bring(Path(place), *rest)
    else:
        {"copy": copy, "serve": serve}[what](Path(place))
