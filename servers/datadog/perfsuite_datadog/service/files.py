"""The files of metrics in the run: written anew, or left where an earlier call got more."""

from collections.abc import Iterable
from dataclasses import dataclass

from perfsuite.artifacts.layout import Artifact
from perfsuite.workflow.ledger import RunningStep
from perfsuite_datadog.service.desk import Order
from perfsuite_datadog.service.tables import Block, Subject, write_table


@dataclass(frozen=True)
class Files:
    """The files of one collection; where there is no step, none are written. `keep` leaves those that are there."""

    task: Order
    step: RunningStep | None
    keep: bool

    def subject(self, scope: str, *, hostname: str = "", filter: str = "", group: str = "") -> Subject:  # noqa: A002 - the name of the column
        """What the rows of a file are about."""
        return Subject(self.task.name, self.task.environment.env_tag, scope, hostname, filter, group)

    def written(self, artifact: Artifact, blocks: Iterable[Block], **names: str) -> str | None:
        """Write a file, and say where it lies in the run."""
        if self.step is None:
            return None
        if left := self.left(artifact, **names):
            return left
        with self.step.folder.staged(artifact, **names) as path:
            write_table(path, blocks)
        self.step.produced(self.step.folder.path(artifact, **names))
        return artifact.relative(**names)

    def left(self, artifact: Artifact, **names: str) -> str | None:
        """The file as an earlier call left it, where it is to stay."""
        if self.step is None or not self.keep:
            return None
        path = self.step.folder.path(artifact, **names)
        if not path.is_file():
            return None
        self.step.produced(path)
        return artifact.relative(**names)
