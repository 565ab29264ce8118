"""Whether the file that a step must leave behind is there and parses."""

import json
from collections.abc import Collection, Iterator
from pathlib import Path

from perfsuite.artifacts.folder import LARGEST_JSON, RunFolder
from perfsuite.artifacts.run_id import shown
from perfsuite.errors import PerfsuiteError
from perfsuite.workflow.stages import Gate

_OWN_NAMES = frozenset({"run_id"})
_MAGIC = {".parquet": b"PAR1", ".png": b"\x89PNG\r\n\x1a\n"}
_HEADER_AND_ROW = 64 * 1024


def unmet(gate: Gate, folder: RunFolder, produced: Collection[str]) -> str | None:
    """What is missing or wrong, or None when the gate holds. `produced` are the paths that the ledger knows."""
    faults = []
    for relative in _candidates(gate, folder, produced):
        fault = _fault_of(gate, folder, relative)
        if fault is None:
            return None
        faults.append(fault)
    return faults[0] if faults else gate.place


def has_rows(folder: RunFolder, relative: str) -> bool:
    """Whether a CSV of the run holds more than its header."""
    try:
        with folder.inside(relative).open("rb") as file:
            head = file.read(_HEADER_AND_ROW)
    except (PerfsuiteError, OSError):
        return False
    return bool(head.partition(b"\n")[2].strip())


def _candidates(gate: Gate, folder: RunFolder, produced: Collection[str]) -> Iterator[str]:
    for artifact in gate.artifacts:
        if artifact.placeholders <= _OWN_NAMES:
            yield artifact.place.replace("{run_id}", folder.run_id)
            continue
        for relative in produced:
            parts = artifact.match(relative)
            if parts is not None and all(parts[name] == value for name, value in gate.names):
                yield relative


def _fault_of(gate: Gate, folder: RunFolder, relative: str) -> str | None:
    try:
        path = folder.inside(relative)
        fault = _json_fault(path, gate) if path.suffix == ".json" else _content_fault(path)
    except PerfsuiteError:
        return relative
    except OSError as error:
        fault = f"cannot be read: {error.strerror}"
    return f"{relative} ({fault})" if fault else None


def _content_fault(path: Path) -> str | None:
    magic = _MAGIC.get(path.suffix, b"")
    with path.open("rb") as file:
        start = file.read(max(len(magic), 1))
    if not start:
        return "it is empty"
    return None if start.startswith(magic) else f"it is not a {path.suffix[1:]} file"


def _json_fault(path: Path, gate: Gate) -> str | None:
    if path.stat().st_size > LARGEST_JSON:
        return "it is too large"
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return "it is not JSON"
    if not isinstance(content, dict):
        return "it is not a JSON object"
    for key, allowed in gate.keys:
        value = content.get(key)
        if value is None or value == "" or (allowed and value not in allowed):
            return f"at {key!r}, expected {' or '.join(allowed) or 'a value'}; found {shown(value)}"
    return None
