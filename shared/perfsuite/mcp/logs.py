"""Logging goes to standard error, one record after the other, without any secret."""

import logging
import time

from perfsuite.settings import redact

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
DEFAULT_LEVEL = "WARNING"

logger = logging.getLogger("perfsuite.mcp")


class RedactingFormatter(logging.Formatter):
    """A formatter and not a filter, because a traceback only becomes text here."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def configure(level: str) -> None:
    """Send the log to standard error, unless this process has its own handlers already."""
    root = logging.getLogger()
    if root.handlers:
        return
    handler = logging.StreamHandler()
    formatter = RedactingFormatter("%(asctime)sZ %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    root.addHandler(handler)
    known = level.upper() if level.upper() in LEVELS else DEFAULT_LEVEL
    root.setLevel(known)
    # Two lines for each lock, and every step of a run takes several.
    logging.getLogger("filelock").setLevel(max(logging.getLevelName(known), logging.INFO))
    if known != level.upper():
        logger.warning("PERFSUITE_LOG_LEVEL is %r, which is none of %s; taking %s.", level, ", ".join(LEVELS), known)
