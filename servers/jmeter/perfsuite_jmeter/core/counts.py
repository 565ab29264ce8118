"""Compares the samples that were collected with those that JMeter counted, and says why they differ."""

from dataclasses import dataclass
from typing import Final

from perfsuite_jmeter.core.summariser import SummaryTotal
from perfsuite_jmeter.models.live import Counted
from perfsuite_jmeter.models.runs import RunState


@dataclass(frozen=True)
class Collected:
    """What was collected, and what is known about how the run ended."""

    samples: int
    errors: int
    subs: int
    """Rows that are parts of samples."""
    rejected: int
    state: RunState
    ended_itself: bool
    """Whether JMeter came to the end of the run, and so printed its last total."""


_WHY_ENDED: Final[dict[RunState, str]] = {
    "stopped": "it was stopped by force",
    "interrupted": "it was killed",
    "failed": "it failed",
}


def compared(found: Collected, console: SummaryTotal | None, log: SummaryTotal | None) -> Counted:
    """The three counts, and what explains their differences."""
    return Counted(
        results=found.samples,
        console=console.samples if console else None,
        log=log.samples if log else None,
        agree=_agree(found, console, log),
        differences=_differences(found, console, log),
    )


def _agree(found: Collected, console: SummaryTotal | None, log: SummaryTotal | None) -> bool | None:
    told = [total for total in (console, log) if total is not None]
    return all(total == SummaryTotal(found.samples, found.errors) for total in told) if told else None


def _differences(found: Collected, console: SummaryTotal | None, log: SummaryTotal | None) -> list[str]:
    told = console or log
    if told is None:
        return [f"JMeter printed no total to compare with{_cut_short(found)}."]
    said = []
    if console and log and console != log:
        said.append(f"console.log says {_shown(console)}, jmeter.log {_shown(log)}: one of them was cut short.")
    if found.samples != told.samples:
        said.append(_difference("samples", found, found.samples, told.samples))
    if found.errors != told.errors:
        said.append(_difference("errors", found, found.errors, told.errors))
    return said


def _difference(what: str, found: Collected, collected: int, told: int) -> str:
    by = abs(collected - told)
    if collected > told:
        if not found.ended_itself:
            return f"The results hold {by} {what} more than JMeter's last total, which is older{_cut_short(found)}."
        return f"The results hold {by} {what} more than JMeter's total. Nothing that is known explains it."
    reasons = [
        f"{found.rejected} rows could not be read" if found.rejected else "",
        f"{found.subs} rows are parts of samples" if found.subs else "",
        f"what JMeter had not written is lost{_cut_short(found)}" if not found.ended_itself else "",
    ]
    known = "; ".join(reason for reason in reasons if reason)
    explained = f": {known}" if known else ". Nothing that is known explains it; see whether the disk was full"
    return f"The results hold {by} {what} fewer than JMeter's total{explained}."


def _cut_short(found: Collected) -> str:
    if found.ended_itself:
        return ""
    return f", because {_WHY_ENDED.get(found.state, 'it did not come to its end')}"


def _shown(total: SummaryTotal) -> str:
    return f"{total.samples} samples and {total.errors} errors"
