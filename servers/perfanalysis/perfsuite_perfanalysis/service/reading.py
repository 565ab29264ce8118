"""What every analysis of samples begins with: the course of the run, its phases, its histograms, its generator."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from perfsuite.artifacts import RunFolder, layout
from perfsuite.artifacts.analyses import GeneratorHealth, Phases
from perfsuite.samples.rows import Kind
from perfsuite_perfanalysis.core.generator import judge_generator, readings, unknown_generator
from perfsuite_perfanalysis.service.work import Work

if TYPE_CHECKING:
    from perfsuite.samples.course import Course, Histograms
    from perfsuite.samples.queries import Samples

_LARGEST_HEALTH: Final = 50_000_000


@dataclass(frozen=True)
class Reading:
    """A run, read once. `kind` is that of the rows that stand for requests: samplers, where there are any."""

    run: RunFolder
    found: "Samples"
    folded: int
    """Labels that stand together as one."""
    kind: Kind
    course: "Course"
    phases: Phases
    histograms: "Histograms"
    generator: GeneratorHealth

    @property
    def window(self) -> tuple[float, float | None]:
        """The steady state in seconds, else the whole run."""
        return self.phases.steady_from_s or 0.0, self.phases.steady_to_s


def read_run(run: RunFolder, work: Work, most_labels: int, share: float = 1.0, start: float = 0.0) -> Reading:
    """Read a run; `share` is how much of the work that is, from `start` on."""
    from perfsuite.samples.course import course, histograms
    from perfsuite_perfanalysis.core.tables import block_width_for

    work.step(f"looking at the labels of {run.run_id}", start)
    found, folded = work.open(run).folded(most_labels)
    kind = main_kind({kind for kind, _ in found.labels()})
    work.step(f"following the course of {run.run_id}", start + 0.2 * share)
    seen = course(found, kind)
    phases = phases_of(seen)
    work.step(f"counting the times of {run.run_id}", start + 0.5 * share)
    table = histograms(found, block_width_for(seen.span_s))
    return Reading(run, found, folded, kind, seen, phases, table, generator_of(run, seen, phases))


def main_kind(kinds: set[str]) -> Kind:
    """Samplers, else transactions, else parts of samples."""
    return "sample" if "sample" in kinds else "transaction" if "transaction" in kinds else "sub"


def phases_of(seen: "Course") -> Phases:
    """Where the run is steady."""
    from perfsuite_perfanalysis.core.phases import Timeline, find_phases

    completed = seen.completed.astype(float)
    return find_phases(Timeline(seen.width_s, seen.span_s, completed, seen.sum_ms, seen.users))


def generator_of(run: RunFolder, seen: "Course", phases: Phases) -> GeneratorHealth:
    """Whether the generator kept up while the run was steady."""
    path = run.path(layout.JMETER_HEALTH)
    name = layout.JMETER_HEALTH.place
    if not path.is_file():
        return unknown_generator(f"Nobody watched the load generator: there is no {name!r}.")
    if path.stat().st_size > _LARGEST_HEALTH:
        return unknown_generator(f"{name!r} is larger than {_LARGEST_HEALTH} bytes and was not read.")
    with path.open(encoding="utf-8", errors="replace") as lines:
        found = list(readings(lines, seen.first_us))
    if not found:
        return unknown_generator(f"{name!r} holds no reading that can be understood.")
    return judge_generator(found, phases.steady_from_s or 0.0, seen.span_s)
