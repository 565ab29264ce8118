"""Nothing outside changes before a person agreed, in both eras."""

from typing import Any

import pytest
from mcp_types import (
    ElicitRequestParams,
    ElicitResult,
    TextContent,
)

from shared.mcp.conftest import Connect

AGREED = ElicitResult(action="accept", content={"agreed": True})


class User:
    """Someone who gives the same answer to every question."""

    def __init__(self, answer: ElicitResult) -> None:
        self.answer = answer
        self.questions: list[str] = []

    async def __call__(self, context: Any, params: ElicitRequestParams) -> ElicitResult:
        self.questions.append(params.message)
        return self.answer


async def published(connect: Connect, user: User | None, **arguments: object) -> tuple[bool, str]:
    async with connect(elicitation_callback=user) as client:
        result = await client.call_tool("publish", {"page": "p", **arguments})
    assert isinstance(result.content[0], TextContent)
    return not result.is_error, result.content[0].text


async def test_a_user_who_agrees_is_obeyed(connect: Connect) -> None:
    user = User(AGREED)

    assert await published(connect, user) == (True, "published p True")
    assert user.questions == ["Publish page 'p'?"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (ElicitResult(action="decline"), "'decline'"),
        (ElicitResult(action="cancel"), "'cancel'"),
        (ElicitResult(action="accept", content={"agreed": False}), "without ticking the box"),
        (ElicitResult(action="accept", content={}), "without ticking the box"),
        (ElicitResult(action="accept"), "neither a yes nor a no"),
        (ElicitResult(action="accept", content={"agreed": "yes"}), "without ticking the box"),
        (ElicitResult(action="accept", content={"agreed": 1}), "without ticking the box"),
    ],
)
async def test_a_user_who_does_not_agree_is_obeyed(connect: Connect, answer: ElicitResult, said: str) -> None:
    was_published, text = await published(connect, User(answer))

    assert not was_published
    assert text.startswith("Nothing was changed")
    assert said in text


async def test_an_answer_that_is_not_one_changes_nothing(connect: Connect) -> None:
    was_published, _ = await published(connect, User(ElicitResult(action="accept", content={"agreed": "maybe"})))

    assert not was_published


async def test_confirm_does_not_replace_a_user_who_can_be_asked(connect: Connect) -> None:
    user = User(ElicitResult(action="decline"))

    assert (await published(connect, user, confirm=True))[0] is False
    assert len(user.questions) == 1


async def test_where_the_client_cannot_ask_the_agent_is_told_how(connect: Connect) -> None:
    was_published, text = await published(connect, None)

    assert not was_published
    assert "Publish page 'p'?" in text
    assert "call again with confirm=true" in text


async def test_where_the_client_cannot_ask_confirm_is_taken(connect: Connect) -> None:
    assert await published(connect, None, confirm=True) == (True, "published p True")


async def test_the_answer_is_no_argument_of_the_tool(connect: Connect) -> None:
    async with connect() as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}

    assert set(tools["publish"].input_schema["properties"]) == {"page", "confirm"}
