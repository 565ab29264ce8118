"""What was tested, for how long, under which load, and how good the data are."""

from collections.abc import Iterator
from typing import Final

from perfsuite.artifacts.analyses import LabelNumbers, Numbers, PerformanceAnalysis
from perfsuite_perfreport.core.reporting.numbers import UNKNOWN, duration, name, plain, sentence, shown
from perfsuite_perfreport.core.reporting.sources import PERFORMANCE, RECORD, Sources
from perfsuite_perfreport.core.reporting.statements import class_name
from perfsuite_perfreport.models.report import Fact, Missing, Span, Statement

LIMITS_CAME_LATER: Final = "The analysis was made before slas.yaml was written."
_ANALYSES: Final = (
    ("infrastructure", "CPU and memory of hosts and services", "analyze_environment_metrics"),
    ("correlation", "What moved with the response times, and the capacity", "correlate_test_results"),
    ("bottlenecks", "What held the system back", "identify_bottlenecks"),
    ("logs", "Logs and groups of failures", "analyze_logs"),
)


def numbers_of(one: LabelNumbers) -> Numbers:
    """Those of the steady state where there is one, else of the whole run."""
    return one.steady or one.whole


def window_name(found: PerformanceAnalysis) -> str:
    """Of what the numbers are."""
    is_steady = found.overall is not None and found.overall.steady is not None
    return "steady state" if is_steady else "whole run"


def place_of(found: PerformanceAnalysis) -> str:
    """The key of the file under which a label's numbers stand."""
    return "steady" if window_name(found) == "steady state" else "whole"


def key_numbers(found: PerformanceAnalysis) -> tuple[Fact, ...]:
    """What a manager asks for first."""
    if found.overall is None:
        return ()
    numbers, place = numbers_of(found.overall), f"{PERFORMANCE}: overall.{place_of(found)}"
    rate = numbers.error_rate
    rows = [
        ("Samples", shown(numbers.samples, "count"), f"{place}.samples"),
        ("Success", UNKNOWN if rate is None else f"{(1 - rate) * 100:.2f} %", f"{place}.error_rate"),
        ("Errors", UNKNOWN if rate is None else f"{rate * 100:.2f} %", f"{place}.error_rate"),
        ("Average", _ms(numbers.mean_ms), f"{place}.mean_ms"),
        *((key.upper().removesuffix("_MS"), _ms(value), f"{place}.percentiles_ms.{key}")
          for key, value in numbers.percentiles_ms.items()),
        ("Throughput", _rate(numbers.throughput_per_s), f"{place}.throughput_per_s"),
        ("Apdex", _apdex(numbers), f"{place}.apdex"),
    ]  # fmt: skip
    if found.peak is not None:
        peak = f"{_rate(found.peak.completed_per_s)} over {found.peak.width_s:g} s"
        rows.append(("Peak throughput", peak, f"{PERFORMANCE}: peak"))
    return tuple(Fact(name=title, value=value, source=source) for title, value, source in rows)


def scope(sources: Sources) -> tuple[Fact, ...]:
    """The run, its window, its load and what is left out of the numbers."""
    return (*_of_record(sources), *_of_window(sources.performance), *_of_load(sources.performance))


def quality(found: PerformanceAnalysis) -> tuple[Statement, ...]:
    """What a reader of the numbers must know about the data."""
    notes = [Statement(text=sentence(note.text), source=f"{PERFORMANCE}: quality") for note in found.quality]
    if found.generator is not None and not any(note.kind.startswith("generator") for note in found.quality):
        text = f"Load generator: {found.generator.verdict}. {found.generator.reason}"
        notes.append(Statement(text=sentence(text), source=f"{PERFORMANCE}: generator"))
    return tuple(notes)


def missing(sources: Sources) -> tuple[Missing, ...]:
    """Every part that is not there, or not whole, and why."""
    told = list(sources.missing)
    known = {one.what for one in told if not one.is_stale}
    for attribute, what, tool in _ANALYSES:
        analysis = getattr(sources, attribute)
        if analysis is None and what not in known:
            told.append(Missing(what=what, why="it was not analysed", next_step=f"Call `{tool}`."))
        elif analysis is not None and analysis.status != "complete":
            why = _unsought(sources) if attribute == "bottlenecks" else " ".join(analysis.reasons)
            why = why or f"its analysis is {analysis.status}"
            told.append(Missing(what=what, why=sentence(why).rstrip("."), next_step=_repair(sources, attribute, tool)))
    sla = sources.performance.sla
    if sla is None or sla.verdict == "not_evaluated":
        why = sla.reason if sla else "they were not looked at"
        call = "call `analyze_test_results` again."
        repair = call.capitalize() if why == LIMITS_CAME_LATER else f"Write slas.yaml, then {call}"
        told.append(Missing(what="SLA verdicts", why=sentence(why).rstrip("."), next_step=repair))
    return tuple(told)


