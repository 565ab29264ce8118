"""Nothing outside the run folder changes before a person agreed.

A tool takes a parameter `Annotated[Confirmed, asks(question)]`, where `question` gets arguments of the tool by name
and returns what to ask, and a parameter `confirm: Confirm = False`. Where the client can ask, it does, whatever
`confirm` says; `confirm` counts only where the client cannot.
"""

from collections.abc import Callable
from typing import Annotated, Literal

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.resolve import AcceptedElicitation, Elicit, ElicitationResult, Resolve
from pydantic import BaseModel, BeforeValidator, Field

from perfsuite.errors import Refused

Confirm = Annotated[bool, Field(description="Only after the user agreed, where the client cannot ask.")]
Confirmed = Literal[True]


class Answer(BaseModel):
    """The form that the user sees."""

    # A form may come back without the box, or with anything in it: only true is a yes.
    agreed: Annotated[bool, BeforeValidator(lambda value: value is True)] = Field(
        default=False, title="Go ahead", description="Tick to go ahead; leave empty to change nothing."
    )


class Confirmation(Resolve):
    """The mark of a parameter that is filled by asking the user."""


def asks(question: Callable[..., str | None]) -> Confirmation:
    """Fill a parameter by asking the user this question, or stop the call. No question (None) needs no answer.

    The question is asked for again in every round of the protocol: it must follow from the arguments alone.
    """

    async def ask(
        text: Annotated[str | None, Resolve(question)], confirm: bool, ctx: Context
    ) -> Answer | Elicit[Answer]:
        if text is None:
            return Answer(agreed=True)
        if _can_ask(ctx):
            return Elicit(text, Answer)
        if confirm:
            return Answer(agreed=True)
        raise Refused(
            f"This changes something outside the run folder: {text} This client cannot ask the user.",
            next_step="Ask the user yourself; only if the answer is yes, call again with confirm=true.",
        )

    async def agreed(answer: Annotated[ElicitationResult[Answer], Resolve(ask)]) -> Confirmed:
        if isinstance(answer, AcceptedElicitation) and answer.data.agreed:
            return True
        said = "accept, without ticking the box" if answer.action == "accept" else answer.action
        raise Refused(
            f"Nothing was changed: the user's answer was {said!r}.",
            next_step="Do not call again unless the user asks for it.",
        )

    return Confirmation(agreed)


def _can_ask(ctx: Context) -> bool:
    """Whether the client shows forms. One that declares elicitation without saying of what kind means forms."""
    elicitation = ctx.client_capabilities.elicitation if ctx.client_capabilities else None
    return elicitation is not None and (elicitation.form is not None or elicitation.url is None)
