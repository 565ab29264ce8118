"""JMeter's XML result files for tests, and what their reader makes of them."""

import io
from xml.sax.saxutils import quoteattr

from fixtures import fixture
from perfsuite.samples.readers import xml
from perfsuite.samples.rows import ReadReport, Row

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<testResults version="1.2">\n'
TAIL = "</testResults>\n"
T0 = 1_700_000_000_000
TRANSACTION = "Number of samples in transaction : 2, number of failing samples : 0"


def tag(name: str = "httpSample", inside: str = "", **changed: object) -> str:
    """A sample on lines of its own, as JMeter writes it. An attribute of None is left out."""
    attributes = {"t": 120, "it": 0, "lt": 100, "ct": 20, "ts": T0, "s": "true", "lb": "Home", "rc": "200", "rm": "OK"}
    attributes |= {
        "tn": "Users 1-1",
        "dt": "text",
        "by": 203,
        "sby": 118,
        "sc": 1,
        "ec": 0,
        "ng": 3,
        "na": 5,
        "hn": "vm",
    }
    attributes |= changed
    written = "".join(f" {key}={quoteattr(str(value))}" for key, value in attributes.items() if value is not None)
    body = "".join(f"  {line}\n" for line in inside.splitlines())
    return f"<{name}{written}>\n{body}</{name}>\n" if inside else f"<{name}{written}/>\n"


def document(*samples: str) -> bytes:
    return (HEAD + "".join(samples) + TAIL).encode()


def rows_of(data: bytes, *, has_end_stamps: bool = False) -> tuple[list[Row], ReadReport]:
    report = ReadReport()
    return list(xml.read(io.BytesIO(data), report, lambda _: None, has_end_stamps=has_end_stamps)), report


def rows_of_file(path: str) -> tuple[list[Row], ReadReport]:
    return rows_of(fixture(path).read_bytes())


def warned(report: ReadReport, words: str) -> bool:
    return any(words in warning for warning in report.warnings)


URL = "<java.net.URL>http://localhost/?a=1&amp;b=2</java.net.URL>"
FAILED = (
    "<assertionResult>\n  <name>A</name>\n  <failure>false</failure>\n  <error>false</error>\n</assertionResult>\n"
    "<assertionResult>\n  <name>B</name>\n  <failure>true</failure>\n  <error>false</error>\n"
    "  <failureMessage>expected &lt;b&gt;</failureMessage>\n</assertionResult>\n"
    "<assertionResult>\n  <error>true</error>\n  <failureMessage>not kept</failureMessage>\n</assertionResult>\n"
)
