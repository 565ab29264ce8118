"""The reader of JMeter's XML result files.

Nothing is built in memory: the parser calls a target for every tag, and a sample's rows leave as soon as its outermost
tag is closed. The file is fed line by line, so that a rejected row has a line number, and so that reading goes on
behind damage that would make the parser give up: broken tags, text in between, a second document, a run appended to a
killed one. Document type declarations are refused, and with them every entity.
"""

import codecs
import re
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Final

from perfsuite.errors import BadFile
from perfsuite.samples.readers.xml_samples import XmlSamples
from perfsuite.samples.rows import ReadReport, Row, printable

_BLOCK: Final = 256 * 1024
_LONGEST_LINE: Final = 256 * 1024
_LONGEST_TAG: Final = 8 * 1024 * 1024

_DECLARATION: Final = re.compile(rb"<\?xml\b[^>]*?(?:encoding\s*=\s*[\"']([\w.:-]{1,40})[\"'][^>]*?)?\?>")
_SAMPLE_LINE: Final = re.compile(rb"[ \t]*<(httpSample|sample)(?=[\s/>])")
_NAME: Final = rb"\s++[^\s=<>\"'/]++\s*+=\s*+"
_ATTRIBUTES: Final = rb"[ \t]*<(?:httpSample|sample)(?:" + _NAME + rb"(?:\"[^\"]*+\"|'[^']*+'))*+"
_WHOLE_TAG: Final = re.compile(_ATTRIBUTES + rb"\s*+/?>")
_OPEN_VALUE: Final = re.compile(_ATTRIBUTES + _NAME + rb"(?:(\")[^\"<]*+|(')[^'<]*+)\Z")
# How a value goes on: to its quote (the group), or over the whole line; XML allows no < in it.
_VALUE_GOES_ON: Final = {
    b'"': re.compile(rb"[^\"<]*+(?:(\")(?=[\s/>]|\Z)|\Z)"),
    b"'": re.compile(rb"[^'<]*+(?:(')(?=[\s/>]|\Z)|\Z)"),
}
# Behind the first fault of a file libxml2 drops references by name, but not those by number.
_NAMED: Final = (
    (b"&lt;", b"&#60;"),
    (b"&gt;", b"&#62;"),
    (b"&quot;", b"&#34;"),
    (b"&apos;", b"&#39;"),
    (b"&amp;", b"&#38;"),
)
# JMeter writes &#x0; and its like for control characters, which XML forbids and no parser takes.
_SUSPICIOUS: Final = re.compile(rb"&(?!#(?:x[9aAdD]|9|10|13|34|38|39|60|62);)(#(?:x[0-9a-fA-F]{1,6}|[0-9]{1,7});)?")


def read(
    stream: BinaryIO, report: ReadReport, progress: Callable[[int], None], *, has_end_stamps: bool = False
) -> Iterator[Row]:
    """The samples of a JMeter XML file, each followed by its sub-results, in the order of JMeter's CSV.

    `has_end_stamps` is for runs with `sampleresult.timestamp.start=false`, whose time stamps are ends.
    """
    samples = XmlSamples(report, has_end_stamps=has_end_stamps)
    document = _Document(samples, report)
    for line in _lines(_blocks(stream, report, progress)):
        document.feed(line)
        if samples.finished:
            yield from samples.take()
    document.close()
    yield from samples.take()
    samples.check()


def _blocks(stream: BinaryIO, report: ReadReport, progress: Callable[[int], None]) -> Iterator[bytes]:
    """The stream as UTF-8, or in whatever 8-bit encoding it is."""
    head = stream.read(_BLOCK)
    decoder = _wide_decoder(head)
    block = head.removeprefix(codecs.BOM_UTF8)
    while block:
        progress(len(block))
        if decoder is not None:
            block = decoder.decode(block).removeprefix("\ufeff").encode("utf-8", "replace")
        if b"\0" in block:
            report.warn("NUL bytes were removed.")
            block = block.replace(b"\0", b"")
        yield block
        block = stream.read(_BLOCK)


def _wide_decoder(head: bytes) -> codecs.IncrementalDecoder | None:
    for mark, name in (
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
        (b"<\0", "utf-16-le"),
        (b"\0<", "utf-16-be"),
    ):
        if head.startswith(mark):
            return codecs.getincrementaldecoder(name)(errors="replace")
    return None


