"""What JMeter's XML says about samples, taken tag by tag while the parser reads."""

from typing import Any, Final

from perfsuite.errors import BadFile, LimitExceeded
from perfsuite.samples.columns import EARLIEST_US, LATEST_US, LONGEST_US, TRANSACTION_MESSAGE
from perfsuite.samples.readers.csv_rows import milliseconds
from perfsuite.samples.rows import MAX_TEXT, ReadReport, Row, printable

_DEEPEST: Final = 2_000
_HELD_BACK: Final = 32 * 1024 * 1024
_INT32: Final = 2**31 - 1
_INT64: Final = 2**63 - 1

_URL: Final = "java.net.URL"
_SAMPLE_TAGS: Final = frozenset({"sample", "httpSample"})
_ASSERTION_PARTS: Final = frozenset({"failure", "error", "failureMessage"})
_TRUTH: Final = {"true": True, "false": False}
_ATTRIBUTES: Final = {
    "ts": "started_at",
    "t": "elapsed_us",
    "lb": "label",
    "s": "success",
    "sc": "sample_count",
    "ec": "error_count",
    "rc": "response_code",
    "rm": "response_message",
    "tn": "thread",
    "hn": "engine",
    "by": "bytes",
    "sby": "sent_bytes",
    "ct": "connect_ms",
    "lt": "latency_ms",
    "it": "idle_ms",
    "ng": "group_threads",
    "na": "all_threads",
}
_OTHER_ATTRIBUTES: Final = frozenset({"dt", "de"})
_FAILURE_AT: Final = Row._fields.index("failure_message")
_URL_AT: Final = Row._fields.index("url")

_OTHER_DOCUMENTS: Final = {
    "FinalStatus": "the final statistics of Taurus: they are aggregated and hold no samples",
    "jmeterTestPlan": "a JMeter test plan, not its results",
    "testsuites": "a JUnit report: it holds no samples",
    "testsuite": "a JUnit report: it holds no samples",
    "html": "a web page, not a result file",
    "sample": "a JMeter result file whose beginning is missing",
    "httpSample": "a JMeter result file whose beginning is missing",
}


class _Sample:
    """A sample whose closing tag has not come yet."""

    __slots__ = ("fields", "indent", "top")

    def __init__(self, fields: list[object] | None, indent: int, top: "_Sample | None") -> None:
        self.fields = fields
        """In the order of `Row`; None when it was rejected."""
        self.indent = indent
        self.top = top or self


