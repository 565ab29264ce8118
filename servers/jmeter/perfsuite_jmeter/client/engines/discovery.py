"""The JMeter to use: from JMETER_HOME, else from PATH, else from the packages, and each only if it works."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from perfsuite.errors import NotFound, PerfsuiteError
from perfsuite_jmeter.client.engines import packages, places
from perfsuite_jmeter.client.engines.packages import Progress
from perfsuite_jmeter.client.engines.probes import EngineVerdict, JavaVerdict, engine_verdict, java_verdict
from perfsuite_jmeter.models.engine import Engine, EngineCandidate, EngineSource, JavaCandidate, JavaSource
from perfsuite_jmeter.settings import JMeterSettings

NEXT_STEP: Final = (
    "Install `perfsuite[jmeter]`, which brings a JMeter and a Java, or set JMETER_HOME to a JMeter of version 5 or "
    "later and JAVA_HOME to a Java that it runs on; then call `check_jmeter_engine`."
)


class Place(NamedTuple):
    """A folder that may be the home of a JMeter, or why there is none."""

    source: EngineSource
    home: Path | None
    reason: str | None = None


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
        candidate, engine = _judged(place, settings, refresh)
        seen.append(candidate)
        if engine is not None:
            passed_over = tuple(f"{one.source}: {one.reason}" for one in seen[:-1])
            return Survey(engine.model_copy(update={"passed_over": passed_over}), tuple(seen))
    return Survey(None, tuple(seen))


def look_at_javas(settings: JMeterSettings) -> list[JavaCandidate]:
    """Every Java that may be there, started for its version."""
    return [_java_candidate(source, java, java_verdict(java)) for source, java in places.javas(settings)]


def _places(settings: JMeterSettings, refresh: bool, progress: Progress | None) -> Iterator[Place]:
    if settings.jmeter_home is not None:
        yield Place("JMETER_HOME", settings.jmeter_home.expanduser().absolute())
    if command := places.jmeter_on_path(settings.search_path):
        yield Place("PATH", places.home_of(command))
    yield _packaged(settings.cache, refresh, progress)


def _packaged(cache: Path, refresh: bool, progress: Progress | None) -> Place:
    try:
        package = packages.jar_package()
        if package is None:
            return Place("packages", None, "the extra `perfsuite[jmeter]` is not installed")
        return Place("packages", packages.assembled(cache, package, progress=progress, thorough=refresh))
    except PerfsuiteError as error:
        return Place("packages", None, str(error))


def _judged(place: Place, settings: JMeterSettings, refresh: bool) -> tuple[EngineCandidate, Engine | None]:
    home = place.home
    candidate = partial(EngineCandidate, source=place.source, home=str(home or ""), usable=False)
    reason = place.reason if home is None else places.missing_from(home)
    if home is None or reason is not None:
        return candidate(reason=reason), None
    version = places.version_of(home)
    candidate = partial(candidate, version=version)
    complaints = []
    for _, java in _javas_for(place.source, settings):
        verdict = engine_verdict(place.source, home, java, version, settings.cache, refresh=refresh)
        if isinstance(verdict, EngineVerdict):
            if verdict.reason is None:
                engine = Engine(
                    source=place.source,
                    home=home,
                    version=version or "unknown",
                    java=java,
                    java_version=verdict.java_version,
                    heap=settings.heap,
                )
                return candidate(usable=True, java=str(java)), engine
            if not verdict.blames_java:
                return candidate(java=str(java), reason=verdict.reason), None
        complaints.append(verdict.reason)
    return candidate(reason="; ".join(filter(None, complaints)) or "there is no Java to run it"), None


def _javas_for(source: EngineSource, settings: JMeterSettings) -> list[tuple[JavaSource, Path]]:
    """The Java of the packages was made for the JMeter of the packages; others run on what the user has set up."""
    found = list(places.javas(settings))
    return sorted(found, key=lambda one: one[0] != source) if source == "packages" else found


def _java_candidate(source: JavaSource, java: Path, verdict: JavaVerdict) -> JavaCandidate:
    usable = verdict.version is not None
    return JavaCandidate(source=source, path=str(java), usable=usable, version=verdict.version, reason=verdict.reason)
