"""A JMeter that was found, and the Java that runs it."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

EngineSource = Literal["JMETER_HOME", "PATH", "packages"]
JavaSource = Literal["JAVA_HOME", "PATH", "packages"]

# JMeter's own start script opens these to XStream, Groovy and Swing.
_OPENED: Final = (
    "java.base/java.lang",
    "java.base/java.lang.invoke",
    "java.base/java.lang.reflect",
    "java.base/java.text",
    "java.base/java.util",
    "java.base/java.util.concurrent",
    "java.desktop/java.awt",
    "java.desktop/java.awt.font",
    "java.desktop/javax.swing",
    "java.desktop/javax.swing.text.html",
    "java.desktop/sun.awt",
    "java.desktop/sun.swing",
)
_COLLECTOR: Final = ("-XX:+UseG1GC", "-XX:MaxGCPauseMillis=100", "-XX:G1ReservePercent=20")
# Numbers in the summary lines and names of log levels follow the locale of the JVM.
_ENGLISH: Final = ("-Dfile.encoding=UTF-8", "-Duser.language=en", "-Duser.country=US", "-Duser.region=US")
_MAJOR: Final = re.compile(r"(?:1\.)?(\d+)")
_FIRST_WITH_MODULES: Final = 9
# From here on Java prints four lines about XStream at each start unless it is told that this is known.
_FIRST_THAT_WARNS: Final = 24


class JavaCandidate(BaseModel):
    """A Java that was looked at."""

    model_config = ConfigDict(frozen=True)

    source: JavaSource
    path: str
    usable: bool
    version: str | None = None
    reason: str | None = Field(None, description="why it is not usable")


class EngineCandidate(BaseModel):
    """A JMeter that was looked at."""

    model_config = ConfigDict(frozen=True)

    source: EngineSource
    home: str
    usable: bool
    version: str | None = None
    java: str | None = Field(None, description="the Java it was tried with")
    java_version: str | None = None
    reason: str | None = Field(None, description="why it is not usable, or not all of it")


class Engine(BaseModel):
    """A JMeter that has loaded a plan, and how to start it."""

    model_config = ConfigDict(frozen=True)

    source: EngineSource
    home: Path
    version: str
    java: Path
    java_version: str
    heap: str = "1g"
    groovy_problem: str | None = Field(None, description="why JSR223 elements and __groovy do not work; null: they do")
    passed_over: tuple[str, ...] = Field((), description="why earlier candidates were not taken")

    @property
    def extensions(self) -> Path:
        """The folder for plugins."""
        return self.home / "lib" / "ext"

    @property
    def java_major(self) -> int:
        """8 for 1.8.0_392, 17 for 17.0.15, 26 for 26-ea."""
        found = _MAJOR.match(self.java_version)
        return int(found[1]) if found else _FIRST_WITH_MODULES

    def command(
        self, arguments: Sequence[str], *, heap: str | None = None, jvm: Sequence[str] = _COLLECTOR
    ) -> list[str]:
        """What to start: Java itself and not the shell script, so that the process is the one to watch and to stop."""
        size = heap or self.heap
        opened = self.java_major >= _FIRST_WITH_MODULES
        return [
            str(self.java),
            *(f"--add-opens={package}=ALL-UNNAMED" for package in _OPENED if opened),
            *(["--sun-misc-unsafe-memory-access=allow"] if self.java_major >= _FIRST_THAT_WARNS else []),
            f"-Xms{size}",
            f"-Xmx{size}",
            "-XX:MaxMetaspaceSize=256m",
            *jvm,
            "-Djava.awt.headless=true",
            *_ENGLISH,
            "-jar",
            str(self.home / "bin" / "ApacheJMeter.jar"),
            *arguments,
        ]

    @staticmethod
    def environment(base: Mapping[str, str]) -> dict[str, str]:
        """The environment to start it in: Java opens files with non-English names only under a UTF-8 locale."""
        return {**base, "LC_ALL": "C.UTF-8"}


class EngineReport(BaseModel):
    """What was looked for, in this order, what was found and what will be used."""

    model_config = ConfigDict(frozen=True)

    used: Engine | None = Field(description="the first JMeter that works; null when there is none")
    candidates: list[EngineCandidate] = Field(
        description="in the order tried; those after the first usable one are not"
    )
    javas: list[JavaCandidate]
    notes: list[str]
    next_step: str