def _repair(sources: Sources, attribute: str, tool: str) -> str:
    """What to do about an analysis that is not whole. One of a run that is too short never will be."""
    whys: list[str] = []
    if attribute == "correlation" and sources.correlation and not sources.correlation.pairs:
        whys = list(sources.correlation.untestable.values())
    elif attribute == "bottlenecks" and sources.bottlenecks:
        whys = [one.reason for one in sources.bottlenecks.classes if one.verdict == "not_evaluable"]
    if any(why.rstrip(".").endswith("are needed") for why in whys):
        return f"A longer run is needed: to call `{tool}` again for this one changes nothing."
    return f"Then call `{tool}` again."


def _unsought(sources: Sources) -> str:
    """In short: each class has its reason in the section on bottlenecks."""
    classes = sources.bottlenecks.classes if sources.bottlenecks else ()
    names = [class_name(one.kind) for one in classes if one.verdict == "not_evaluable"]
    return f"Not looked for: {', '.join(names)}; the section on bottlenecks says why" if names else ""


def spans(found: PerformanceAnalysis) -> tuple[Span, ...]:
    """The phases of the run."""
    return tuple(
        Span(name=one.name.replace("_", " "), from_s=one.from_s, to_s=one.to_s)
        for one in (found.phases.phases if found.phases else ())
    )


def _of_record(sources: Sources) -> Iterator[Fact]:
    facts = sources.facts
    request = facts.request
    given = (
        ("Run", sources.performance.run_id, "run_id"),
        ("Scenario", facts.scenario, "scenario"),
        ("Type", facts.type, "type"),
        ("Version", facts.version, "version"),
        ("Tags", ", ".join(facts.tags) or None, "tags"),
        ("Environment", request.environment, "request.environment"),
        ("Results from", _source(sources), "source"),
    )
    for title, value, key in given:
        yield Fact(name=title, value=name(value) if value else "not recorded", source=f"{RECORD}: {key}")


def _source(sources: Sources) -> str | None:
    found = sources.facts
    return f"{found.source} ({found.fidelity or 'fidelity not recorded'})" if found.source else None


def _of_window(found: PerformanceAnalysis) -> Iterator[Fact]:
    if found.window_start is not None and found.window_s is not None:
        start = f"{found.window_start:%Y-%m-%d %H:%M:%S} UTC"
        yield Fact(name="First sample", value=start, source=f"{PERFORMANCE}: window_start")
        yield Fact(name="Length", value=duration(found.window_s), source=f"{PERFORMANCE}: window_s")
    phases = found.phases
    if phases is None:
        return
    if phases.steady_from_s is not None and phases.steady_to_s is not None:
        value = f"{duration(phases.steady_from_s)} to {duration(phases.steady_to_s)} after the first sample"
        yield Fact(name="Steady state", value=value, source=f"{PERFORMANCE}: phases")
        left = f"{duration(phases.excluded_s)} of ramps and warm-up"
        yield Fact(name="Left out of the numbers", value=left, source=f"{PERFORMANCE}: phases.excluded_s")
    else:
        yield Fact(name="Steady state", value=f"none. {sentence(phases.reason)}", source=f"{PERFORMANCE}: phases")
    drift = f"{phases.drift.verdict.replace('_', ' ')}. {sentence(phases.drift.reason)}"
    yield Fact(name="Drift", value=drift, source=f"{PERFORMANCE}: phases.drift")


def _of_load(found: PerformanceAnalysis) -> Iterator[Fact]:
    users = [one.users for one in (found.over_time.buckets if found.over_time else ()) if one.users is not None]
    most = f"{max(users)} at most" if users else "not in the result files"
    yield Fact(name="Users", value=most, source=f"{PERFORMANCE}: over_time.buckets")
    whole = found.overall.whole if found.overall else None
    if whole is not None:
        value = f"{whole.samples:,} samples, {whole.errors:,} of them failed"
        yield Fact(name="Whole run", value=value, source=f"{PERFORMANCE}: overall.whole")
    yield Fact(name="Counting", value=found.counting, source=f"{PERFORMANCE}: counting")


def _ms(value: float | None) -> str:
    return UNKNOWN if value is None else f"{shown(value, 'ms')} ms"


def _rate(value: float | None) -> str:
    return UNKNOWN if value is None else f"{plain(value)} per s"


def _apdex(numbers: Numbers) -> str:
    if numbers.apdex is None:
        return UNKNOWN
    return f"{numbers.apdex:.2f}" + (f" ({numbers.apdex_rating})" if numbers.apdex_rating else "")
