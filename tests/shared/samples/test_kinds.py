"""Transactions, samples and sub-results of a CSV file are told apart."""

from pathlib import Path
from typing import Any

import pytest

import jtl
from perfsuite.samples.kinds import possible_parents
from perfsuite.samples.summary import Summary

START = jtl.START_MS


def row(label: str, start: int, elapsed: int, thread: str = "U 1-1", **fields: object) -> dict[str, Any]:
    return jtl.sample(label=label, timeStamp=START + start, elapsed=elapsed, threadName=thread, **fields)


def transaction(label: str, start: int, elapsed: int, parts: int = 1, **fields: object) -> dict[str, Any]:
    message = f"Number of samples in transaction : {parts}, number of failing samples : 0"
    return row(label, start, elapsed, **({"responseMessage": message, "URL": "null"} | fields))


def kinds(found: Summary) -> dict[str, list[tuple[str, int]]]:
    result: dict[str, list[tuple[str, int]]] = {}
    for one in found.labels:
        result.setdefault(one.label, []).append((one.kind, one.samples))
    return result


def told(
    folder: Path, *rows: dict[str, Any], columns: tuple[str, ...] = jtl.COLUMNS
) -> dict[str, list[tuple[str, int]]]:
    found = jtl.stats(folder, jtl.text(rows, columns))
    assert found.total.samples == sum(one.samples for one in found.labels if one.kind == "sample")
    return kinds(found)


def test_numbered_parts_within_the_time_of_their_parent_are_sub_results(tmp_path: Path) -> None:
    found = told(tmp_path, row("Home", 0, 100), row("Home-0", 0, 40), row("Home-1", 40, 60), row("Home-1-0", 41, 5))
    assert found == {"Home": [("sample", 1)], "Home-0": [("sub", 1)], "Home-1": [("sub", 1)], "Home-1-0": [("sub", 1)]}


def test_a_real_label_that_ends_in_a_number_stays_a_sample(tmp_path: Path) -> None:
    found = told(tmp_path, row("Page", 0, 100), row("Page-1", 200, 50))
    assert found == {"Page": [("sample", 1)], "Page-1": [("sample", 1)]}


def test_a_part_of_another_thread_is_none_of_this_one(tmp_path: Path) -> None:
    found = told(tmp_path, row("Home", 0, 100), row("Home-0", 10, 40, thread="U 1-2"))
    assert found["Home-0"] == [("sample", 1)]


def test_one_label_may_be_a_part_here_and_a_sample_there(tmp_path: Path) -> None:
    found = told(tmp_path, row("Home", 0, 100), row("Home-0", 0, 40), row("Home-0", 500, 40))
    assert found["Home-0"] == [("sample", 1), ("sub", 1)]


def test_the_children_of_a_transaction_that_is_a_parent_stand_behind_it(tmp_path: Path) -> None:
    found = told(tmp_path, transaction("Buy", 0, 100, 2), row("Cart", 0, 40), row("Pay", 40, 60), row("Home", 300, 10))
    assert found == {"Buy": [("transaction", 1)], "Cart": [("sub", 1)], "Pay": [("sub", 1)], "Home": [("sample", 1)]}


def test_the_children_of_a_transaction_that_is_none_stand_before_it_and_count(tmp_path: Path) -> None:
    found = told(tmp_path, row("Cart", 0, 40), row("Pay", 40, 60), transaction("Buy", 0, 100, 2))
    assert found == {"Buy": [("transaction", 1)], "Cart": [("sample", 1)], "Pay": [("sample", 1)]}


def test_the_pauses_within_a_transaction_belong_to_it(tmp_path: Path) -> None:
    found = told(tmp_path, transaction("Buy", 0, 100, 2, IdleTime=1_000), row("Cart", 0, 40), row("Pay", 1_000, 60))
    assert found["Pay"] == [("sub", 1)]


def test_a_row_of_no_length_at_the_end_of_a_transaction_goes_with_its_label(tmp_path: Path) -> None:
    rows = [transaction("Buy", 0, 100), row("Note", 50, 0), row("Cart", 0, 40), row("Note", 100, 0), row("Log", 100, 0)]
    found = told(tmp_path, *rows)
    assert found["Note"] == [("sub", 2)]
    assert found["Log"] == [("sample", 1)]


def test_without_thread_names_nothing_is_guessed(tmp_path: Path) -> None:
    columns = ("timeStamp", "elapsed", "label", "success")
    found = told(tmp_path, row("Home", 0, 100), row("Home-0", 0, 40), columns=columns)
    assert found == {"Home": [("sample", 1)], "Home-0": [("sample", 1)]}


def test_a_transaction_late_in_a_large_file_is_found_as_well(tmp_path: Path) -> None:
    many = [row("Home", 10 * i, 5, URL="http://shop.example/" + "x" * 100) for i in range(2_000)]
    found = told(tmp_path, *many, transaction("Buy", 30_000, 100), row("Cart", 30_000, 50))
    assert found == {"Buy": [("transaction", 1)], "Cart": [("sub", 1)], "Home": [("sample", 2_000)]}


def test_engines_with_threads_of_the_same_name_are_kept_apart(tmp_path: Path) -> None:
    columns = (*jtl.COLUMNS, "Hostname")
    rows = [row("Home", 0, 100, Hostname="a"), row("Home-0", 10, 40, Hostname="b")]
    assert told(tmp_path, *rows, columns=columns)["Home-0"] == [("sample", 1)]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["A", "A-1"], {("A-1", "A")}),
        (["A", "A-1-2"], {("A-1-2", "A")}),
        (["A", "A-1", "A-1-2"], {("A-1", "A"), ("A-1-2", "A-1"), ("A-1-2", "A")}),
        (["A", "B-1", "A-x", "A1"], set()),
        (["", "-0"], {("-0", "")}),
        (["x\ny", "x\ny-3"], {("x\ny-3", "x\ny")}),
    ],
)
def test_only_a_label_of_the_run_can_be_a_parent(labels: list[str], expected: set[tuple[str, str]]) -> None:
    assert set(possible_parents(labels)) == expected


def test_where_times_are_whole_seconds_nothing_is_guessed_from_them_and_that_is_said(tmp_path: Path) -> None:
    rows = [
        one
        for i in range(20)
        for one in (row("Cart", 1_000 * i, 400), transaction("Buy", 1_000 * i, 400), row("Home", 1_000 * i, 300))
    ]
    found = jtl.stats(tmp_path, jtl.text(rows))
    assert kinds(found) == {"Cart": [("sample", 20)], "Home": [("sample", 20)], "Buy": [("transaction", 20)]}
    assert any("whole seconds" in warning for warning in found.warnings)


def test_a_file_of_nothing_but_transactions_says_why_the_total_is_empty(tmp_path: Path) -> None:
    found = jtl.stats(tmp_path, jtl.text([transaction("Buy", 0, 100)]))
    assert found.total.samples == 0
    assert any("The total is empty" in warning for warning in found.warnings)
