"""How a load test looks in a terminal, in a log, and not at all."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from perfsuite.cli import output
from perfsuite.samples.rows import printable

Facts = Mapping[str, Any]
_EVERY_S: Final = 10.0
_MOST_LABELS: Final = 30
_MOST_ERRORS: Final = 5
_LONGEST_LINE: Final = 500
_COLUMNS: Final = (
    ("samples", "samples", 0),
    ("errors", "errors", 0),
    ("error_rate", "err %", 2),
    ("mean_ms", "mean", 1),
    ("p50_ms", "p50", 0),
    ("p90_ms", "p90", 0),
    ("p95_ms", "p95", 0),
    ("max_ms", "max", 0),
    ("throughput_per_s", "per s", 2),
)


class View(Protocol):
    """Whoever watches."""

    def say(self, text: str) -> None: ...

    def warn(self, text: str) -> None: ...

    def show(self, status: Facts) -> None: ...

    def close(self) -> None: ...


class Silent:
    """Nobody watches: one document comes at the end."""

    def say(self, text: str) -> None:
        del text

    def warn(self, text: str) -> None:
        del text

    def show(self, status: Facts) -> None:
        del status

    def close(self) -> None:
        return


class Lines:
    """A log: a line every ten seconds, and whenever the state changes."""

    def __init__(self) -> None:
        self._state: object = None
        self._last = 0.0

    def say(self, text: str) -> None:
        output.say(text)

    def warn(self, text: str) -> None:
        output.warn(text)

    def show(self, status: Facts) -> None:
        now = time.monotonic()
        if status.get("state") != self._state or now - self._last >= _EVERY_S:
            self._state, self._last = status.get("state"), now
            output.say(headline(status))

    def close(self) -> None:
        return


class Screen:
    """A table that is alive."""

    def __init__(self) -> None:
        self._live = Live(console=output.console(), auto_refresh=False, transient=True)

    def say(self, text: str) -> None:
        self._live.console.print(output.plain(text), soft_wrap=True)

    def warn(self, text: str) -> None:
        self._live.console.print(Text.assemble(("warning ", "yellow"), output.plain(text)), soft_wrap=True)

    def show(self, status: Facts) -> None:
        self._live.start()
        self._live.update(Group(Text(headline(status), "bold"), *details(status)), refresh=True)

    def close(self) -> None:
        self._live.stop()


def headline(status: Facts) -> str:
    """The state of a run in a line."""
    total = _part(status, "total")
    generator = _part(_part(status, "generator"), "latest")
    parts = [
        f"{status.get('run_id', '')} {status.get('state', 'unknown')}",
        _with_unit(status, "elapsed_s", "s"),
        _with_unit(status, "users_now", "users"),
        _with_unit(total, "samples", "samples"),
        _with_unit(status, "recent_throughput_per_s", "per s", 1),
        _with_unit(total, "mean_ms", "ms mean"),
        _with_unit(total, "p95_ms", "ms p95"),
        _with_unit(total, "error_rate", "% errors", 2, times=100),
        _with_unit(status, "time_left_s", "s left"),
        _with_unit(generator, "machine_cpu_pct", "% CPU of the generator"),
    ]
    return printable(" · ".join(part for part in parts if part), _LONGEST_LINE)


def details(status: Facts) -> list[Table | Text]:
    """What makes the numbers doubtful, the numbers by label, the errors, and what else there is to say."""
    labels = _facts(status, "labels")
    found: list[Table | Text] = [_remark(text) for text in _items(status, "findings")]
    if labels:
        found.append(_labels(labels[:_MOST_LABELS]))
    if len(labels) > _MOST_LABELS or status.get("labels_has_more"):
        shown = min(_MOST_LABELS, len(labels))
        found.append(Text(f"{shown} of {status.get('labels_total', len(labels))} labels are shown."))
    found += [_error(one) for one in _facts(status, "errors")[:_MOST_ERRORS]]
    return found + [_remark(text) for text in _items(status, "notes")]


def findings(check: Facts, *severities: str) -> list[str]:
    """What is said about a plan, with the place of it."""
    found = [one for one in _facts(check, "findings") if one.get("severity") in severities]
    return [" ".join(str(one[key]) for key in ("message", "where") if one.get(key)) for one in found]


def violations(check: Facts) -> list[str]:
    """The guard rails that a plan runs into, and where to change each."""
    found = _facts(check, "violations")
    return [" ".join(str(one[key]) for key in ("message", "change") if one.get(key)) for one in found]


def print_summary(status: Facts, collected: Facts, folder: object) -> None:
    """What came of a run, and where its files are if that is known."""
    output.say(headline(status))
    if status.get("reason"):
        output.say(str(status["reason"]))
    console = output.console()
    for part in details(status):
        console.print(part)
    differences = _items(_part(collected, "counts"), "differences")
    for text in [*_items(collected, "notes"), *differences]:
        output.warn(str(text))
    if folder:
        output.say(f"Files in {folder}:")
    for file in _items(collected, "files"):
        output.say(str(file))
    if collected.get("next_step"):
        output.say(str(collected["next_step"]))


def _labels(labels: Sequence[Facts]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("label", overflow="fold", max_width=60)
    columns = [column for column in _COLUMNS if any(one.get(column[0]) is not None for one in labels)]
    for _, heading, _ in columns:
        table.add_column(heading, justify="right", no_wrap=True)
    for one in labels:
        table.add_row(output.plain(one.get("label", "")), *(_cell(one, key, digits) for key, _, digits in columns))
    return table


def _cell(one: Facts, key: str, digits: int) -> str:
    value = one.get(key)
    if not isinstance(value, int | float):
        return "-"
    return output.number(float(value) * (100 if key == "error_rate" else 1), digits)


def _error(one: Facts) -> Text:
    said = " ".join(str(one[key]) for key in ("label", "response_code", "message") if one.get(key))
    return Text.assemble((f"{one.get('count', '')} x ", "red"), output.plain(said))


def _remark(text: object) -> Text:
    return Text.assemble(("! ", "yellow"), Text(printable(str(text), _LONGEST_LINE)))


def _part(facts: Facts, key: str) -> Facts:
    found = facts.get(key)
    return found if isinstance(found, Mapping) else {}


def _items(facts: Facts, key: str) -> Sequence[Any]:
    found = facts.get(key)
    return found if isinstance(found, Sequence) and not isinstance(found, str) else ()


def _facts(facts: Facts, key: str) -> list[Facts]:
    return [one for one in _items(facts, key) if isinstance(one, Mapping)]


def _with_unit(facts: Facts, key: str, unit: str, digits: int = 0, *, times: int = 1) -> str:
    value = facts.get(key)
    return f"{output.number(float(value) * times, digits)} {unit}" if isinstance(value, int | float) else ""
