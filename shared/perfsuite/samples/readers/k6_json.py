"""The reader of k6's `--out json`: one JSON document per line, most of which are not about whole requests.

A line is told by the name of its metric before anything is parsed, because nine lines of ten are of no use here. k6
writes the measurements of one request one after the other, with the same time and the same tags, so that those that
follow a duration are joined to it by comparing bytes. Times are those of the end.
"""

import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, BinaryIO, Final

from perfsuite.errors import BadFile
from perfsuite.samples.columns import EARLIEST_US, LATEST_US, LONGEST_US
from perfsuite.samples.readers import k6
from perfsuite.samples.rows import ReadReport, Row, printable

_LONGEST_LINE: Final = 1_000_000
_HEAD: Final = 64 * 1024
_PROGRESS_STEP: Final = 4_000_000
_KNOWN_METRICS: Final = 1_000
_SHOWN_METRICS: Final = 20
_HIGHEST_USERS: Final = 2**31 - 1
_LONGEST_MS: Final = LONGEST_US / 1_000

_PHASES: Final = frozenset({"http_req_connecting", "http_req_tls_handshaking", "http_req_sending", "http_req_waiting"})
_USEFUL: Final = _PHASES | k6.KINDS.keys() | {"vus"}
_COLUMNS: Final = frozenset(
    {"started_at", "elapsed_us", "label", "success", "response_code", "response_message", "failure_message", "url"}
)

_START: Final = b'{"metric":"'
_STAMP: Final = re.compile(rb'"time":"[^"\\]{1,64}","value":')
_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d)(?:\.(\d{1,12}))?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_SUMMARY: Final = re.compile(rb'"(?:root_group|metrics)"\s*:\s*[\[{]')


def read(stream: BinaryIO, report: ReadReport, progress: Callable[[int], None]) -> Iterator[Row]:
    """The requests and groups of a k6 NDJSON file, in its order."""
    report.columns.update(_COLUMNS)
    report.dialect["timestamps"] = "ends, turned into starts"
    points = _Points(report)
    lines = _Lines(stream, points.useless, report, progress)
    for number, line in lines:
        row = points.take(number, line)
        if row is not None:
            report.rows_read += 1
            yield row
    row = points.last()
    if row is not None:
        report.rows_read += 1
        yield row
    if points.requests == 0:
        raise _no_requests(points.metrics(), lines.head)


class _Lines:
    """The lines of a stream that may be of use, with their numbers; those that are too long are rejected."""

    def __init__(
        self, stream: BinaryIO, useless: set[bytes], report: ReadReport, progress: Callable[[int], None]
    ) -> None:
        self._stream = stream
        self._useless = useless
        self._report = report
        self._progress = progress
        self._number = 0
        self._unreported = 0
        self.head = b""
        """Where the file began, as far as it was of use."""

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        # Nine lines of fourteen end in the first branch: it is what the speed of the reader depends on.
        useless, after, readline = self._useless, len(_START), self._stream.readline
        while line := readline(_LONGEST_LINE):
            self._number += 1
            self._unreported += len(line)
            if line[: line.find(b'"', after)] in useless and line.endswith(b"}\n"):
                continue
            self._note(line)
            if len(line) == _LONGEST_LINE and not line.endswith(b"\n"):
                self._skip_rest()
            else:
                yield self._number, line
        self._progress(self._unreported)

    def _note(self, line: bytes) -> None:
        if len(self.head) < _HEAD:
            self.head += line[:_HEAD]
        if self._unreported >= _PROGRESS_STEP:
            self._progress(self._unreported)
            self._unreported = 0

    def _skip_rest(self) -> None:
        self._report.reject(self._number, f"the line is longer than {_LONGEST_LINE:,} bytes")
        while line := self._stream.readline(_LONGEST_LINE):
            self._unreported += len(line)
            self._note(b"")
            if line.endswith(b"\n"):
                return


class _Request:
    """A request whose other measurements may still follow."""

    __slots__ = ("phases", "row", "stamp", "tags")

    def __init__(self, row: Row, stamp: bytes, tags: bytes) -> None:
        self.row = row
        self.stamp = stamp
        """The time up to where the value begins, as it is written; empty where it cannot be told."""
        self.tags = tags
        """What stands behind the value, as it is written."""
        self.phases: dict[str, float] = {}


