"""A real JMeter for the tests, put together once for all of them."""

import shutil
from pathlib import Path

import pytest

from perfsuite_jmeter.client.engines.discovery import find_engine
from perfsuite_jmeter.client.engines.packages import jar_package, packaged_java
from perfsuite_jmeter.models.engine import Engine
from perfsuite_jmeter.settings import JMeterSettings

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "jmeter-tests"


@pytest.fixture(scope="session")
def engine() -> Engine:
    """The JMeter of the packages, whatever else is installed on this machine."""
    if jar_package() is None or packaged_java() is None:
        pytest.skip("no JMeter: install the extra `perfsuite[jmeter]`")
    # No PATH, and so no other JMeter; but another Java may run the Groovy that the packaged one is too new for.
    java = shutil.which("java")
    java_home = Path(java).resolve().parents[1] if java else None
    return find_engine(JMeterSettings(cache_dir=CACHE, heap="256m", java_home=java_home))
