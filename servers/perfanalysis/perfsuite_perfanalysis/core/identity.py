"""Names of things: ids of findings, which stay the same when an analysis is repeated, and labels as they are shown."""

import hashlib
from typing import Final

from perfsuite.samples.rows import printable

_LONGEST_NAME: Final = 300


def finding_id(kind: str, *subject: str) -> str:
    """Such as `drift-1f0a9c2b`: the kind, and what the finding is about."""
    digest = hashlib.sha256("\0".join((kind, *subject)).encode("utf-8", "replace")).hexdigest()
    return f"{kind}-{digest[:8]}"


def shown(name: str) -> str:
    """A label as files and answers hold it: on one line, and not too long."""
    return printable(name, _LONGEST_NAME)
