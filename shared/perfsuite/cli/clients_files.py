"""A client's configuration file: read strictly, changed only where entries of perfsuite stand, and put in place whole.

What else the file holds may be secret, and other programs write to it too. So nothing of it is ever shown, the former
file is kept, and a file that changed meanwhile, or that could not be written back as it is, is left alone.
"""

import difflib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final

from perfsuite.cli.clients_entries import Entries, Entry, strings_in
from perfsuite.cli.clients_kinds import INPUTS, Kind, is_input_of_ours
from perfsuite.errors import BadFile, Conflict, StorageFailed

Document = dict[str, Any]

_BACKUP: Final = ".before-perfsuite"
_INDENT: Final = re.compile(r"\n([ \t]+)\S")
_USUAL_INDENT: Final = "  "
_REFERENCE: Final = re.compile(r"\$\{[^{}]*\}")
_HIDDEN: Final = "…"
# An entry that reached a server by an address now starts one.
_OF_ADDRESSES: Final = ("url", "headers")
_ONLY_OWNER: Final = 0o600


@dataclass(frozen=True)
class Source:
    """A file as it was read."""

    path: Path
    content: bytes | None
    """None: there is no file."""
    document: Document

    @property
    def indent(self) -> str:
        found = _INDENT.search((self.content or b"").decode("utf-8-sig"))
        return found[1] if found else _USUAL_INDENT


def read(path: Path) -> Source:
    """The content of the file, or an error that says why it is better left alone."""
    # A link, as people have who keep their configuration elsewhere, stays one.
    target = path.resolve()
    try:
        content = target.read_bytes()
    except FileNotFoundError:
        return Source(target, None, {})
    except OSError as error:
        raise StorageFailed(
            f"{str(path)!r} cannot be read: {error.strerror}.", next_step="Make it readable, or add --print."
        ) from None
    return Source(target, content, _parsed(path, content))


def _parsed(path: Path, content: bytes) -> Document:
    try:
        found = json.loads(
            content.decode("utf-8-sig") or "{}", object_pairs_hook=_once, parse_constant=_not_json
        )  # fmt: skip
    except (ValueError, RecursionError) as error:
        raise BadFile(
            f"{str(path)!r} is not plain JSON: {error}. Comments and commas at the end of lists are not, either.",
            next_step="Correct the file, or add --print, and put the text in by hand.",
        ) from None
    if not isinstance(found, dict):
        raise _unexpected(path, "the file", "an object")
    return found


def _once(pairs: list[tuple[str, Any]]) -> Document:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"a key stands there twice: {next(name for name in names if names.count(name) > 1)!r}")
    return found


