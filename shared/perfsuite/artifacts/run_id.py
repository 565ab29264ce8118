"""Run ids: the one thing outside the suite that becomes a folder name, so it is checked before any path is built."""

import re
import unicodedata
from collections.abc import Collection
from itertools import chain, count
from typing import Any, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from perfsuite.errors import BadRunId

PATTERN = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
LONGEST = 64
# These stand beside the run folders in the artifacts root.
NEIGHBOURS = frozenset({"workflows", "comparisons"})
_LONGEST_SHOWN = 80
_DESCRIPTION = "The run's id, which is the name of its folder: letters, digits, '.', '_' and '-', at most 64."
_EXPECTED = f"1 to {LONGEST} letters, digits, '.', '_' or '-', the first one a letter or a digit"
# Windows keeps these names for devices, whatever extension follows them.
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


class RunId(str):
    """A string that is safe as the name of a run folder on any file system."""

    __slots__ = ()

    def __new__(cls, value: str) -> Self:
        if fault := _fault(value):
            raise BadRunId(
                f"{shown(value)} is not a run id: expected {_EXPECTED}; found {fault}.",
                next_step="Use the id of a run that is there, or a new one such as 'checkout-load-v2'.",
            )
        return super().__new__(cls, value)

    @classmethod
    def _parse(cls, value: str) -> Self:
        try:
            return cls(value)
        except BadRunId as error:
            raise PydanticCustomError("bad_run_id", "{sentence}", {"sentence": str(error)}) from None

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(cls._parse, core_schema.str_schema(strict=True))

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "pattern": f"^{PATTERN}$", "description": _DESCRIPTION}


def proposed_run_id(scenario: str, kind: str, version: str, taken: Collection[str]) -> RunId:
    """A readable run id made of words, which is none of `taken`, not even on a disk that ignores case."""
    words = "-".join(filter(None, map(slug, (scenario, kind, version)))) or "run"
    if is_reserved(words):
        words = f"run-{words}"
    used = {name.casefold() for name in taken}
    suffixes = chain([""], (f"-{number}" for number in count(2)))
    candidates = (words[: LONGEST - len(suffix)].rstrip(".-") + suffix for suffix in suffixes)
    return RunId(next(candidate for candidate in candidates if candidate.casefold() not in used))


def slug(text: str) -> str:
    """The text in the characters that a file name may have anywhere."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"\.{2,}", ".", re.sub(r"[^A-Za-z0-9._]+", "-", plain)).strip("._-")


def is_reserved(name: str) -> bool:
    """Whether a file system or the suite keeps this name, or drops a part of it, so that two names would meet."""
    return bool(_DEVICE.fullmatch(name)) or name.endswith(".") or name.lower() in NEIGHBOURS


def shown(value: object) -> str:
    """The value as an error quotes it: never longer than a line."""
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def _fault(value: str) -> str | None:
    if not isinstance(value, str):
        return f"a {type(value).__name__}"
    if not value or len(value) > LONGEST:
        return f"{len(value)} characters"
    if not re.fullmatch(PATTERN, value):
        allowed = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", value)
        position = allowed.end() if allowed else 0
        return f"{value[position]!r} at position {position + 1}"
    if ".." in value:
        return "'..'"
    if is_reserved(value):
        return "a name that is reserved"
    return None