class _Points:
    """Turns lines into rows. A row is held back until the next one begins."""

    def __init__(self, report: ReadReport) -> None:
        self.requests = 0
        self.useless: set[bytes] = set()
        """How the lines begin that say nothing about a request, as far as they were seen."""
        self._report = report
        self._metrics: dict[bytes, str] = {}
        self._held: _Request | None = None
        self._users: int | None = None
        self._second = ""
        self._second_us = 0

    def take(self, number: int, line: bytes) -> Row | None:
        """Take a line; return the row before it when this line begins another."""
        try:
            return self._taken(line)
        except (ValueError, RecursionError) as error:
            reason = "JSON nested too deep" if isinstance(error, RecursionError) else str(error)
            if not line.endswith(b"\n"):
                self._report.warn("The last line is cut off; it was left out.")
                reason = f"torn last line: {reason}"
            self._report.reject(number, reason)
            return None

    def last(self) -> Row | None:
        """The row that is still held back."""
        held, self._held = self._held, None
        return None if held is None else self._finished(held)

    def metrics(self) -> list[str]:
        return sorted(set(self._metrics.values()))

    def _taken(self, line: bytes) -> Row | None:
        metric = self._metrics.get(line[: line.find(b'"', len(_START))])
        if metric is None:
            return self._unusual(line)
        if metric in _PHASES:
            self._join(metric, line)
            return None
        return self._point(metric, _document(line), line)

    def _unusual(self, line: bytes) -> Row | None:
        """A line whose metric was not seen before, or which is written in another way."""
        if not line.strip(b"\xef\xbb\xbf \t\r\n"):
            return None
        document = _document(line)
        match document.get("metric"):
            case str(metric):
                self._remember(metric)
            case _:
                raise ValueError("it has no metric")
        if metric in _PHASES:
            self._join(metric, line)
            return None
        return self._point(metric, document, line)

    def _remember(self, metric: str) -> None:
        if len(self._metrics) < _KNOWN_METRICS:
            beginning = _START + metric.encode("utf-8", "replace")
            self._metrics[beginning] = metric
            if metric not in _USEFUL:
                self.useless.add(beginning)

    def _point(self, metric: str, document: dict[str, Any], line: bytes) -> Row | None:
        if document.get("type") != "Point":
            return None
        match document.get("data"):
            case dict(data):
                return self._used(metric, data, line)
            case _:
                raise ValueError("it has no data")

    def _used(self, metric: str, data: dict[str, Any], line: bytes) -> Row | None:
        if metric == "vus":
            self._users = round(_within(0, _real("vus", data.get("value")), _HIGHEST_USERS, "a number of users"))
            self._report.columns.add("all_threads")
        elif k6.KINDS.get(metric) == "sample":
            self.requests += 1
            row = self._row(metric, data)
            stamp = _stamp(line)
            return self._hold(_Request(row, stamp, _behind(line, line.find(stamp) + len(stamp))))
        elif metric in k6.KINDS:
            return self._hold(_Request(self._row(metric, data), b"", b""))
        return None

    def _hold(self, request: _Request) -> Row | None:
        before = self.last()
        self._held = request
        return before

    def _join(self, metric: str, line: bytes) -> None:
        """Keep a phase of the request before it."""
        held = self._held
        if held is None or not held.stamp or (at := line.find(held.stamp)) < 0:
            return
        at += len(held.stamp)
        if _behind(line, at) == held.tags:
            held.phases.setdefault(metric, _milliseconds(float(line[at : line.find(b",", at)])))

    def _finished(self, held: _Request) -> Row:
        phases = held.phases
        if not phases:
            return held.row
        # JMeter's connect time includes the TLS handshake, and its latency begins before the request is sent.
        connect = _sum(phases, "http_req_connecting", "http_req_tls_handshaking")
        latency = _sum(phases, "http_req_sending", "http_req_waiting")
        self._report.columns.update(
            name for name, value in (("connect_ms", connect), ("latency_ms", latency)) if value is not None
        )
        return held.row._replace(connect_ms=connect, latency_ms=latency)

    def _row(self, metric: str, data: dict[str, Any]) -> Row:
        elapsed_ms = _milliseconds(data.get("value"))
        elapsed_us = round(elapsed_ms * 1_000)
        ended_us = self._microseconds(data.get("time"))
        raw_tags = data.get("tags")
        tags = raw_tags if isinstance(raw_tags, dict) else {}
        text = self._report.text_of
        kind = k6.KINDS[metric]
        error, url, status = text(_tag(tags, "error")), text(_tag(tags, "url")), text(_tag(tags, "status"))
        success = k6.succeeded(
            metric,
            expected=_tag(tags, "expected_response"),
            error=error or _tag(tags, "error_code"),
            status=_tag(tags, "status"),
        )
        label = (
            text(_tag(tags, "group").removeprefix("::")) if kind == "transaction" else text(_tag(tags, "name")) or url
        )
        return Row(
            started_us=ended_us - elapsed_us,
            elapsed_us=elapsed_us,
            label=label or "",
            kind=kind,
            success=success,
            sample_count=1,
            error_count=0 if success else 1,
            response_code=None if status == "0" else status,
            response_message=error or text(_tag(tags, "error_code")),
            failure_message=error,
            all_threads=self._users,
            url=url,
        )

    def _microseconds(self, time: object) -> int:
        match = _TIME.fullmatch(time) if isinstance(time, str) else None
        if match is None:
            raise ValueError(f"time is {_shown(time)}, which is not a time of RFC 3339")
        second, fraction, zone = match.groups()
        if second + zone != self._second:
            self._second_us = round(datetime.fromisoformat(second.upper() + zone.upper()).timestamp()) * 1_000_000
            self._second = second + zone
        moment_us = self._second_us + (int(fraction[:6].ljust(6, "0")) if fraction else 0)
        if not EARLIEST_US <= moment_us < LATEST_US:
            raise ValueError(f"time {_shown(time)} is not between 1990 and 2100")
        return moment_us


