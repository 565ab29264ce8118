"""What the command prints: tables for people, JSON for programs, one progress bar, and errors with the next step."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, NoReturn

from rich.console import Console
from rich.table import Table
from rich.text import Text

from perfsuite.cli import exits
from perfsuite.errors import BadRunId, PerfsuiteError, UnknownRun
from perfsuite.samples.engine import Progress
from perfsuite.samples.rows import printable
from perfsuite.settings import redact

_LONGEST_LINE: Final = 4_000
_PATIENCE_S: Final = 1.0
_PAGE_WIDTH: Final = 160


class _Screen(Console):
    def on_broken_pipe(self) -> None:
        _end_unread()


def _end_unread() -> NoReturn:
    """The reader has gone, as `head` does: that is no failure."""
    # Python would complain once more while it closes the stream.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise SystemExit(exits.DONE)


def console(*, to_stderr: bool = False) -> Console:
    """The terminal, or a wide page where the output goes to a file or a pipe."""
    screen = _Screen(stderr=to_stderr, highlight=False)
    if not screen.is_terminal and "COLUMNS" not in os.environ:
        screen.width = _PAGE_WIDTH
    return screen


def plain(text: object) -> Text:
    """Text from outside: one line, no control characters, no secrets, and never read as markup."""
    return Text(printable(redact(str(text))))


def number(value: float | None, digits: int = 1) -> str:
    if value is None:
        return "-"
    return f"{value:,.{digits}f}" if isinstance(value, float) else f"{value:,}"


def print_json(value: Any) -> None:
    """One JSON document on standard output, and nothing else."""
    text = redact(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))
    # Only what the stream cannot hold is escaped; a JSON document may not be cut by it.
    try:
        sys.stdout.write(_escaped(text, sys.stdout.encoding or "utf-8") + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        _end_unread()


def _escaped(text: str, encoding: str) -> str:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return json.dumps(json.loads(text), indent=2)
    return text


def print_table(table: Table) -> None:
    console().print(table)


def say(text: str) -> None:
    console().print(plain(text), soft_wrap=True)


def show(text: str, *, style: str = "", indent: int = 0) -> None:
    """A line as a whole, where `say` cuts what is long."""
    line = Text.assemble(" " * indent, (_kept(redact(text), _LONGEST_LINE).plain, style))
    console().print(line, soft_wrap=True)


def show_markdown(text: str) -> None:
    """As a page in a terminal, and as it is in a file or a pipe."""
    screen = console()
    if not screen.is_terminal:
        for line in text.splitlines():
            show(line)
        return
    from rich.markdown import Markdown

    screen.print(Markdown(redact(text)))


def warn(text: str) -> None:
    console(to_stderr=True).print(Text.assemble(("warning ", "yellow"), plain(text)), soft_wrap=True)


def fail(error: PerfsuiteError, *, as_json: bool) -> NoReturn:
    """Say what happened and what to do, and end with the code of this kind of error."""
    message, next_step = redact(error.message), redact(error.next_step)
    if isinstance(error, BadRunId | UnknownRun):
        next_step += " `perfsuite runs` lists the runs."
    if as_json:
        print_json({"error": {"code": error.code, "message": message, "next_step": next_step}})
    else:
        shown = Text.assemble(("error ", "bold red"), _kept(message), "\n", ("  → ", "cyan"), _kept(next_step))
        console(to_stderr=True).print(shown, soft_wrap=True)
    raise SystemExit(exits.exit_code(error))


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A bar on standard error for work that takes more than a second; nothing where that is not a terminal."""
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    screen = console(to_stderr=True)
    bar = Bar(
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn(),
        console=screen, transient=True, disable=not screen.is_terminal,
    )  # fmt: skip
    try:
        yield _reporter(bar, time.monotonic())
    finally:
        bar.stop()


def _reporter(bar: Any, began: float) -> Callable[[str, float], None]:
    task: Any = None

    def report(what: str, share: float) -> None:
        nonlocal task
        if time.monotonic() - began < _PATIENCE_S:
            return
        if task is None:
            bar.start()
            task = bar.add_task("", total=1.0)
        bar.update(task, description=printable(what, 60), completed=share)

    return report


def _kept(text: str, longest: int = 2_000) -> Text:
    return Text(printable(text, longest))
