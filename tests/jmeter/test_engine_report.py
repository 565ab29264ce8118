"""What `check_jmeter_engine` answers."""

from pathlib import Path

import pytest

from jmeter.homes import FORBIDDEN, fake_java, fake_jmeter
from jmeter.test_engine_discovery import WORKS, WORKS_WITHOUT_GROOVY
from perfsuite.errors import PerfsuiteError
from perfsuite_jmeter.models.engine import Engine
from perfsuite_jmeter.service.engines import check_engine
from perfsuite_jmeter.settings import JMeterSettings


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def on_a_machine(tmp_path: Path, script: str) -> JMeterSettings:
    """One JMeter, which does this."""
    fake_java(tmp_path / "java", script)
    home = fake_jmeter(tmp_path / "jmeter", "5.5")
    return JMeterSettings(jmeter_home=home, java_home=tmp_path / "java", cache_dir=tmp_path / "cache")


async def test_the_jmeter_that_is_used_is_said_with_its_java(tmp_path: Path) -> None:
    report = await check_engine(on_a_machine(tmp_path, WORKS))
    assert report.used is not None
    assert (report.used.version, report.used.java_version) == ("5.5", "17.0.9")
    assert [one.source for one in report.candidates] == ["JMETER_HOME"]
    assert report.javas[0].version == "17.0.9"
    assert any("PERFSUITE_JMETER_HEAP" in note for note in report.notes)
    assert report.next_step.startswith("Nothing is missing.")


async def test_without_a_jmeter_that_works_the_reasons_and_the_remedy_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.path", [])
    report = await check_engine(on_a_machine(tmp_path, f"echo '{FORBIDDEN}'"))
    assert report.used is None
    assert [one.usable for one in report.candidates] == [False, False]
    assert "ForbiddenClassException" in (report.candidates[0].reason or "")
    assert "Install `perfsuite[jmeter]`" in report.next_step


async def test_a_java_too_new_for_groovy_is_said(tmp_path: Path) -> None:
    report = await check_engine(on_a_machine(tmp_path, WORKS_WITHOUT_GROOVY))
    assert report.used is not None
    assert any("Users that meet a script end without a sample" in note for note in report.notes)
    assert "set JAVA_HOME" in report.next_step


async def test_a_jmeter_home_that_is_not_used_is_said_and_the_progress_is_told(engine: Engine, tmp_path: Path) -> None:
    told: list[tuple[float, float | None, str | None]] = []

    async def report_progress(done: float, total: float | None, message: str | None) -> None:
        told.append((done, total, message))

    settings = JMeterSettings(
        jmeter_home=tmp_path / "wrong", java_home=engine.java.parents[1], cache_dir=tmp_path / "cache"
    )
    report = await check_engine(settings, refresh=True, report=report_progress)
    assert report.used is not None
    assert report.used.source == "packages"
    assert any(note.startswith("JMETER_HOME is set, but what it names is not used.") for note in report.notes)
    assert told[-1] == (1.0, 1.0, "Putting JMeter 5.5 together")


async def test_a_look_that_fails_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pathlib.Path.home", _no_home)
    with pytest.raises(PerfsuiteError, match="PERFSUITE_JMETER_CACHE_DIR"):
        await check_engine(JMeterSettings(jmeter_home=tmp_path))


def _no_home() -> Path:
    raise RuntimeError("Could not determine home directory.")