def _document(line: bytes) -> dict[str, Any]:
    try:
        content = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ValueError("the line is not UTF-8") from None
    except ValueError as error:
        raise ValueError(f"the line is not JSON: {error}") from None
    match content:
        case dict(document):
            return document
        case _:
            raise ValueError("the line is not a JSON object")


def _stamp(line: bytes) -> bytes:
    found = _STAMP.search(line)
    return found.group() if found else b""


def _behind(line: bytes, value_at: int) -> bytes:
    """What follows the value. Older versions of k6 wrote the metric at the end, which is left out."""
    behind = line[line.find(b",", value_at) :]
    return behind if behind.endswith(b"}}}\n") else behind.partition(b'},"metric":"')[0]


def _real(name: str, value: object) -> float:
    match value:
        case bool():
            raise ValueError(f"{name} is {value}, which is not a number")
        case int() | float():
            return value
        case _:
            raise ValueError(f"{name} is {_shown(value)}, which is not a number")


def _within(lowest: float, value: float, highest: float, what: str) -> float:
    # Not a number is in no range, so that this refuses it as well.
    if not lowest <= value <= highest:
        raise ValueError(f"{value!r:.40} is not {what}")
    return value


def _milliseconds(value: object) -> float:
    return float(_within(0, _real("value", value), _LONGEST_MS, "a time in milliseconds that a request takes"))


def _tag(tags: dict[str, Any], name: str) -> str:
    """A tag as text. k6 writes only text; what others write in its place is taken as far as it has a meaning."""
    match tags.get(name):
        case str(text):
            return text
        case bool(truth):
            return str(truth).lower()
        case int(number):
            return str(number)
        case _:
            return ""


def _shown(value: object) -> str:
    """A value as a person may see it, whatever it is."""
    match value:
        case str():
            return repr(value[:40])
        case bool() | float() | None:
            return repr(value)
        case _:
            return f"of type {type(value).__name__}"


def _sum(phases: dict[str, float], first: str, second: str) -> float | None:
    return phases[first] + phases[second] if first in phases and second in phases else None


def _no_requests(metrics: list[str], head: bytes) -> BadFile:
    if not metrics and _SUMMARY.search(head):
        return BadFile(
            "This is a summary of k6 (--summary-export or handleSummary): it holds statistics, not single requests.",
            next_step="Run k6 with `--out json=FILE` and pass that file.",
        )
    shown = ", ".join(printable(metric, 60) for metric in metrics[:_SHOWN_METRICS])
    return BadFile(
        f"This k6 file has no request durations. Metrics found: {shown or 'none'}.",
        next_step="Pass the file of a test that sends HTTP or gRPC requests (http_req_duration, grpc_req_duration).",
    )
