"""A template before it is used, apart from what renders it: that is slow to import."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Template:
    """A template, and where it comes from. `shown_as` is how errors name it."""

    name: str
    text: str
    shown_as: str
