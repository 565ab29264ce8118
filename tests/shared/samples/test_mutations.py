"""Damaged files: never anything but an error of ours, never a row lost without a word, never a wrong column.

Wherever a damaged file is still a good one by a strict reading of its own, in plain Python, the numbers must agree.
"""

import csv
import gzip
import io
import json
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from hypothesis import given, settings
from hypothesis import strategies as st

import jtl
from perfsuite.errors import PerfsuiteError
from perfsuite.samples.definitions import Choice
from perfsuite.samples.engine import Engine
from perfsuite.samples.options import DEFAULT_READ
from perfsuite.samples.summary import Summary, summarise_with

CSV = jtl.text(
    [
        jtl.sample(),
        jtl.sample(label="Cart, full", elapsed=250, threadName="Users 1-2", responseMessage='say "hi"'),
        jtl.sample(label="Größe\nzwei", elapsed=31, success="false", responseCode="500", failureMessage="no | such"),
        jtl.sample(label="Home", elapsed=0, bytes=0, timeStamp=jtl.START_MS + 60_000),
        jtl.sample(label="", elapsed=7, success="false", responseCode=""),
    ]
).encode()
PLAIN_CSV = jtl.text(
    [jtl.sample(elapsed=10 * i, label=f"L{i % 3}", bytes=i, allThreads=i) for i in range(1, 9)],
    ("timeStamp", "elapsed", "label", "success", "bytes", "allThreads"),
).encode()
XML = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<testResults version="1.2">\n'
    + b"".join(
        b'<httpSample t="%d" lt="3" ts="1700000000%03d" s="%s" lb="Home &amp; %d" rc="200" rm="OK" tn="U 1-1" by="9">\n'
        b"  <java.net.URL>http://shop.example/?a=1&amp;b=2</java.net.URL>\n</httpSample>\n"
        % (i * 10, i, b"true" if i % 3 else b"false", i % 2)
        for i in range(1, 6)
    )
    + b'<sample t="5" ts="1700000000500" s="true" lb="Script"/>\n</testResults>\n'
)


def k6_point(metric: str, value: float, **tags: str) -> str:
    data = {"time": "2026-11-21T04:17:30.63Z", "value": value, "tags": {"name": "Pets", "status": "200"} | tags}
    return json.dumps({"metric": metric, "type": "Point", "data": data}, separators=(",", ":")) + "\n"


K6_JSON = "".join(
    k6_point("http_reqs", 1) + k6_point("http_req_duration", 6.25 * i, expected_response="true" if i % 2 else "false")
    for i in range(1, 6)
).encode()
K6_CSV = (
    "metric_name,timestamp,metric_value,check,error,error_code,expected_response,group,method,name,status,url\n"
    + "".join(
        f"http_reqs,1633706790,1.000000,,,,true,,GET,https://x/,200,https://x/\n"
        f"http_req_duration,1633706790,{i}.25,,,,{'true' if i % 2 else 'false'},,GET,https://x/,200,https://x/\n"
        for i in range(1, 6)
    )
).encode()


TOKENS = st.sampled_from(
    [b'"', b'""', b"'", b",", b";", b"\t", b"\n", b"\r\n", b"\r", b"\0", b"\xff", b"\xe9", b"\xef\xbb\xbf", b"<", b">",
     b"&", b"&#0;", b"]]>", b"<!DOCTYPE x [<!ENTITY a 'b'>]>", b"{", b"}", b"[", b"null", b"NaN", b"inf", b"-", b"-1",
     b".", b"1e999", b"9" * 30, b"1_0", b"0x1", b"true", b"false", b"timeStamp", b"label", b"2021-02-30 00:00:00",
     b"Number of samples in transaction : 0,", b"10.0.0.1:1099-", b"Home-0"]
)  # fmt: skip
Change = Callable[[bytes], bytes]


def at(share: float, data: bytes) -> int:
    return min(len(data), int(share * (len(data) + 1)))


def replaced(first: float, second: float, by: Callable[[bytes], bytes]) -> Change:
    def change(data: bytes) -> bytes:
        low, high = sorted((at(first, data), at(second, data)))
        return data[:low] + by(data[low:high]) + data[high:]

    return change


def flipped(share: float, value: int) -> Change:
    return lambda data: data[: at(share, data)] + bytes([value]) + data[at(share, data) + 1 :]


def inserted(share: float, token: bytes) -> Change:
    return lambda data: data[: at(share, data)] + token + data[at(share, data) :]


