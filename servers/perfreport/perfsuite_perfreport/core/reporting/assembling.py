"""The report as data."""

from perfsuite import __version__
from perfsuite.artifacts.analyses import Method
from perfsuite_perfreport.core.reporting import scope, statements
from perfsuite_perfreport.core.reporting.advice import advice
from perfsuite_perfreport.core.reporting.numbers import name, sentence
from perfsuite_perfreport.core.reporting.plots import plots
from perfsuite_perfreport.core.reporting.sources import Sources
from perfsuite_perfreport.core.reporting.tables import tables
from perfsuite_perfreport.core.reporting.verdicts import judge
from perfsuite_perfreport.models.report import Report


def assembled(sources: Sources) -> Report:
    """Everything that the report says, before it is put into words and pages."""
    found, judged = sources.performance, judge(sources)
    return Report(
        run_id=found.run_id,
        title=f"Performance test report: {name(sources.facts.scenario or found.run_id)}",
        perfsuite_version=__version__,
        verdict=judged.verdict,
        verdict_reason=sentence(judged.reason),
        confidence=judged.confidence,
        confidence_reasons=tuple(map(sentence, judged.doubts)),
        window_start=found.window_start,
        window_s=found.window_s,
        window_name=scope.window_name(found),
        highlights=statements.highlights(sources),
        key_numbers=scope.key_numbers(found),
        scope=scope.scope(sources),
        quality=scope.quality(found),
        missing=scope.missing(sources),
        findings=statements.findings(sources),
        bottlenecks=statements.suspicions(sources),
        bottleneck_notes=statements.bottleneck_notes(sources),
        correlation=statements.correlation(sources.correlation),
        capacity=statements.capacity(sources.correlation),
        advice=advice(sources),
        tables=tables(sources),
        plots=plots(sources),
        spans=scope.spans(found),
        pictures=sources.pictures,
        methods=_methods(sources),
        percentile_method=found.percentile_method,
        inputs=sources.inputs,
    )


def _methods(sources: Sources) -> tuple[Method, ...]:
    """Of every analysis, each once."""
    found = dict[str, Method]()
    for _, analysis in sources.analyses():
        found |= {one.model_dump_json(): one for one in analysis.methods}
    return tuple(found.values())
