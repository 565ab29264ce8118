"""The lines of k6's `--out json` for tests, and what their reader makes of them."""

import io
import json
from typing import Any

from perfsuite.samples.readers import k6_json
from perfsuite.samples.rows import ReadReport, Row

END = "2026-11-21T04:17:30.630560313Z"
END_US = 1_795_234_650_630_560
TAGS = {
    "expected_response": "true",
    "group": "",
    "method": "GET",
    "name": "Pets",
    "status": "200",
    "url": "http://x/pets",
}


def written(content: Any) -> str:
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False) + "\n"


def metric(name: str) -> str:
    return written({"type": "Metric", "data": {"name": name, "type": "trend"}, "metric": name})


def point(name: str, value: Any, tags: dict[str, Any] | None = None, time: Any = END) -> str:
    return written({"metric": name, "type": "Point", "data": {"time": time, "value": value, "tags": tags or TAGS}})


def request(value: Any = 6.25, time: Any = END, **tags: Any) -> str:
    """A duration alone. A tag of None is left out."""
    merged = {name: tag for name, tag in (TAGS | tags).items() if tag is not None}
    return point("http_req_duration", value, merged, time)


def whole_request(time: str = END, **tags: Any) -> str:
    """All that k6 writes about one request."""
    values = {"http_reqs": 1, "http_req_duration": 6.25, "http_req_blocked": 3.5, "http_req_connecting": 0.5}
    values |= {
        "http_req_tls_handshaking": 1.25,
        "http_req_sending": 0.25,
        "http_req_waiting": 5,
        "http_req_receiving": 1,
    }
    return "".join(point(name, value, TAGS | tags, time) for name, value in values.items())


def rows_of(data: str | bytes) -> tuple[list[Row], ReadReport]:
    report = ReadReport()
    stream = io.BytesIO(data.encode() if isinstance(data, str) else data)
    return list(k6_json.read(stream, report, lambda _: None)), report
