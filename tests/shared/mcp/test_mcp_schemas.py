"""Schemas lose what pydantic makes up, and nothing else."""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from perfsuite.mcp.schemas import outline, slim


class Node(BaseModel):
    title: str = Field(default="title", examples=[{"title": "an example"}])
    left: "Node | None" = None
    right: "Node | None" = None


class Colour(StrEnum):
    RED = "red"


class Answer(BaseModel):
    node: Node | None
    colour: Colour
    nodes: list[Node] = []
    users: int | None = Field(default=None, description="null: not known")
    anything: Any = None


class Verdict(BaseModel):
    state: Literal["good", "bad"]
    reason: str = ""


class Question(BaseModel):
    name: str = Field(default="", description="who", pattern="^[a-z]+$", max_length=9)
    names: list[Annotated[str, Field(description="one of them", max_length=9)]] = []
    number: int | None = Field(default=None, ge=5, le=2**53 - 1)
    start: int = Field(default=0, ge=0)
    is_sure: bool = False


class Tree(BaseModel):
    root: Node
    properties: dict[str, int] = Field(default={"title": 1}, title="Shown nowhere")


def test_names_and_data_survive_when_titles_go() -> None:
    schema = slim(Tree.model_json_schema())

    node = schema["$defs"]["Node"]
    assert set(schema) == {"$defs", "properties", "required", "type"}
    assert set(node["properties"]) == {"title", "left", "right"}
    assert node["properties"]["title"] == {"default": "title", "examples": [{"title": "an example"}], "type": "string"}
    assert schema["properties"]["properties"]["default"] == {"title": 1}
    assert "title" not in schema["properties"]["properties"]


def test_definitions_that_nobody_uses_go() -> None:
    schema = slim({"$defs": {"A": {"$ref": "#/$defs/B"}, "B": {}, "C": {}}, "items": [{"$ref": "#/$defs/A"}]})

    assert set(schema["$defs"]) == {"A", "B"}


def test_an_argument_that_may_be_left_out_does_not_say_that_it_may_be_null() -> None:
    schema = slim(Answer.model_json_schema())

    assert schema["properties"]["users"] == {"type": "integer", "description": "null: not known"}
    assert schema["properties"]["node"]["anyOf"][1] == {"type": "null"}, "it must be given, and may be null"


def test_what_errors_tell_and_what_goes_without_saying_is_left_out() -> None:
    schema = slim(Question.model_json_schema())

    assert schema["properties"] == {
        "name": {"type": "string", "description": "who"},
        "names": {"type": "array", "items": {"type": "string"}},
        "number": {"type": "integer", "minimum": 5},
        "start": {"type": "integer", "default": 0},
        "is_sure": {"type": "boolean", "default": False},
    }


def test_an_answer_is_outlined_one_level_deep() -> None:
    schema = outline(Answer.model_json_schema())

    assert schema == {
        "type": "object",
        "properties": {"users": {"type": ["integer", "null"], "description": "null: not known"}},
        "required": ["node", "colour"],
    }


def test_the_words_that_an_answer_may_hold_are_in_its_outline() -> None:
    schema = outline(Verdict.model_json_schema())

    assert schema["properties"] == {"state": {"type": "string", "enum": ["good", "bad"]}}
    assert schema["required"] == ["state"]