class XmlSamples:
    """What the parser calls. It keeps the samples that are open, and the rows that are done."""

    def __init__(self, report: ReadReport, *, has_end_stamps: bool = False) -> None:
        self.line = 0
        self.raw = b""
        self.starts = 0
        self.finished: list[Row] = []
        self.fault: str | None = None
        """Why the next sample must be rejected, whatever its attributes say."""
        self.is_ending = False
        self.is_quiet = False
        """Nothing was called since this was set."""
        self.has_root = False
        self._report = report
        self._has_end_stamps = has_end_stamps
        self._unseen = dict(_ATTRIBUTES)
        self._odd: set[str] = set()
        self._others: dict[str, None] = {}
        self._first: list[str] = []
        self._elements: list[_Sample | None] = []
        self._pending: list[_Sample] = []
        self._weight = 0
        self._top: _Sample | None = None
        self._is_indented = False
        self._text: list[str] | None = None
        self._room = 0
        self._assertion: dict[str, str] | None = None
        self._read = 0

    # The target interface of lxml.

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.is_quiet = False
        elements = self._elements
        if not elements:
            self._check_root(tag, attributes)
        elif len(elements) >= _DEEPEST:
            raise LimitExceeded(
                f"Line {self.line}: the XML is nested more than {_DEEPEST:,} tags deep.",
                next_step="JMeter does not write such files; check where it comes from.",
            )
        if tag in _SAMPLE_TAGS:
            elements.append(self._open(attributes))
        else:
            self._look_into(tag)
            elements.append(None)

    def data(self, text: str) -> None:
        self.is_quiet = False
        if self._text is not None and self._room > 0:
            self._text.append(text[: self._room])
            self._room -= len(text)

    def end(self, tag: str) -> None:
        self.is_quiet = False
        sample = self._elements.pop()
        if sample is not None:
            if sample is self._top:
                self._finish()
        elif self._text is not None:
            self._take_text(tag)
        elif tag == "assertionResult" and self._assertion is not None:
            self._judge(self._assertion)

    def doctype(self, name: str | None, *_: str | None) -> None:
        shown = printable(name or "", 40)
        if shown.lower() == "html":
            raise _wrong_document("html")
        raise BadFile(
            f"Line {self.line}: the file declares the document type {shown!r}, which could carry entities.",
            next_step="JMeter writes no <!DOCTYPE>; remove it if you trust the file.",
        )

    def close(self) -> None:
        """The parser is done; nothing is left to do."""

    # What the lines of the file tell.

    def is_left_open(self, line: bytes) -> bool:
        """Whether a sample that starts with this line cannot be part of the one that is still open."""
        return self._top is not None and self._is_indented and indent_of(line) <= self._top.indent

    def is_unclosed(self) -> bool:
        return bool(self._elements)

    def restart(self) -> None:
        """Forget the tags that are open, keep the samples."""
        self._finish()
        self._elements.clear()
        self._text = self._assertion = None

    def take(self) -> list[Row]:
        """The rows that are done, once."""
        rows, self.finished = self.finished, []
        self._read += len(rows)
        self._report.rows_read += len(rows)
        return rows

    def check(self) -> None:
        """Refuse a file none of whose samples could be used for want of a column."""
        if self.starts == 0 and self._others:
            raise BadFile(
                f"The file holds no <sample> or <httpSample>. Found instead: {', '.join(self._others)}.",
                next_step="Pass the file that JMeter's -l option or a listener wrote.",
            )
        missing = [name for name in ("ts", "t", "s") if name in self._unseen]
        if self._read == 0 and self.starts > 0 and missing:
            raise BadFile(
                f"No sample has the attribute {' or '.join(missing)}. Needed: ts, t, lb, s. "
                f"Found: {', '.join(self._first) or 'none'}.",
                next_step="Have JMeter save them (jmeter.save.saveservice.time, .timestamp_format=ms, .successful).",
            )

    # Samples.

    def _check_root(self, tag: str, attributes: dict[str, str]) -> None:
        if tag != "testResults":
            raise _wrong_document(tag)
        self.has_root = True
        if version := attributes.get("version"):
            self._report.dialect.setdefault("version", printable(version, 20))

    def _open(self, attributes: dict[str, str]) -> _Sample:
        self.starts += 1
        self._text = self._assertion = None
        parent = self._elements[-1]
        if parent is None or parent.top is not self._top:
            # Either the outermost sample, or one that stands where no sample can: the one before it was broken off.
            self._finish()
            parent = None
        elif self._weight > _HELD_BACK:
            self._report.warn(
                f"Line {self.line}: a sample has so many sub-results that it was passed on before its end."
            )
            self._emit()
        fields = self._fields(attributes, "sub" if parent else None)
        sample = _Sample(fields, 0 if parent else indent_of(self.raw), self._top)
        self._top = sample.top
        self._pending.append(sample)
        if parent is not None and fields is not None and parent.fields is not None and not self._has_end_stamps:
            self._compare(parent.fields, fields)
        return sample

    def _finish(self) -> None:
        self._emit()
        self._top = None

    def _emit(self) -> None:
        self.finished.extend(Row._make(sample.fields) for sample in self._pending if sample.fields is not None)
        self._pending.clear()
        self._weight = 0

    def _fields(self, attributes: dict[str, str], kind: str | None) -> list[object] | None:
        fault, self.fault = self.fault, None
        if self.is_ending:
            fault = "the file ends within its tag"
        if fault is None:
            self._notice(attributes)
            try:
                return self._parsed(attributes, kind)
            except ValueError as error:
                fault = str(error)
        self._report.reject(self.line, fault)
        return None

    def _parsed(self, attributes: dict[str, str], kind: str | None) -> list[object]:
        get = attributes.get
        text = self._report.text_of
        stamp_us, elapsed_us = _times(get("ts"), get("t"))
        success = _truth(get("s"))
        label, message = text(get("lb")) or "", text(get("rm"))
        self._weight += 1_000 + len(label) + len(message or "")
        if kind is None:
            kind = "transaction" if message is not None and message.startswith(TRANSACTION_MESSAGE) else "sample"
        return [
            stamp_us - elapsed_us if self._has_end_stamps else stamp_us,
            elapsed_us,
            label,
            kind,
            success,
            _count("sc", get("sc"), 1),
            _count("ec", get("ec"), 0 if success else 1),
            text(get("rc")),
            message,
            None,
            text(get("tn")),
            text(get("hn")),
            self._number("by", get("by"), _INT64),
            self._number("sby", get("sby"), _INT64),
            self._duration("ct", get("ct")),
            self._duration("lt", get("lt")),
            self._duration("it", get("it")),
            self._number("ng", get("ng"), _INT32),
            self._number("na", get("na"), _INT32),
            None,
        ]

    def _notice(self, attributes: dict[str, str]) -> None:
        """Remember which columns there are."""
        for name in self._unseen.keys() & attributes.keys():
            self._report.columns.add(self._unseen.pop(name))
        if not self._first:
            self._first = [printable(name, 40) for name in list(attributes)[:40]]
            variables = [name for name in self._first if name not in _ATTRIBUTES and name not in _OTHER_ATTRIBUTES]
            if variables:
                self._report.dialect["sample_variables"] = ", ".join(variables)

    def _compare(self, parent: list[Any], sub: list[Any]) -> None:
        """Where the times are ends, a sub-result ends before its parent and does not begin before it."""
        if sub[0] < parent[0] and sub[0] - sub[1] >= parent[0] - parent[1] - 2_000:
            self._report.dialect["timestamps"] = "probably ends"
            self._report.warn(
                "The time stamps look like the ends of the samples (sampleresult.timestamp.start=false), "
                "and were read as starts."
            )

    def _number(self, name: str, text: str | None, highest: int) -> int | None:
        """A number that a row can do without: one that is impossible is left out, and said."""
        if not text:
            return None
        if len(text) < 20 and text.isascii() and text.isdecimal() and (value := int(text)) <= highest:
            return value
        if name not in self._odd:
            self._odd.add(name)
            self._report.warn(f"Line {self.line}: {name} is {text[:40]!r}; such values were left out.")
        return None

    def _duration(self, name: str, text: str | None) -> float | None:
        value = self._number(name, text, LONGEST_US // 1000)
        return None if value is None else float(value)

    # The tags within a sample.

    def _look_into(self, tag: str) -> None:
        parent = self._elements[-1] if self._elements else None
        if parent is None:
            self._look_elsewhere(tag)
            return
        if not self._is_indented and self._top is not None:
            self._is_indented = indent_of(self.raw) > self._top.indent
        if tag == _URL:
            self._listen()
        elif tag == "assertionResult":
            self._assertion = {}
            self._report.columns.add("failure_message")

    def _look_elsewhere(self, tag: str) -> None:
        """A tag that does not stand directly in a sample."""
        if self._assertion is not None and tag in _ASSERTION_PARTS:
            self._listen()
        elif len(self._elements) == 1 and self.starts == 0 and len(self._others) < 10:
            self._others[f"<{printable(tag, 40)}>"] = None

    def _listen(self) -> None:
        self._text, self._room = [], MAX_TEXT + 1

    def _take_text(self, tag: str) -> None:
        text = "".join(self._text or ())
        if tag == _URL:
            self._text = None
            self._set_url(text)
        elif tag in _ASSERTION_PARTS:
            self._text = None
            if self._assertion is not None:
                self._assertion[tag] = text

    def _set_url(self, text: str) -> None:
        sample = self._elements[-1] if self._elements else None
        url = self._report.text_of(text.strip())
        if sample is not None and sample.fields is not None and url is not None and url != "null":
            self._report.columns.add("url")
            sample.fields[_URL_AT] = url

    def _judge(self, assertion: dict[str, str]) -> None:
        """Keep the message of the first assertion that failed."""
        self._assertion = None
        sample = self._elements[-1]
        has_failed = any(assertion.get(part, "").strip().lower() == "true" for part in ("failure", "error"))
        if has_failed and sample is not None and sample.fields is not None and sample.fields[_FAILURE_AT] is None:
            sample.fields[_FAILURE_AT] = self._report.text_of(assertion.get("failureMessage"))


def indent_of(line: bytes) -> int:
    return len(line) - len(line.lstrip(b" \t"))


def _wrong_document(tag: str) -> BadFile:
    shown = printable(tag, 60)
    what = _OTHER_DOCUMENTS.get(tag.lower() if tag.lower() == "html" else tag, "not a JMeter result file")
    return BadFile(
        f"The XML begins with <{shown}>: it is {what}. Expected: <testResults>.",
        next_step="Pass the file with the samples, which JMeter's -l option or a listener wrote.",
    )


def _times(stamp: str | None, elapsed: str | None) -> tuple[int, int]:
    """The time stamp and the elapsed time in microseconds."""
    if stamp is None or elapsed is None:
        raise ValueError(f"it has no {'ts (time stamp)' if stamp is None else 't (elapsed time)'}")
    stamp_us, elapsed_us = _microseconds("ts", stamp), _microseconds("t", elapsed)
    if not EARLIEST_US <= stamp_us < LATEST_US:
        raise ValueError(f"ts {stamp[:40]!r} is not between 1990 and 2100")
    if elapsed_us > LONGEST_US:
        raise ValueError(f"t is {elapsed[:40]!r} ms, which is more than a year")
    return stamp_us, elapsed_us


def _microseconds(name: str, text: str) -> int:
    if len(text) < 16 and text.isascii() and text.isdecimal():
        return int(text) * 1_000
    return round(milliseconds(name, text) * 1_000)


def _truth(text: str | None) -> bool:
    if text is None:
        raise ValueError("it has no s (success)")
    value = _TRUTH.get(text.strip().lower())
    if value is None:
        raise ValueError(f"s is {text[:40]!r}, which is neither true nor false")
    return value


def _count(name: str, text: str | None, absent: int) -> int:
    if not text:
        return absent
    if len(text) < 20 and text.isascii() and text.isdecimal() and (value := int(text)) <= _INT32:
        return value
    raise ValueError(f"{name} is {text[:40]!r}, which is not a count")
