"""The size and the form of answers."""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from mcp_types import CallToolResult, ContentBlock, TextContent
from pydantic_core import to_json

LONGEST_ANSWER = 10_000
FOR_THE_REST = 1_000

T = TypeVar("T")


@dataclass(frozen=True)
class Fitted(Generic[T]):
    """The part of a list that fits into an answer."""

    items: list[T]
    total: int
    has_more: bool


def fit(
    items: Sequence[T], *, total: int | None = None, start: int = 0, reserve: int = FOR_THE_REST,
    longest: int = LONGEST_ANSWER,
) -> Fitted[T]:  # fmt: skip
    """As many whole items as fit, from the first one on; `reserve` characters stay for the rest of the answer.

    `items` may be a page out of `total`, which begins at `start`. At least one item is kept, so that paging ends.
    """
    room = longest - reserve
    kept: list[T] = []
    for item in items:
        room -= len(to_json(item).decode()) + 1
        if room < 0 and kept:
            break
        kept.append(item)
    total = start + len(items) if total is None else total
    return Fitted(kept, total, has_more=start + len(kept) < total)


def tidy(result: CallToolResult) -> CallToolResult:
    """Structured content once more as text, in as few characters as JSON allows, and nothing that UTF-8 cannot say.

    A number that JSON does not have is a mistake of the tool: sent as null, it would break clients that check schemas.
    """
    if result.structured_content is None:
        return result.model_copy(update={"content": list(map(_encodable_block, result.content))})
    if places := list(_not_numbers(result.structured_content, "")):
        raise ValueError(f"the answer holds numbers that JSON does not have, at {', '.join(places)}")
    text = to_json(result.structured_content).decode()
    others = [block for block in result.content if not isinstance(block, TextContent)]
    return result.model_copy(update={"content": [TextContent(text=text), *others]})


def _encodable_block(block: ContentBlock) -> ContentBlock:
    return block.model_copy(update={"text": encodable(block.text)}) if isinstance(block, TextContent) else block


def _not_numbers(value: object, place: str) -> Iterator[str]:
    if isinstance(value, float) and not math.isfinite(value):
        yield place or "."
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from _not_numbers(part, f"{place}.{key}")
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from _not_numbers(part, f"{place}[{number}]")


def encodable(text: str) -> str:
    """The text with a replacement for each half of a surrogate pair, which a file name may hold and JSON may not."""
    return text.encode("utf-8", "replace").decode("utf-8")


def as_argument(value: Any, longest: int = 80) -> str:
    """A value as errors show it: as JSON, and cut when it is long."""
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
