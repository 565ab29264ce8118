"""Folders that look like a JMeter or a Java."""

import zipfile
from pathlib import Path

from perfsuite_jmeter.models.engine import Engine

VERSION = 'openjdk version "17.0.9" 2023-10-17'
# What Debian's JMeter 2.13 prints to every plan, before it ends with code 0.
FORBIDDEN = (
    "Error in NonGUIDriver com.thoughtworks.xstream.security.ForbiddenClassException: "
    "org.apache.jmeter.save.ScriptWrapper"
)


def fake_java(home: Path, script: str, *, version: str = f"echo '{VERSION}' >&2; exit 0") -> Path:
    """A Java that only knows its version; `script` stands in for JMeter."""
    java = home / "bin" / "java"
    java.parent.mkdir(parents=True, exist_ok=True)
    java.write_text(f'#!/bin/sh\nif [ "$1" = -version ]; then\n{version}\nfi\n{script}\n', encoding="utf-8")
    java.chmod(0o755)
    return java


def fake_jmeter(home: Path, version: str = "2.13.19691222") -> Path:
    """A home of JMeter whose jar files hold nothing but their version."""
    for jar in ("bin/ApacheJMeter.jar", "lib/ext/ApacheJMeter_core.jar"):
        write_jar(
            home / jar, {"META-INF/MANIFEST.MF": f"Manifest-Version: 1.0\r\nImplementation-Version: {version}\r\n"}
        )
    return home


def write_jar(jar: Path, content: dict[str, str]) -> Path:
    jar.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(jar, "w") as archive:
        for name, text in content.items():
            archive.writestr(name, text)
    return jar


def fake_engine(folder: Path, script: str) -> Engine:
    """An engine that does nothing but this script."""
    return Engine(
        source="packages",
        home=fake_jmeter(folder / "jmeter"),
        version="2.13",
        java=fake_java(folder / "java", script),
        java_version="17.0.9",
    )
