"""Writes checkout.jtl, the example of the README: two engines, a transaction, errors, and every answer the same.

Run as `python tests/data/checkout.py`; a test compares its bytes with the file.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TARGET: Final = Path(__file__).with_name("checkout.jtl")
BEGIN_MS: Final = 1_767_261_600_000  # 2026-01-01 10:00:00 UTC
TRANSACTION: Final = "Checkout"
ENGINES: Final = ("engine-a", "engine-b")
USERS: Final = 4
ROUNDS: Final = 7
RAMP_MS: Final = 5_000
HEADER: Final = (
    "timeStamp", "elapsed", "label", "responseCode", "responseMessage", "threadName", "dataType", "success",
    "failureMessage", "bytes", "sentBytes", "grpThreads", "allThreads", "URL", "Latency", "Hostname", "IdleTime",
    "Connect",
)  # fmt: skip


@dataclass(frozen=True)
class Request:
    """A kind of request: its usual time, how much that varies, and how many bytes come back."""

    label: str
    path: str
    usual_ms: int
    spread_ms: int
    size: int


@dataclass(frozen=True)
class Answer:
    """What came back for one request."""

    request: Request
    elapsed_ms: int
    code: str = "200"
    message: str = "OK"
    failure: str = ""

    @property
    def is_success(self) -> bool:
        return self.code == "200" and not self.failure


HOME: Final = Request("GET /", "/", 60, 90, 18_400)
CART: Final = Request("POST /cart", "/cart", 110, 160, 2_300)
PAYMENT: Final = Request("POST /payment", "/payment", 240, 700, 1_150)


class Chance:
    """Numbers without a pattern that are the same on every machine and in every Python."""

    def __init__(self) -> None:
        self._state = 20_260_101

    def below(self, limit: int) -> int:
        self._state = (self._state * 6_364_136_223_846_793_005 + 1_442_695_040_888_963_407) % 2**64
        return (self._state >> 33) % limit


def text() -> str:
    """The whole file."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    # JMeter writes a row when its sample ends.
    writer.writerows(row for _, row in sorted(rows(), key=lambda timed: timed[0]))
    return out.getvalue()


def rows() -> Iterator[tuple[int, list[object]]]:
    """Each row with the moment at which it was written."""
    chance = Chance()
    for engine in ENGINES:
        for user in range(1, USERS + 1):
            now = BEGIN_MS + RAMP_MS * (user - 1) // USERS + chance.below(400)
            for _ in range(ROUNDS):
                visit = list(visited(engine, user, now, chance))
                yield from visit
                now = visit[-1][0] + 900 + chance.below(600)


def visited(engine: str, user: int, now: int, chance: Chance) -> Iterator[tuple[int, list[object]]]:
    """One visit: the home page, and then cart and payment as one transaction with a pause between them."""
    home = answered(HOME, chance)
    yield now + home.elapsed_ms, row(home, engine, user, now)
    began = now = now + home.elapsed_ms + 500
    cart = answered(CART, chance)
    yield now + cart.elapsed_ms, row(cart, engine, user, now)
    pause = 200 + chance.below(100)
    now += cart.elapsed_ms + pause
    payment = answered(PAYMENT, chance)
    ended = now + payment.elapsed_ms
    yield ended, row(payment, engine, user, now)
    yield ended, transaction(engine, user, began, pause, cart, payment)


def answered(request: Request, chance: Chance) -> Answer:
    elapsed = request.usual_ms + chance.below(request.spread_ms)
    luck = chance.below(100)
    if request is PAYMENT and luck < 6:
        return Answer(request, elapsed + 1_900, "503", "Service Unavailable")
    if request is CART and luck < 4:
        return Answer(request, elapsed, failure='Test failed: text expected to contain "in stock"')
    return Answer(request, elapsed)


def row(answer: Answer, engine: str, user: int, started: int) -> list[object]:
    request = answer.request
    latency = answer.elapsed_ms * 4 // 5
    return written(
        engine, user, started,
        elapsed=answer.elapsed_ms, label=request.label, responseCode=answer.code, responseMessage=answer.message,
        dataType="text", success=str(answer.is_success).lower(), failureMessage=answer.failure,
        bytes=request.size if answer.is_success else 310, sentBytes=420, URL=f"https://shop.example{request.path}",
        Latency=latency, IdleTime=0, Connect=latency // 10,
    )  # fmt: skip


def transaction(engine: str, user: int, began: int, pause: int, *parts: Answer) -> list[object]:
    """The row of the transaction controller: the sum of its parts, its pause counted as idle time."""
    failed = sum(not part.is_success for part in parts)
    return written(
        engine, user, began,
        elapsed=sum(part.elapsed_ms for part in parts), label=TRANSACTION, responseCode="" if failed else "200",
        responseMessage=f"Number of samples in transaction : {len(parts)}, number of failing samples : {failed}",
        dataType="", success=str(not failed).lower(), failureMessage="",
        bytes=sum(part.request.size if part.is_success else 310 for part in parts), sentBytes=420 * len(parts),
        URL="null", Latency=0, IdleTime=pause, Connect=0,
    )  # fmt: skip


def written(engine: str, user: int, started: int, **values: object) -> list[object]:
    """The values in the order of the header. All users are there once the last of them has started."""
    threads = min(USERS, 1 + (started - BEGIN_MS) * USERS // RAMP_MS)
    common = {"timeStamp": started, "threadName": f"Visitors 1-{user}", "Hostname": engine}
    everything = {**common, **values, "grpThreads": threads, "allThreads": threads}
    return [everything[name] for name in HEADER]


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8", newline="\n")
