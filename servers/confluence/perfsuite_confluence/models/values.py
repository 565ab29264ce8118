"""The values that Confluence's answers are made of, read with care: every one comes from outside."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StringConstraints

from perfsuite.samples.rows import printable

LONGEST_NAME = 255


def _text(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return printable(value, LONGEST_NAME) if isinstance(value, str) else value


def _lines(value: Any) -> Any:
    """A body, without what JSON cannot carry on."""
    return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else value


Text = Annotated[str, BeforeValidator(_text)]
"""Somebody else's words on one line, without control characters, cut to a length that can be shown."""
ContentId = Annotated[Text, StringConstraints(pattern=r"^[0-9]{1,19}$")]
"""The id of a page, a space or a property, which becomes a part of a path."""
AttachmentId = Annotated[
    Text, StringConstraints(pattern=r"^(?:att)?[0-9]{1,19}$"), AfterValidator(lambda text: text.removeprefix("att"))
]
Body = Annotated[str, BeforeValidator(_lines)]


class Received(BaseModel):
    """A part of an answer: what it holds beside its fields is passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)