def among(separator: bytes, first: float, second: float, what: str) -> Change:
    """Swap, repeat or drop pieces between separators: fields, lines, attributes."""

    def change(data: bytes) -> bytes:
        pieces = data.split(separator)
        i, j = (min(len(pieces) - 1, int(share * len(pieces))) for share in (first, second))
        if what == "swap":
            pieces[i], pieces[j] = pieces[j], pieces[i]
        elif what == "repeat":
            pieces.insert(j, pieces[i])
        else:
            del pieces[i]
        return separator.join(pieces)

    return change


shares = st.floats(0, 1, exclude_max=True)
byte_changes = st.one_of(
    st.builds(flipped, shares, st.integers(0, 255)),
    st.builds(inserted, shares, TOKENS),
    st.builds(inserted, shares, st.binary(max_size=3)),
    st.builds(replaced, shares, shares, st.just(lambda _: b"")),
    st.builds(replaced, shares, shares, st.just(lambda piece: piece * 2)),
    st.builds(replaced, shares, st.just(1.0), st.just(lambda _: b"")),
)
field_changes = st.builds(
    among, st.sampled_from([b",", b"\n", b" ", b'"']), shares, shares, st.sampled_from(["swap", "repeat", "drop"])
)
changes = st.one_of(byte_changes, field_changes)


def damaged(*good: bytes) -> st.SearchStrategy[bytes]:
    def apply(data: bytes, done: list[Change]) -> bytes:
        for change in done:
            data = change(data)
        return data

    return st.builds(apply, st.sampled_from(good), st.lists(changes, min_size=1, max_size=3))


@dataclass(frozen=True)
class Totals:
    """What a strict reader finds in a file without a fault."""

    rows: int
    errors: int
    elapsed_ms: float
    labels: frozenset[str]


def read(engine: Engine, content: bytes) -> Summary | None:
    """The summary; None where the file was refused, which must be with a sentence and a next step."""
    with tempfile.TemporaryDirectory() as folder:
        path = jtl.put(Path(folder), content, "damaged")
        found = refusal = None
        try:
            found = summarise_with(engine, [path], DEFAULT_READ, Choice(), None)
        except PerfsuiteError as error:
            refusal = error
    if found is None:
        assert refusal
        assert refusal.message
        assert refusal.next_step
        return None
    shown = jtl.as_json(found)
    assert len(shown["rejected"]) == min(100, shown["rows_rejected"])
    assert all(row["line"] >= 1 and row["reason"] for row in shown["rejected"])
    return found


def assert_agrees(found: Summary | None, expected: Totals | None) -> None:
    if expected is None or not expected.rows:
        return
    assert found is not None
    assert sum(file.rows_rejected for file in found.files) == 0
    assert found.rows_read == expected.rows
    assert sum(one.errors for one in found.labels) == expected.errors
    assert abs(sum(one.samples * (one.mean_ms or 0) for one in found.labels) - expected.elapsed_ms) < 1e-3
    assert {one.label for one in found.labels} == expected.labels


WHOLE = re.compile(r"\d{1,9}", re.ASCII)
STAMP = re.compile(r"1[67]\d{11}", re.ASCII)
NUMERIC = ("bytes", "sentBytes", "grpThreads", "allThreads", "Latency", "IdleTime", "Connect")


def strictly(content: bytes) -> Totals | None:
    """The totals of a CSV file in which nothing at all is out of order."""
    try:
        text = content.decode()
        if "\0" in text or "\r" in text.replace("\r\n", "\n") or not text.endswith("\n"):
            return None
        records = [record for record in csv.reader(io.StringIO(text, newline=""), strict=True) if record]
    except (UnicodeDecodeError, csv.Error):
        return None
    header, *rows = records or [[]]
    if len(set(map(str.lower, header))) < len(header) or not {"timeStamp", "elapsed", "label", "success"} <= {*header}:
        return None
    named = [dict(zip(header, row, strict=False)) for row in rows]
    if not all(len(row) == len(header) and is_good(one) for row, one in zip(rows, named, strict=True)):
        return None
    return Totals(
        rows=len(rows),
        errors=sum(one["success"] == "false" for one in named),
        elapsed_ms=sum(int(one["elapsed"]) for one in named),
        labels=frozenset(one["label"] for one in named),
    )


def is_good(row: dict[str, str]) -> bool:
    numbers = [row[name] for name in NUMERIC if row.get(name)]
    return bool(
        STAMP.fullmatch(row["timeStamp"])
        and WHOLE.fullmatch(row["elapsed"])
        and row["success"] in {"true", "false"}
        and all(map(WHOLE.fullmatch, numbers))
        and not row.get("label", "").startswith("\ufeff")
    )