def _not_json(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def merged(source: Source, kind: Kind, entries: Entries, ours: Collection[str]) -> Document:
    """The document with these entries of ours and no other. What stands beside them stays, and so do its keys."""
    old = _section(source, kind.key, {})
    kept = {name: entry for name, entry in old.items() if name not in ours}
    new = {name: _joined(old.get(name), entry) for name, entry in entries.servers.items()}
    document = {**source.document, kind.key: {**kept, **new}}
    if not kind.has_inputs:
        return document
    definitions = _section(source, INPUTS, [])
    others = [one for one in definitions if not is_input_of_ours(one)]
    asked = [one for one in entries.inputs if f"${{input:{one['id']}}}" in set(strings_in(new))]
    return _with_inputs(document, [*others, *asked])


def _joined(old: Any, entry: Entry) -> Entry:
    """An entry as it is to be now. A value that the user gave in place of a reference is the user's choice."""
    if not isinstance(old, dict):
        return entry
    former = old.get("env")
    former = former if isinstance(former, dict) else {}
    given = {name: value for name, value in former.items() if value and _is_reference(entry["env"], name)}
    environ = {**former, **entry["env"], **given}
    kept = {key: value for key, value in old.items() if key not in _OF_ADDRESSES}
    return {**kept, **entry, "env": environ}


def _is_reference(environ: Mapping[str, str], name: str) -> bool:
    return _REFERENCE.fullmatch(environ.get(name, "")) is not None


def without(source: Source, kind: Kind, ours: Collection[str]) -> Document:
    """The document without the entries of ours."""
    if kind.key not in source.document:
        return source.document
    kept = {name: entry for name, entry in _section(source, kind.key, {}).items() if name not in ours}
    document = {**source.document, kind.key: kept}
    if not kind.has_inputs:
        return document
    return _with_inputs(document, [one for one in _section(source, INPUTS, []) if not is_input_of_ours(one)])


def _with_inputs(document: Document, inputs: list[Any]) -> Document:
    others = {key: value for key, value in document.items() if key != INPUTS}
    if not inputs:
        return others
    return {**document, INPUTS: inputs}


def _section(source: Source, key: str, empty: Any) -> Any:
    found = source.document.get(key, empty)
    if not isinstance(found, type(empty)):
        raise _unexpected(source.path, f"{key!r}", "an object" if isinstance(empty, dict) else "a list")
    return found


def _unexpected(path: Path, what: str, expected: str) -> BadFile:
    return BadFile(
        f"In {str(path)!r}, {what} is not {expected}.",
        next_step="Correct the file, or add --print, and put the text in by hand.",
    )


def difference(source: Source, document: Document, shown: Collection[str]) -> list[str]:
    """What would change, line by line. Of texts, only those in `shown` and references can be read."""
    before, after = (
        json.dumps(_masked(one, shown), indent=2, ensure_ascii=False).splitlines()
        for one in (source.document, document)
    )
    return list(difflib.unified_diff(before, after, str(source.path), str(source.path), "now", "then", lineterm=""))


def _masked(value: Any, shown: Collection[str]) -> Any:
    if isinstance(value, str):
        return value if value in shown or _REFERENCE.fullmatch(value) else _HIDDEN
    if isinstance(value, dict):
        return {name: _masked(part, shown) for name, part in value.items()}
    return [_masked(part, shown) for part in value] if isinstance(value, list) else value


def write(source: Source, document: Document) -> Path | None:
    """Put the document in the place of the file, and return where the former one is kept."""
    try:
        if _content(source.path) != source.content:
            raise Conflict(
                f"{str(source.path)!r} was changed by another program.", next_step="Close the client, then try again."
            )
        source.path.parent.mkdir(parents=True, exist_ok=True)
        kept = _backup(source)
        _replace(source, _text(source, document))
    except OSError as error:
        raise StorageFailed(
            f"{str(source.path)!r} cannot be written: {error.strerror}. What was there before is unchanged.",
            next_step="Make it writable, or add --print, and put the text in by hand.",
        ) from None
    return kept


def _text(source: Source, document: Document) -> bytes:
    content = source.content or b""
    try:
        text = json.dumps(document, indent=source.indent, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # Half of a pair, which only an escape can say.
        text = json.dumps(document, indent=source.indent).encode()
    start = b"\xef\xbb\xbf" if content.startswith(b"\xef\xbb\xbf") else b""
    return start + text + (b"" if content and not content.endswith(b"\n") else b"\n")


def _content(path: Path) -> bytes | None:
    with suppress(FileNotFoundError):
        return path.read_bytes()
    return None


def _backup(source: Source) -> Path | None:
    if source.content is None:
        return None
    names = (source.path.with_name(f"{source.path.name}{_BACKUP}{number or ''}") for number in count())
    free = next(name for name in names if not name.exists())
    shutil.copy2(source.path, free)
    return free


def _replace(source: Source, content: bytes) -> None:
    """The file is the former one or the new one, whole, and as private as it was."""
    mode = source.path.stat().st_mode & 0o777 if source.content is not None else _ONLY_OWNER
    descriptor, name = tempfile.mkstemp(prefix=f".{source.path.name}.", dir=source.path.parent)
    written = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        written.chmod(mode)
        written.replace(source.path)
    finally:
        written.unlink(missing_ok=True)
