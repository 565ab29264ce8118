"""Results for those who have none: a small shop under growing load, which gets slow and fails now and then."""

import csv
import random
from pathlib import Path
from typing import Final

from perfsuite.artifacts.atomic import replacing

_HEADER: Final = (
    "timeStamp", "elapsed", "label", "responseCode", "responseMessage", "threadName", "success", "failureMessage",
    "bytes", "sentBytes", "grpThreads", "allThreads", "URL", "Latency", "IdleTime", "Connect",
)  # fmt: skip
_STEPS: Final = (("GET /", 80, 0.0), ("POST /cart", 140, 0.01), ("POST /payment", 380, 0.03))
"""Name, milliseconds of an idle shop, and the share of failures at full load."""
_USERS: Final = 20
_RAMP_S: Final = 60
_THINK_MS: Final = 1500
SECONDS: Final = 300

_Cells = tuple[str | int, ...]


def write_results(target: Path, ends_at: float) -> Path:
    """Write five minutes of JMeter results that end at this time, in seconds since the epoch."""
    begins_ms = int((ends_at - SECONDS) * 1000)
    chance = random.Random(7)  # noqa: S311 - the same results every time
    rows = sorted((row for user in range(_USERS) for row in _shopping(user, chance)), key=lambda row: row[0])
    with replacing(target, shown_as=target.name) as path, path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_HEADER)
        writer.writerows((begins_ms + int(at), *cells) for at, cells in rows)
    return target


def _shopping(user: int, chance: random.Random) -> list[tuple[float, _Cells]]:
    """One user, who goes from step to step until the end."""
    at, rows = _RAMP_S * 1000 * user / _USERS, list[tuple[float, _Cells]]()
    while at < SECONDS * 1000 - 5000:
        for name, idle_ms, failing in _STEPS:
            users = min(_USERS, 1 + int(at / (_RAMP_S * 1000) * _USERS))
            elapsed = int(idle_ms * (1 + (users / _USERS) ** 2) * chance.uniform(0.7, 1.6))
            rows.append((at, _cells(elapsed, name, user, users, fails=chance.random() < failing * users / _USERS)))
            at += elapsed + _THINK_MS * chance.uniform(0.5, 1.5)
    return rows


def _cells(elapsed: int, name: str, user: int, users: int, *, fails: bool) -> _Cells:
    code, message = ("503", "Service Unavailable") if fails else ("200", "OK")
    url = f"https://shop.example{name.partition(' ')[2]}"
    return (
        elapsed, name, code, message, f"Shoppers 1-{user + 1}", str(not fails).lower(), "", 512 if fails else 2048,
        256, users, users, url, elapsed * 9 // 10, 0, 3,
    )  # fmt: skip
