"""How a run went, as the analyses of its environment see it: load by the second, phases, and moments of UTC."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from perfsuite.artifacts.analyses import Phases
from perfsuite.samples.rows import Kind
from perfsuite_perfanalysis.service.reading import main_kind, phases_of

if TYPE_CHECKING:
    from perfsuite.samples.course import Course
    from perfsuite.samples.queries import Samples
    from perfsuite_perfanalysis.core.resources import Windows

MOST_LABELS: Final = 500
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class RunCourse:
    """The course of a run by the main kind of its rows, its labels and its phases."""

    found: "Samples"
    course: "Course"
    phases: Phases
    kind: Kind
    labels: tuple[tuple[str, str], ...]

    @property
    def first_us(self) -> int:
        return self.course.first_us

    @property
    def span_s(self) -> float:
        return self.course.span_s

    @property
    def windows(self) -> "Windows":
        from perfsuite_perfanalysis.core.resources import Windows

        steady = self.phases.steady_from_s, self.phases.steady_to_s
        return Windows(self.span_s, None if steady[0] is None or steady[1] is None else (steady[0], steady[1]))

    def moment(self, at_s: float) -> datetime:
        """A moment of the run in UTC."""
        return _EPOCH + timedelta(microseconds=self.first_us + round(at_s * 1e6))


def course_of(found: "Samples") -> RunCourse:
    """The course of the whole run."""
    from perfsuite.samples.course import course

    found, _ = found.folded(MOST_LABELS)
    labels = tuple(found.labels())
    kind = main_kind({one for one, _ in labels})
    seen = course(found, kind)
    return RunCourse(found, seen, phases_of(seen), kind, labels)
