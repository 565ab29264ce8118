"""How a run went, as the analyses of its environment see it: load by the second, phases, and moments of UTC."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Final

from perfsuite.artifacts.analyses import Phases
from perfsuite.samples.rows import Kind
from perfsuite_perfanalysis.service.reading import main_kind, phases_of

if TYPE_CHECKING:
    from perfsuite.samples.course import Course
    from perfsuite.samples.grid import SampleGrid
    from perfsuite.samples.queries import Samples
    from perfsuite_perfanalysis.core.resources import Windows

MOST_LABELS: Final = 500
MOST_FREQUENT: Final = 12
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class RunCourse:
    """The course of a run by the main kind of its rows, its phases, and its samples on grids."""

    found: "Samples"
    course: "Course"
    phases: Phases
    kind: Kind
    _grids: "dict[float, SampleGrid]" = field(default_factory=dict)

    @cached_property
    def frequent(self) -> tuple[tuple[str, str], ...]:
        """The labels that are looked at by themselves: those with most rows, where there is more than one."""
        with self.found.engine() as engine:
            rows = engine.rows(
                f"SELECT kind, label FROM (SELECT kind, label, count(*) AS n FROM {self.found.relation} "
                f"WHERE kind <> 'sub' GROUP BY kind, label) ORDER BY n DESC, kind, label LIMIT {MOST_FREQUENT}"
            )
        return tuple((str(kind), str(label)) for kind, label in rows) if len(rows) > 1 else ()

    def grid(self, width_s: float) -> "SampleGrid":
        """All samples and the frequent labels in buckets of this width, counted once."""
        from perfsuite.samples.grid import sample_grid

        if width_s not in self._grids:
            self._grids[width_s] = sample_grid(self.found, width_s, self.kind, self.frequent)
        return self._grids[width_s]

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
    with found.engine() as engine:
        kind = main_kind({str(one) for (one,) in engine.rows(f"SELECT DISTINCT kind FROM {found.relation}")})
    seen = course(found, kind)
    return RunCourse(found, seen, phases_of(seen), kind)
