"""A run id becomes a folder name, so nothing but a safe folder name is one."""

import json
import pickle
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from perfsuite.artifacts import RunId, proposed_run_id
from perfsuite.artifacts.run_id import PATTERN, is_reserved
from perfsuite.errors import BadRunId

HOSTILE = {
    "": "0 characters",
    "..": "'.' at position 1",
    "../../x": "'.' at position 1",
    "a..b": "'..'",
    "a/b": "'/' at position 2",
    "a\\b": r"'\\' at position 2",
    "a\0b": r"'\x00' at position 2",
    "a\n": r"'\n' at position 2",
    "-a": "'-' at position 1",
    "é": "'é' at position 1",
    "run 1": "' ' at position 4",
    "x" * 65: "65 characters",
    "x" * 200: "200 characters",
    "NUL": "reserved",
    "com1.txt": "reserved",
    "ends.": "reserved",
    "workflows": "reserved",
    "Comparisons": "reserved",
    "\u0661": "position 1",
    "\ud800": "position 1",
}


@pytest.mark.parametrize(("value", "found"), HOSTILE.items(), ids=map(ascii, HOSTILE))
def test_what_cannot_name_a_folder_is_refused_with_what_was_expected_and_found(value: str, found: str) -> None:
    with pytest.raises(BadRunId) as caught:
        RunId(value)
    assert "expected 1 to 64 letters" in caught.value.message
    assert found in caught.value.message
    assert "a run that is there" in caught.value.next_step
    assert len(str(caught.value)) < 400


def test_something_that_is_no_text_is_refused() -> None:
    with pytest.raises(BadRunId, match="found a int"):
        RunId(7)  # type: ignore[arg-type]


@given(st.from_regex(PATTERN, fullmatch=True).filter(lambda text: ".." not in text and not is_reserved(text)))
def test_every_id_of_the_contract_is_accepted_and_stays_itself(text: str) -> None:
    run_id = RunId(text)
    assert run_id == text
    assert pickle.loads(pickle.dumps(run_id)) == text  # noqa: S301


@given(st.text())
def test_any_text_is_either_a_plain_folder_name_or_refused(text: str) -> None:
    try:
        run_id = RunId(text)
    except BadRunId:
        return
    assert re.fullmatch(PATTERN, run_id)
    assert ".." not in run_id


class Arguments(BaseModel):
    run_id: RunId


def test_a_tool_can_take_a_run_id_as_a_typed_argument() -> None:
    assert type(Arguments(run_id="checkout-7").run_id) is RunId  # type: ignore[arg-type]
    assert json.loads(Arguments(run_id=RunId("checkout-7")).model_dump_json()) == {"run_id": "checkout-7"}
    schema = TypeAdapter(RunId).json_schema()
    assert schema["type"] == "string"
    assert schema["pattern"] == f"^{PATTERN}$"
    assert "folder" in schema["description"]


def test_a_refused_argument_carries_the_whole_sentence() -> None:
    with pytest.raises(ValidationError) as caught:
        Arguments.model_validate({"run_id": "../../{x}"})
    with pytest.raises(BadRunId) as plain:
        RunId("../../{x}")
    problem = caught.value.errors()[0]
    assert problem["type"] == "bad_run_id"
    assert problem["msg"] == str(plain.value)


def test_a_number_is_no_run_id_even_as_an_argument() -> None:
    with pytest.raises(ValidationError, match="valid string"):
        Arguments.model_validate({"run_id": 7})


def test_a_proposed_id_is_made_of_the_words_given() -> None:
    assert proposed_run_id("Check out & pay", "load", "v1.2", []) == "Check-out-pay-load-v1.2"


def test_a_proposed_id_is_numbered_when_it_is_taken_in_any_case() -> None:
    assert proposed_run_id("shop", "load", "1", ["SHOP-load-1", "shop-load-1-2"]) == "shop-load-1-3"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("", "", ""), "run"),
        (("con", "", ""), "run-con"),
        (("日本", "load", "..."), "load"),
        (("Ünïcode",) * 1, "Unicode"),
    ],
)
def test_a_proposed_id_is_usable_whatever_the_words(words: tuple[str, ...], expected: str) -> None:
    scenario, kind, version = (*words, "", "")[:3]
    assert proposed_run_id(scenario, kind, version, []) == expected


@given(st.text(), st.text(), st.text(max_size=80), st.lists(st.text()))
def test_a_proposed_id_is_always_valid_and_fresh(scenario: str, kind: str, version: str, taken: list[str]) -> None:
    first = proposed_run_id(scenario, kind, version, taken)
    second = proposed_run_id(scenario, kind, version, [*taken, first])
    assert RunId(first) not in taken
    assert RunId(second) not in [*taken, first]
