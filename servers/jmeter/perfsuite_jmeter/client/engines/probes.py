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

from perfsuite_jmeter.client.engines.places import LAUNCHER
from perfsuite_jmeter.client.engines.running import run
from perfsuite_jmeter.client.loading import load_plan
from perfsuite_jmeter.models.engine import Engine, EngineSource

# Raised whenever a probe would find something else in the same files.
_METHOD: Final = "1"
_JAVA_TIMEOUT_S: Final = 20.0
_JAVA_VERSION: Final = re.compile(r'version "([^"\s]+)"')
_TOO_OLD: Final = "UnsupportedClassVersionError"
_PROBE_HEAP: Final = "256m"
_PLAN: Final = """<?xml version="1.0" encoding="UTF-8"?>
<jmeterTestPlan version="1.2" properties="5.0">
  <hashTree>
    <TestPlan guiclass="TestPlanGui" testclass="TestPlan" testname="Probe" enabled="true"/>
    <hashTree>
      <ThreadGroup guiclass="ThreadGroupGui" testclass="ThreadGroup" testname="Users" enabled="true">
        <elementProp name="ThreadGroup.main_controller" elementType="LoopController"/>
        <stringProp name="ThreadGroup.num_threads">1</stringProp>
      </ThreadGroup>
      <hashTree>
        <HTTPSamplerProxy guiclass="HttpTestSampleGui" testclass="HTTPSamplerProxy" testname="Request" enabled="true">
          <elementProp name="HTTPsampler.Arguments" elementType="Arguments"/>
          <stringProp name="HTTPSampler.domain">127.0.0.1</stringProp>
        </HTTPSamplerProxy>
        <hashTree/>
      </hashTree>
    </hashTree>
  </hashTree>
</jmeterTestPlan>
"""


class JavaVerdict(BaseModel):
    """Whether a Java runs."""

    version: str | None = None
    reason: str | None = None


class EngineVerdict(BaseModel):
    """Whether a JMeter works with a Java."""

    java_version: str
    reason: str | None = None
    blames_java: bool = False


def java_verdict(java: Path) -> JavaVerdict:
    """Start this Java for its version."""
    if not os.access(java, os.X_OK):
        return JavaVerdict(reason=f"there is no program {str(java)!r}")
    with tempfile.TemporaryDirectory(prefix="java-") as place:
        try:
            ended = run(
                [str(java), "-version"],
                environ=os.environ,
                cwd=Path(place),
                output=Path(place) / "version",
                timeout_s=_JAVA_TIMEOUT_S,
            )
        except OSError as error:
            return JavaVerdict(reason=f"{str(java)!r} cannot be started: {error.strerror}")
    found = _JAVA_VERSION.search(ended.output)
    if ended.code == 0 and found:
        return JavaVerdict(version=found[1])
    how = "did not end" if ended.code is None else f"ended with code {ended.code}"
    return JavaVerdict(reason=f"`{java} -version` {how}: {ended.output.strip()[:200]!r}")


def engine_verdict(
    source: EngineSource, home: Path, java: Path, version: str | None, cache: Path, *, refresh: bool
) -> EngineVerdict | JavaVerdict:
    """What this JMeter does with this Java: as remembered, or tried. A `JavaVerdict` when the Java does not run."""
    memory = cache / "probes" / f"{_fingerprint(home, java)}.json"
    if not refresh and (known := _remembered(memory)):
        return known
    runs = java_verdict(java)
    if runs.version is None:
        return runs
    engine = Engine(source=source, home=home, version=version or "", java=java, java_version=runs.version)
    verdict, is_final = _tried(engine)
    if is_final:
        _remember(memory, verdict)
    return verdict


def _tried(engine: Engine) -> tuple[EngineVerdict, bool]:
    """The verdict, and whether it would be the same at another time."""
    with tempfile.TemporaryDirectory(prefix="probe-") as place:
        plan = Path(place) / "probe.jmx"
        plan.write_text(_PLAN, encoding="utf-8")
        loaded = load_plan(engine, plan, {}, Path(place))
    told = " ".join(loaded.lines)
    reason = None if loaded.ok else f"it does not load a plan: {told}"
    verdict = EngineVerdict(java_version=engine.java_version, reason=reason, blames_java=_TOO_OLD in told)
    return verdict, not loaded.timed_out


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


def _remembered(memory: Path) -> EngineVerdict | None:
    try:
        return EngineVerdict.model_validate_json(memory.read_bytes())
    except (OSError, ValidationError):
        return None


def _remember(memory: Path, verdict: EngineVerdict) -> None:
    # A cache that cannot be written costs two seconds at the next start, and nothing else.
    with suppress(OSError):
        memory.parent.mkdir(parents=True, exist_ok=True)
        draft = memory.with_name(f".{memory.name}.{os.getpid()}")
        draft.write_text(verdict.model_dump_json(), encoding="utf-8")
        draft.replace(memory)
