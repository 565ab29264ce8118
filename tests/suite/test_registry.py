"""What the registry is told of the servers is true, and what it asks for."""

import re

import pytest

from suite import registry
from suite.repository import README, command_of, pyproject, server_folders
from suite.settings import variables

LONGEST_DESCRIPTION = 100


@pytest.mark.parametrize("server", server_folders())
def test_the_file_is_the_one_that_the_code_gives(server: str) -> None:
    assert registry.place_of(server).read_text(encoding="utf-8") == registry.text_of(server), "run `just docs`"


@pytest.mark.parametrize("server", server_folders())
def test_it_keeps_to_what_the_registry_takes(server: str) -> None:
    document = registry.document_of(server)
    assert re.fullmatch(r"[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+", document["name"])
    assert 0 < len(document["description"]) <= LONGEST_DESCRIPTION
    assert f"<!-- mcp-name: {document['name']} -->" in README.read_text(encoding="utf-8")
    [package] = document["packages"]
    assert package["identifier"] == pyproject()["project"]["name"]
    assert package["version"] == document["version"]
    names = [one["name"] for one in package["environmentVariables"]]
    assert len(set(names)) == len(names)


def test_it_names_every_variable_of_the_servers_and_every_secret_as_one() -> None:
    documents = [registry.document_of(server) for server in server_folders()]
    told = {one["name"]: one for document in documents for one in document["packages"][0]["environmentVariables"]}
    ours = [one for one in variables() if one.name in told]
    assert {"DD_API_KEY", "API_KEY_SECRET", "CONFLUENCE_API_TOKEN", "PERFSUITE_ARTIFACTS_DIR"} < told.keys()
    assert {one.name for one in ours if one.is_secret} == {name for name, one in told.items() if one.get("isSecret")}
    assert {one.name for one in ours if one.is_required} == {
        name for name, one in told.items() if one.get("isRequired")
    }


def test_what_it_starts_is_what_there_is() -> None:
    for server in server_folders():
        [package] = registry.document_of(server)["packages"]
        _, *named = [argument["value"] for argument in package["packageArguments"]]
        assert command_of(server) == f"{named[0] if named else 'perfsuite'}-mcp"