def lines_of(content: bytes) -> int | None:
    """How many rows there must be, read or rejected; None where quotes let a row run over several lines."""
    if b'"' in content or content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return None
    header, *lines = [
        line.strip(b"\r") for line in content.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf \t\r\n").split(b"\n")
    ]
    return sum(bool(line) and line.strip().lower() != header.strip().lower() for line in lines)


def strictly_xml(content: bytes) -> Totals | None:
    try:
        root = ElementTree.fromstring(content)  # noqa: S314 - our own file, damaged by us, and a DOCTYPE is left out
    except (ElementTree.ParseError, ValueError, LookupError):
        return None
    found = [one.attrib for one in root.iter() if one.tag in {"sample", "httpSample"}]
    good = all(
        STAMP.fullmatch(one.get("ts", "")) and WHOLE.fullmatch(one.get("t", "")) and one.get("s") in {"true", "false"}
        for one in found
    )
    direct = sum(one.tag in {"sample", "httpSample"} for one in root)
    if root.tag != "testResults" or not good or b"<!" in content or direct != len(found):
        return None
    return Totals(
        rows=len(found),
        errors=sum(one["s"] == "false" for one in found),
        elapsed_ms=sum(int(one["t"]) for one in found),
        labels=frozenset(one.get("lb", "") for one in found),
    )


def strictly_k6(content: bytes) -> Totals | None:
    try:
        points = [json.loads(line) for line in content.decode().split("\n") if line]
        found = [point["data"] for point in points if point["metric"] == "http_req_duration"]
        known = all(
            point["type"] == "Point" and point["metric"].startswith("http_req") and point["data"]["tags"]
            for point in points
        )
        good = all(
            data["time"] == "2026-11-21T04:17:30.63Z"
            and type(data["value"]) in {int, float}
            and 0 <= data["value"] < 1e6
            and data["tags"]["expected_response"] in {"true", "false"}
            and data["tags"]["name"]
            and "\0" not in data["tags"]["name"]
            and data["tags"]["name"].isprintable()
            for data in found
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    if not known or not good or not content.endswith(b"\n") or content.count(b'"value"') != len(points):
        return None
    return Totals(
        rows=len(found),
        errors=sum(data["tags"]["expected_response"] == "false" for data in found),
        elapsed_ms=sum(data["value"] for data in found),
        labels=frozenset(data["tags"]["name"] for data in found),
    )


@settings(max_examples=700, deadline=None)
@given(content=damaged(CSV, PLAIN_CSV))
def test_damaged_csv_is_read_rightly_or_refused(engine: Engine, content: bytes) -> None:
    found = read(engine, content)
    assert_agrees(found, strictly(content))
    expected = lines_of(content)
    if found is not None and expected is not None and found.files[0].format == "jtl-csv":
        assert found.rows_read + found.files[0].rows_rejected == expected


@settings(max_examples=500, deadline=None)
@given(content=damaged(XML))
def test_damaged_xml_is_read_rightly_or_refused(engine: Engine, content: bytes) -> None:
    assert_agrees(read(engine, content), strictly_xml(content))


@settings(max_examples=400, deadline=None)
@given(content=damaged(K6_JSON))
def test_damaged_k6_json_is_read_rightly_or_refused(engine: Engine, content: bytes) -> None:
    assert_agrees(read(engine, content), strictly_k6(content))


@settings(max_examples=300, deadline=None)
@given(content=damaged(K6_CSV))
def test_damaged_k6_csv_is_read_rightly_or_refused(engine: Engine, content: bytes) -> None:
    found = read(engine, content)
    if content == K6_CSV:
        assert_agrees(found, Totals(5, 2, 16.25, frozenset({"https://x/"})))


@settings(max_examples=150, deadline=None)
@given(content=damaged(*(gzip.compress(good, mtime=0) for good in (CSV, XML, K6_JSON, K6_CSV))))
def test_a_damaged_archive_is_read_as_far_as_it_goes_or_refused(engine: Engine, content: bytes) -> None:
    found = read(engine, content)
    assert found is None or found.rows_read > 0


def totals(expected: Totals | None) -> Any:
    assert expected is not None
    return expected


def test_the_strict_readers_of_this_file_agree_with_undamaged_files(engine: Engine) -> None:
    for content, strict in ((CSV, strictly), (PLAIN_CSV, strictly), (XML, strictly_xml), (K6_JSON, strictly_k6)):
        expected = totals(strict(content))
        assert expected.rows >= 5
        assert_agrees(read(engine, content), expected)
