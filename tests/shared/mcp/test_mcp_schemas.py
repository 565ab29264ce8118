"""Schemas lose what pydantic makes up, and nothing else."""

from pydantic import BaseModel, Field

from perfsuite.mcp.schemas import slim


class Node(BaseModel):
    title: str = Field(default="title", examples=[{"title": "an example"}])
    left: "Node | None" = None
    right: "Node | None" = None


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
