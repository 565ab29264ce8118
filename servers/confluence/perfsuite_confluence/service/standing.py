"""What is to be said of a report before others read it: whether it shows what the run folder holds now."""

from typing import Final

from perfsuite.artifacts import RunFolder
from perfsuite.samples.rows import printable
from perfsuite.workflow.ledger import Ledger
from perfsuite_confluence.service.recording import STAGE

_TROUBLED: Final = ("stale", "failed", "interrupted")
_MOST: Final = 5


def troubles(run: RunFolder) -> list[str]:
    """Which steps before the publication are stale or failed, by the ledger, and which tools mend that."""
    steps = [
        step
        for stage in Ledger(run).status().stages
        if stage.stage != STAGE
        for step in stage.steps
        if step.state in _TROUBLED
    ]
    if not steps:
        return []
    told = "; ".join(f"{one.title} ({one.state}, `{one.tool}`)" for one in steps[:_MOST])
    more = f"; {len(steps) - _MOST} more" if len(steps) > _MOST else ""
    why = printable(steps[0].reasons[0], 200).rstrip(".") if steps[0].reasons else ""
    because = f" Of the first: {why}." if why else ""
    return [f"The report may not show what the run holds now. Not up to date: {told}{more}.{because}"]
