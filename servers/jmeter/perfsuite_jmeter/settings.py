"""What the jmeter server reads from the environment."""

import sys
from pathlib import Path
from typing import Annotated

from pydantic import Field

from perfsuite.errors import BadSettings
from perfsuite.settings import EnvSettings, from_env

_CACHE = "PERFSUITE_JMETER_CACHE_DIR"


class JMeterSettings(EnvSettings):
    """Where JMeter and Java may be, how much memory JMeter gets, and where plans lie."""

    jmeter_home: Path | None = from_env(
        "JMETER_HOME",
        default=None,
        purpose="the folder of a JMeter installation, the one that holds bin and lib",
        obtain="By default `jmeter` on PATH, then the JMeter of the extra `perfsuite[jmeter]`.",
    )
    java_home: Path | None = from_env(
        "JAVA_HOME",
        default=None,
        purpose="the folder of a Java installation, the one that holds bin/java",
        obtain="By default `java` on PATH, then the Java of the extra `perfsuite[jmeter]`.",
    )
    search_path: str = from_env(
        "PATH",
        default="",
        purpose="the folders in which `jmeter` and `java` are looked for",
        obtain="The shell sets it.",
    )
    heap: Annotated[str, Field(pattern=r"^[1-9][0-9]{0,9}[kmgKMG]$")] = from_env(
        "PERFSUITE_JMETER_HEAP",
        default="1g",
        purpose="the memory that JMeter gets for its objects, such as 512m or 4g",
        obtain="The default is 1g.",
    )
    cache_dir: Path | None = from_env(
        _CACHE,
        default=None,
        purpose="the folder in which the JMeter of the extra `perfsuite[jmeter]` is put together, once",
        obtain="By default the folder perfsuite/jmeter in the user's cache.",
    )
    user_cache: Path | None = from_env(
        "XDG_CACHE_HOME",
        default=None,
        purpose="the user's cache",
        obtain="By default ~/.cache, or ~/Library/Caches on a Mac.",
    )
    scripts_dir: Path = from_env(
        "PERFSUITE_SCRIPTS_DIR",
        default=Path(),
        purpose="the folder in which test plans are looked for",
        obtain="The default is the project folder.",
    )

    @property
    def cache(self) -> Path:
        """The folder for what is made once on this machine."""
        return (self.cache_dir or _user_cache(self.user_cache) / "perfsuite" / "jmeter").expanduser().absolute()


def _user_cache(configured: Path | None) -> Path:
    # The XDG specification says to ignore a relative path.
    if configured is not None and configured.is_absolute():
        return configured
    try:
        home = Path.home()
    except RuntimeError:
        raise BadSettings(
            "This user has no home folder, so there is no cache to put JMeter into.",
            next_step=f"Set {_CACHE} to a writable folder.",
        ) from None
    return home / "Library" / "Caches" if sys.platform == "darwin" else home / ".cache"
