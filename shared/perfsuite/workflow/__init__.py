"""The workflow of a run: its stages and steps, and the ledger of what was done."""

from perfsuite.workflow.ledger import Ledger, RunningStep
from perfsuite.workflow.stages import Gate, Stage, Step
from perfsuite.workflow.status import NextStep, RunStatus, StageStatus, StepStatus

__all__ = ["Gate", "Ledger", "NextStep", "RunStatus", "RunningStep", "Stage", "StageStatus", "Step", "StepStatus"]