def _lines(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The lines with their ends; one that is too long to hold comes in pieces."""
    tail = b""
    for block in blocks:
        lines = (tail + block).splitlines(keepends=True)
        tail = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
        if len(tail) > _LONGEST_LINE:
            cut = _harmless_cut(tail)
            lines.append(tail[:cut])
            tail = tail[cut:]
        yield from lines
    if tail:
        yield tail


def _harmless_cut(text: bytes) -> int:
    """A position near the end that is not within a character or a character reference."""
    reference = text.rfind(b"&", len(text) - 12)
    if reference > 0:
        return reference
    cut = len(text) - 1
    while cut > len(text) - 4 and text[cut] & 0xC0 == 0x80:
        cut -= 1
    return cut


class _OpenTag:
    """A sample's tag whose line ends with > within a value: what follows tells whether a quote was lost."""

    __slots__ = ("line", "name", "pieces", "room", "value")

    def __init__(self, piece: bytes, name: bytes, quote: bytes, line: int) -> None:
        self.pieces = [piece]
        self.name = name
        self.value = _VALUE_GOES_ON[quote]
        self.line = line
        self.room = _LONGEST_TAG - len(piece)

    def add(self, piece: bytes) -> None:
        self.pieces.append(piece)
        self.room -= len(piece)


class _Document:
    """Feeds the parser, and starts a new one where the old one has lost its way."""

    def __init__(self, samples: XmlSamples, report: ReadReport) -> None:
        self._samples = samples
        self._report = report
        self._parser: Any = None
        self._encoding = "utf-8"
        self._offset = 0
        self._is_mid_line = False
        self._is_skipping = False
        self._open_tag: _OpenTag | None = None
        self._unanswered = 0
        """Bytes since the parser last called its target."""
        self._beginning = ""

    def feed(self, line: bytes) -> None:
        """Take the next line, or the next piece of a very long one."""
        is_fresh, self._is_mid_line = not self._is_mid_line, not line.endswith(b"\n")
        self._samples.line += is_fresh
        self._is_skipping = self._is_skipping and not is_fresh
        if self._is_skipping or (self._parser is None and not (line := self._begun(line))):
            return
        line = self._mended(line)
        if self._open_tag is not None and self._is_part_of(self._open_tag, line):
            return
        self._samples.raw = line
        if is_fresh and b"ample" in line and (start := _SAMPLE_LINE.match(line)):
            self._feed_sample(line, start.group(1))
        else:
            self._feed(line)

    def close(self) -> None:
        """Say how the file ended."""
        if self._parser is None:
            raise BadFile("The file is empty.", next_step="Check that the test wrote samples.")
        self._samples.is_ending = True
        if self._open_tag is not None:
            self._give_up(self._open_tag)
        self._parser.close()
        self._require_root()
        for entry in list(self._parser.feed_error_log)[:5]:
            if entry.type_name != "ERR_TAG_NOT_FINISHED":
                self._report.warn(f"Line {entry.line + self._offset}: {entry.message}")
        if self._samples.is_unclosed():
            self._report.warn(
                "The file is cut off before </testResults>: the run was killed, or is still being written."
            )
        self._samples.restart()

    def _require_root(self) -> None:
        if not self._samples.has_root:
            raise BadFile(
                f"The file is not XML: it begins with {self._beginning!r}.",
                next_step="Pass a JMeter result file in CSV or XML format.",
            )

    def _begun(self, line: bytes) -> bytes:
        """The first line that is not empty, without the XML declaration."""
        line = line.lstrip()
        if not line:
            return line
        if declaration := _DECLARATION.match(line):
            self._encoding = _encoding((declaration.group(1) or b"utf-8").decode("ascii"), self._report)
            line = line[declaration.end() :].lstrip(b" \t") or b"\n"
        self._beginning = printable(line.decode("utf-8", "replace"), 40)
        self._offset = self._samples.line - 1
        self._parser = _parser(self._samples, self._encoding)
        return line

    def _mended(self, line: bytes) -> bytes:
        if b"&" in line:
            for reference, character in _NAMED:
                line = line.replace(reference, character)
            mended = _SUSPICIOUS.sub(_plain_reference, line)
            if mended != line:
                self._report.warn("Character references that XML does not allow were replaced.")
                line = mended
        if not line.isascii() and self._encoding == "utf-8":
            line = self._as_utf8(line)
        return line

    def _as_utf8(self, line: bytes) -> bytes:
        try:
            line.decode("utf-8")
        except UnicodeDecodeError:
            self._report.warn("Some rows are not UTF-8 and were read as Windows Latin-1.")
            return line.decode("cp1252", "replace").encode("utf-8")
        return line

    def _feed_sample(self, line: bytes, name: bytes) -> None:
        """Feed a line that begins with the tag of a sample, unless the next one must tell what it is."""
        if _WHOLE_TAG.match(line):
            self._feed_tag(line, is_whole=True)
        elif not line.rstrip().endswith(b">"):
            self._feed_tag(line, is_whole=False)
        elif value := _OPEN_VALUE.match(line):
            self._open_tag = _OpenTag(line, name, value.group(1) or value.group(2), self._samples.line)
        else:
            self._feed_damaged(line, name)

    def _is_part_of(self, tag: _OpenTag, line: bytes) -> bool:
        """Whether the line goes on with the value in which the line before it ended."""
        more = tag.value.match(line)
        if more is None:
            self._give_up(tag)
            return False
        tag.add(line)
        if more.group(1):
            self._open_tag = None
            self._samples.raw = text = b"".join(tag.pieces)
            self._feed_tag(text, is_whole=_WHOLE_TAG.match(text) is not None)
        elif tag.room < 0:
            self._open_tag = None
            for piece in tag.pieces:
                self._feed(piece)
        return True

    def _give_up(self, tag: _OpenTag) -> None:
        """The quote was lost: what was held back is one damaged sample."""
        self._open_tag = None
        here, self._samples.line = self._samples.line, tag.line
        self._samples.raw = tag.pieces[0]
        self._feed_damaged(tag.pieces[0], tag.name)
        self._feed(b"".join(tag.pieces[1:]))
        self._samples.line = here

    def _feed_damaged(self, line: bytes, name: bytes) -> None:
        """Feed a tag without attributes in place of one that the parser would stumble over."""
        self._samples.fault = "its tag is damaged"
        is_closed = line.rstrip().endswith(b"/>") or b"</" + name in line
        self._feed_tag(b"<" + name + (b"/>\n" if is_closed else b">\n"), is_whole=True)

    def _feed_tag(self, line: bytes, *, is_whole: bool) -> None:
        """Feed the tag of a sample, and see to it that the parser takes notice."""
        if self._samples.is_left_open(self._samples.raw):
            self._resume("the sample before it was never closed")
        before = self._samples.starts
        self._feed(line)
        if is_whole and self._samples.starts == before:
            self._resume("what stands before it is not XML, or another document")
            self._feed(line)

    def _feed(self, line: bytes) -> None:
        self._samples.is_quiet = True
        self._parser.feed(line)
        # The parser buffers a tag until its end, however far that is.
        self._unanswered = self._unanswered + len(line) if self._samples.is_quiet else 0
        if self._unanswered > _LONGEST_TAG:
            self._require_root()
            self._report.reject(self._samples.line, f"a tag or comment is longer than {_LONGEST_TAG:,} bytes")
            self._is_skipping = True
            self._start_again()

    def _resume(self, why: str) -> None:
        self._report.warn(f"Line {self._samples.line}: reading was taken up again here; {why}.")
        self._start_again()

    def _start_again(self) -> None:
        self._samples.restart()
        self._unanswered = 0
        self._offset = self._samples.line - 1
        self._parser = _parser(self._samples, self._encoding)
        self._parser.feed(b"<testResults>")


def _parser(target: XmlSamples, encoding: str) -> Any:
    from lxml import etree  # type: ignore[import-untyped]

    # Without `huge_tree` libxml2 keeps its own limits; text of any length passes, because it is not collected.
    return etree.XMLParser(
        target=target, encoding=encoding, recover=True, resolve_entities="internal", no_network=True, load_dtd=False
    )


def _encoding(declared: str, report: ReadReport) -> str:
    """The encoding to use. The bytes are 8-bit here, whatever a declaration of UTF-16 says."""
    name = declared.lower()
    if name.startswith(("utf-16", "utf16", "utf-32", "ucs", "iso-10646", "utf8")):
        name = "utf-8"
    if name != "utf-8":
        try:
            _parser(XmlSamples(report), name)
        except LookupError:
            report.warn(f"The encoding {declared!r} is not known; UTF-8 was assumed.")
            name = "utf-8"
    if name != "utf-8":
        report.dialect["encoding"] = name
    return name


def _plain_reference(match: re.Match[bytes]) -> bytes:
    reference = match.group(1)
    if reference is None:
        return b"&#38;"
    digits = reference[1:-1]
    code = int(digits[1:], 16) if digits.startswith(b"x") else int(digits)
    is_allowed = 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or 0x10000 <= code <= 0x10FFFF
    return match.group() if is_allowed else b"&#xfffd;"
