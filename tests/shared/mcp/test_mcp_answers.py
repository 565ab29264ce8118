"""Answers stay within their size, and are never cut inside an item."""

from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic_core import to_json

from perfsuite.mcp.answers import LONGEST_ANSWER, encodable, fit


class Row(BaseModel):
    label: str


class Rows(BaseModel):
    rows: list[Row]
    total: int
    has_more: bool


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=3_000), max_size=60))
def test_what_fits_is_whole_in_order_and_below_the_limit(labels: list[str]) -> None:
    rows = [Row(label=label) for label in labels]
    fitted = fit(rows)
    answer = Rows(rows=fitted.items, total=fitted.total, has_more=fitted.has_more)

    assert fitted.items == rows[: len(fitted.items)]
    assert fitted.total == len(rows)
    assert fitted.has_more == (len(fitted.items) < len(rows))
    assert len(to_json(answer).decode()) < LONGEST_ANSWER or len(fitted.items) == 1


def test_a_page_in_the_middle_says_that_there_is_more() -> None:
    page = fit([1, 2, 3], total=10, start=5)
    last = fit([9, 10], total=10, start=8)

    assert (page.total, page.has_more) == (10, True)
    assert (last.total, last.has_more) == (10, False)


def test_one_item_is_kept_however_large() -> None:
    fitted = fit(["x" * 20_000, "y"])

    assert (len(fitted.items), fitted.has_more) == (1, True)


@given(st.text(st.characters()))
def test_any_text_can_be_sent(text: str) -> None:
    encodable(text).encode("utf-8")
