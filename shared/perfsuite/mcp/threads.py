"""Work in daemon threads.

A worker thread that the interpreter waits for would keep a stopped server alive until its work is done. These are not
waited for: a cancelled call leaves its thread behind, and `left_behind` names the threads that still run at the end.
"""

import asyncio
import contextvars
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")

_running: set[threading.Thread] = set()


def start(work: Callable[[], None], *, name: str) -> None:
    """Do this work in a thread of its own."""

    def run() -> None:
        try:
            work()
        finally:
            _running.discard(threading.current_thread())

    thread = threading.Thread(target=run, name=name, daemon=True)
    _running.add(thread)
    thread.start()


def left_behind() -> list[str]:
    """The names of the threads that are still at work."""
    return sorted(thread.name for thread in _running.copy())


async def in_thread(work: Callable[[], T], *, name: str) -> T:
    """Do this work in a thread and wait for what it returns. Cancelling ends the wait, not the work."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()
    context = contextvars.copy_context()

    def run() -> None:
        settle = _outcome(future, partial(context.run, work))
        # A loop that was closed meanwhile has nobody left who waits.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(lambda: None if future.done() else settle())

    start(run, name=name)
    return await future


def _outcome(future: "asyncio.Future[T]", work: Callable[[], T]) -> Callable[[], Any]:
    try:
        return partial(future.set_result, work())
    except BaseException as error:  # noqa: BLE001 - whatever ends a thread must reach the one who waits for it
        return partial(future.set_exception, _carried(error))


def _carried(error: BaseException) -> Exception:
    """The error itself, or one that carries it where a future or the loop would take it for its own."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    carrier = RuntimeError(f"the work ended with {type(error).__name__}")
    carrier.__cause__ = error
    return carrier
