"""How it looks: in a terminal, in a log, and not at all."""

from typing import Final, Protocol

from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from perfsuite.cli import output
from perfsuite.samples.rows import printable
from perfsuite.settings import redact

_LONGEST: Final = 140
_LONGEST_ERROR: Final = 2_000
_PER_S: Final = 8
_NAMEABLE_S: Final = 0.05


class Watch(Protocol):
    """Whoever watches. What was warned of is kept for the end."""

    warnings: list[str]

    def stage(self, run_id: str, title: str) -> None: ...

    def step(self, title: str) -> None: ...

    def progress(self, done: float, total: float | None, message: str | None) -> None: ...

    def done(self, title: str, seconds: float) -> None: ...

    def kept(self, title: str) -> None: ...

    def skipped(self, title: str, why: str) -> None: ...

    def failed(self, why: str) -> None: ...

    def say(self, text: str) -> None: ...

    def warn(self, text: str) -> None: ...

    def clear(self) -> None: ...


class Quiet:
    """Nobody watches: one document comes at the end. Warnings are kept for it."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def stage(self, run_id: str, title: str) -> None:
        del run_id, title

    def step(self, title: str) -> None:
        del title

    def progress(self, done: float, total: float | None, message: str | None) -> None:
        del done, total, message

    def done(self, title: str, seconds: float) -> None:
        del title, seconds

    def kept(self, title: str) -> None:
        del title

    def skipped(self, title: str, why: str) -> None:
        del title, why

    def failed(self, why: str) -> None:
        del why

    def say(self, text: str) -> None:
        del text

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    def clear(self) -> None:
        return


class Lines(Quiet):
    """A log: a line for everything that is over."""

    def stage(self, run_id: str, title: str) -> None:
        self._line(Text.assemble((f"{run_id} ", "bold"), "· ", title))

    def done(self, title: str, seconds: float) -> None:
        took = f" ({seconds:.1f} s)" if seconds >= _NAMEABLE_S else ""
        self._line(Text.assemble(("  ✓ ", "green"), title, (took, "dim")))

    def kept(self, title: str) -> None:
        self._line(Text.assemble(("  = ", "dim"), title, (" (done before)", "dim")))

    def skipped(self, title: str, why: str) -> None:
        self._line(Text.assemble(("  - ", "dim"), title, (f": {printable(why, _LONGEST)}", "dim")))

    def failed(self, why: str) -> None:
        self._line(Text.assemble(("  ✗ ", "bold red"), _whole(why)))

    def say(self, text: str) -> None:
        self._line(_whole(text))

    def warn(self, text: str) -> None:
        super().warn(text)
        self._line(Text.assemble(("  ! ", "yellow"), _whole(text)))

    def _line(self, text: Text) -> None:
        output.console().print(text, soft_wrap=True)


class Screen(Lines):
    """The same, with a last line that lives: what is being done, and how far it is."""

    def __init__(self) -> None:
        super().__init__()
        self._title = ""
        self._live: Live | None = None

    def step(self, title: str) -> None:
        self._title = title
        self._draw("")

    def progress(self, done: float, total: float | None, message: str | None) -> None:
        share = f"{min(1.0, done / total):.0%} " if total else ""
        self._draw(f"{share}{message or ''}")

    def clear(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _draw(self, how_far: str) -> None:
        line = Text.assemble(f"{self._title} ", (printable(how_far, _LONGEST), "dim"))
        if self._live is None:
            self._live = Live(console=output.console(), refresh_per_second=_PER_S, transient=True)
            self._live.start()
        self._live.update(Spinner("dots", line))

    def _line(self, text: Text) -> None:
        self.clear()
        super()._line(text)


def _whole(text: str) -> Text:
    return Text(printable(redact(text), _LONGEST_ERROR))
