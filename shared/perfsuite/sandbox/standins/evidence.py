"""What the shape of an answer rests on."""

from typing import Final, Literal

Evidence = Literal["recorded", "specified", "source", "reported", "inferred"]

MEANINGS: Final[dict[Evidence, str]] = {
    "recorded": "an answer of the real service that somebody recorded",
    "specified": "the service's own documentation or specification",
    "source": "the source of a client that reads it",
    "reported": "somebody who says to have seen it, or the issue of a client",
    "inferred": "our own conclusion from its neighbours",
}
