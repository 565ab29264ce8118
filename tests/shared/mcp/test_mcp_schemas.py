"""Schemas lose what pydantic makes up, and nothing else."""

from enum import StrEnum
from typing import Any

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


def test_an_answer_is_outlined_one_level_deep() -> None:
    schema = outline(Answer.model_json_schema())

    assert schema == {
        "type": "object",
        "properties": {
            "node": {"type": ["object", "null"]},
            "colour": {"type": "string"},
            "nodes": {"type": "array"},
            "users": {"type": ["integer", "null"], "description": "null: not known"},
            "anything": {},
        },
    }
