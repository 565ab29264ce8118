"""Fingerprints of stack traces: the innermost cause, and where in the program it was thrown, without line numbers."""

import hashlib
import re
from collections.abc import Sequence
from typing import Final, NamedTuple

FRAMES: Final = 5
_LONGEST: Final = 200
_JAVA_CAUSE: Final = re.compile(r"(?:Caused by: )?((?:[A-Za-z_][\w$]*\.)+[A-Z][\w$]*)(?::|\s*$)")
_JAVA_FRAME: Final = re.compile(r"\s*at ((?:[\w.]+/)?[\w.$<>@\-]{1,300})\([^)]{0,200}\)")
_PYTHON_FRAME: Final = re.compile(r'\s*File "([^"]{1,300})", line \d+, in ([\w<>]{1,100})')
_PYTHON_CAUSE: Final = re.compile(r"((?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception|Warning|Interrupt|Exit))(?::|\s*$)")
_GENERATED: Final = re.compile(r"\$\$[\w$]+|\$Proxy\d+|lambda\$[\w$]+|0x[0-9a-fA-F]+|/\d+$|\$\d+")
_FOREIGN: Final = (
    "java.", "javax.", "jakarta.", "sun.", "jdk.", "com.sun.", "kotlin.", "scala.", "groovy.", "org.codehaus.groovy.",
    "org.springframework.", "org.apache.", "io.netty.", "reactor.", "org.eclipse.jetty.", "org.hibernate.",
)  # fmt: skip


class Fingerprint(NamedTuple):
    """What stays the same when the same thing goes wrong again."""

    id: str
    root_cause: str
    frames: tuple[str, ...]


def fingerprint(lines: Sequence[str]) -> Fingerprint | None:
    """That of a stack trace; None where the lines are none."""
    cause, frames = "", list[str]()
    for line in lines:
        text = line[:600]
        if frame := _frame(text):
            frames.append(frame)
        elif match := _JAVA_CAUSE.match(text.strip()):
            # What follows `Caused by` is nearer to the origin than what stood before.
            cause, frames = match[1], []
        elif match := _PYTHON_CAUSE.match(text):
            cause = match[1]
    if not cause or not frames:
        return None
    own = [one for one in frames if not one.startswith(_FOREIGN)] or frames
    kept = tuple(own[:FRAMES])
    digest = hashlib.sha256("\0".join(("v1", cause, *kept)).encode("utf-8", "replace")).hexdigest()[:12]
    return Fingerprint(digest, cause[:_LONGEST], kept)


def _frame(text: str) -> str | None:
    if match := _JAVA_FRAME.match(text):
        return _GENERATED.sub("", match[1].rpartition("/")[2])[:_LONGEST]
    if match := _PYTHON_FRAME.match(text):
        name = match[1].replace("\\", "/").rpartition("/")[2]
        return f"{name}:{match[2]}"[:_LONGEST]
    return None
