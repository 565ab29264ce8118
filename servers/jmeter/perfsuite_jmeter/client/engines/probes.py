"""Whether a JMeter works, found out by having it load a plan, and remembered until one of its files changes."""

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ValidationError

from perfsuite.samples.rows import printable
from perfsuite_jmeter.client.engines.places import LAUNCHER
from perfsuite_jmeter.client.engines.running import run
from perfsuite_jmeter.client.loading import Loaded, run_once
from perfsuite_jmeter.models.engine import Engine, EngineCandidate

# Raised whenever a probe would find something else in the same files.
_METHOD: Final = "2"
_JAVA_TIMEOUT_S: Final = 20.0
_PROBE_TIMEOUT_S: Final = 60.0
_LONGEST_REASON: Final = 500
_JAVA_VERSION: Final = re.compile(r'version "([^"\s]+)"')
_TOO_OLD: Final = "UnsupportedClassVersionError"
_TOO_NEW: Final = re.compile(r"Unsupported class file major version \d+")
_GROOVY_WORKED: Final = ",groovy-42,"
# For each class that a script names, Groovy reads the class file of the Java it runs on, and a Groovy knows those up
# to some Java only. Beyond it, every user that meets such a script dies, and the test ends well without a sample.
_PLAN: Final = b"""<?xml version="1.0" encoding="UTF-8"?>
<jmeterTestPlan version="1.2" properties="5.0">
  <hashTree>
    <TestPlan guiclass="TestPlanGui" testclass="TestPlan" testname="Probe" enabled="true"/>
    <hashTree>
      <ThreadGroup guiclass="ThreadGroupGui" testclass="ThreadGroup" testname="Users" enabled="true">
        <elementProp name="ThreadGroup.main_controller" elementType="LoopController">
          <boolProp name="LoopController.continue_forever">false</boolProp>
          <stringProp name="LoopController.loops">1</stringProp>
        </elementProp>
        <stringProp name="ThreadGroup.num_threads">1</stringProp>
      </ThreadGroup>
      <hashTree>
        <HTTPSamplerProxy guiclass="HttpTestSampleGui" testclass="HTTPSamplerProxy" testname="Request" enabled="false">
          <elementProp name="HTTPsampler.Arguments" elementType="Arguments"/>
        </HTTPSamplerProxy>
        <hashTree/>
        <JSR223Sampler guiclass="TestBeanGUI" testclass="JSR223Sampler" testname="Script" enabled="true">
          <stringProp name="scriptLanguage">groovy</stringProp>
          <stringProp name="script">SampleResult.setResponseMessage("groovy-" + new Date(42).time)</stringProp>
        </JSR223Sampler>
        <hashTree/>
      </hashTree>
    </hashTree>
  </hashTree>
</jmeterTestPlan>
"""


class Verdict(BaseModel):
    """What came of a JMeter on a Java: all is well without a reason."""

    java_version: str | None = None
    reason: str | None = None
    blames_java: bool = False
    groovy_problem: str | None = None


def verdict_on(engine: EngineCandidate, java: Path, cache: Path, *, refresh: bool) -> Verdict:
    """What this JMeter does on this Java: as remembered, or tried."""
    home = Path(engine.home)
    memory = cache / "probes" / f"{_fingerprint(home, java)}.json"
    if not refresh and (known := _remembered(memory)):
        return known
    runs = java_verdict(java)
    if runs.java_version is None:
        return runs
    version = engine.version or "of unknown version"
    verdict, is_final = _tried(
        Engine(source=engine.source, home=home, version=version, java=java, java_version=runs.java_version)
    )
    if is_final:
        _remember(memory, verdict)
    return verdict


def java_verdict(java: Path) -> Verdict:
    """Whether this Java runs, and its version."""
    if not os.access(java, os.X_OK):
        return _unusable_java(f"there is no program {str(java)!r}")
    with tempfile.TemporaryDirectory(prefix="java-") as place:
        output = Path(place) / "version"
        command = [str(java), "-version"]
        try:
            ended = run(command, environ=os.environ, cwd=Path(place), output=output, timeout_s=_JAVA_TIMEOUT_S)
        except OSError as error:
            return _unusable_java(f"{str(java)!r} cannot be started: {error.strerror}")
    found = _JAVA_VERSION.search(ended.output)
    if ended.code == 0 and found:
        return Verdict(java_version=found[1])
    how = "did not end" if ended.code is None else f"ended with code {ended.code}"
    return _unusable_java(f"`{java} -version` {how}: {ended.output.strip()[:200]!r}")


def _unusable_java(reason: str) -> Verdict:
    return Verdict(reason=printable(reason, _LONGEST_REASON), blames_java=True)


def _tried(engine: Engine) -> tuple[Verdict, bool]:
    """The verdict, and whether it would be the same at another time."""
    with tempfile.TemporaryDirectory(prefix="probe-") as place:
        loaded = run_once(engine, _PLAN, {}, Path(place), beside=Path(place), timeout_s=_PROBE_TIMEOUT_S)
    told = " ".join(loaded.lines)
    verdict = Verdict(
        java_version=engine.java_version,
        reason=None if loaded.ok else f"it does not load a plan: {told}",
        blames_java=_TOO_OLD in told,
        groovy_problem=_groovy_problem(loaded, engine),
    )
    return verdict, not loaded.timed_out


def _groovy_problem(loaded: Loaded, engine: Engine) -> str | None:
    if not loaded.ok or any(_GROOVY_WORKED in row for row in loaded.rows):
        return None
    found = _TOO_NEW.search(loaded.printed)
    why = f" ({found[0]})" if found else ""
    return f"The Groovy of JMeter {engine.version} does not work on Java {engine.java_version}{why}"


def _fingerprint(home: Path, java: Path) -> str:
    digest = hashlib.sha256(_METHOD.encode())
    for file in (*_files_of(home), java):
        digest.update(os.fsencode(file))
        with suppress(OSError):
            stat = file.stat()
            digest.update(f" {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:32]


def _files_of(home: Path) -> Iterator[Path]:
    yield home / LAUNCHER
    for pattern in ("bin/*.properties", "lib/*.jar", "lib/ext/*.jar"):
        yield from sorted(home.glob(pattern))


def _remembered(memory: Path) -> Verdict | None:
    try:
        return Verdict.model_validate_json(memory.read_bytes())
    except (OSError, ValidationError):
        return None


def _remember(memory: Path, verdict: Verdict) -> None:
    # A cache that cannot be written costs two seconds at the next start, and nothing else.
    with suppress(OSError):
        memory.parent.mkdir(parents=True, exist_ok=True)
        draft = memory.with_name(f".{memory.name}.{os.getpid()}")
        draft.write_text(verdict.model_dump_json(), encoding="utf-8")
        draft.replace(memory)
