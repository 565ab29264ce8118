"""A real JMeter for the tests, put together once for all of them."""

import shlex
import shutil
from pathlib import Path

import pytest

from perfsuite_jmeter.client.engines.discovery import find_engine
from perfsuite_jmeter.client.engines.packages import jar_package, packaged_java
from perfsuite_jmeter.models.engine import Engine
from perfsuite_jmeter.settings import JMeterSettings

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "jmeter-tests"


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """The JMeter of the packages, whatever else is installed on this machine."""
    if jar_package() is None or packaged_java() is None:
        pytest.skip("no JMeter: install the extra `perfsuite[jmeter]`")
    # No PATH, and so no other JMeter; but another Java may run the Groovy that the packaged one is too new for.
    java = shutil.which("java")
    java_home = Path(java).resolve().parents[1] if java else None
    found = find_engine(JMeterSettings(cache_dir=CACHE, heap="256m", java_home=java_home))
    return found.model_copy(update={"java": quick_to_start(found.java, tmp_path_factory.mktemp("java-home"))})


def quick_to_start(java: Path, home: Path) -> Path:
    """The same Java, which compiles less: it is started often here, for short, and takes half as long."""
    script = home / "bin" / "java"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec {shlex.quote(str(java))} -XX:TieredStopAtLevel=1 "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    return script
