"""What the shape of an answer rests on."""

from typing import Final, Literal

Evidence = Literal["recorded", "specified", "source", "reported", "inferred"]

MEANINGS: Final[dict[Evidence, str]] = {
    "recorded": "a recording of the real service",
    "specified": "its documentation",
    "source": "the source of a client",
    "reported": "what users of it report",
    "inferred": "a guess from its neighbours",
}
