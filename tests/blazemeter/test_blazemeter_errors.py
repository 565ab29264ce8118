"""The errors of a run, each counted once."""

from collections.abc import Callable

import pytest

from blazemeter.conftest import NEWEST, OLDEST, Connect, Hands, started
from perfsuite.sandbox.blazemeter import OpenBlazeMeter
from perfsuite_blazemeter.core.error_counts import count_errors
from perfsuite_blazemeter.models.reports import ErrorRow, ReportedAssertion, ReportedError, ReportedUrl


def row(name: str, *errors: tuple[str, int], **more: object) -> ErrorRow:
    return ErrorRow.model_validate(
        {
            "_id": name,
            "name": name,
            "errors": [{"rc": rc, "m": f"m{rc}", "count": count} for rc, count in errors],
            **more,
        }
    )


async def test_errors_are_listed_by_label_and_counted_once(connect: Connect, mode: str) -> None:
    async with connect(mode) as tools:
        found = await tools.call("get_error_report", run_id=NEWEST)
    assert (found["samples"], found["failed_samples"], found["errors_listed"]) == (168, 5, 5)
    counts = {one["label"]: sum(error["count"] for error in one["errors"]) for one in found["labels"]}
    assert {"ALL", "err_inconsistency"}.isdisjoint(counts)
    assert counts["POST /cart"] == 3
    assert counts["POST /payment"] == 2


async def test_errors_without_a_label_are_said(connect: Connect, fault: Callable[..., None]) -> None:
    fault("errors_report", "inconsistent")
    async with connect() as tools:
        found = await tools.call("get_error_report", master_id=NEWEST)
    assert any("could not assign 3 of its errors" in note for note in found["notes"])


async def test_the_errors_of_an_archived_run_can_no_longer_be_read(connect: Connect) -> None:
    async with connect() as tools:
        found = await tools.call("get_error_report", run_id=OLDEST)
    assert found["labels"] == []
    assert found["errors_listed"] is None
    assert "archived" in found["notes"][0]


async def test_a_report_does_not_fail_for_want_of_a_summary(connect: Connect, fault: Callable[..., None]) -> None:
    fault("summary", "error_in_200", status=500)
    async with connect() as tools:
        found = await tools.call("get_error_report", run_id=NEWEST)
    assert (found["failed_samples"], found["errors_listed"]) == (None, 5)
    assert "could not be read" in found["notes"][0]


async def test_labels_are_paged(connect: Connect) -> None:
    async with connect() as tools:
        first = await tools.call("get_error_report", run_id=NEWEST, limit=1)
        second = await tools.call("get_error_report", run_id=NEWEST, limit=1, start=first["next_start"])
    assert first["has_more"] is True
    assert first["labels"][0]["label"] != second["labels"][0]["label"]


def test_the_row_all_is_the_total_and_no_label() -> None:
    counts = count_errors([row("ALL", ("500", 7)), row("a", ("500", 4)), row("b", ("500", 3))], 7)
    assert (counts.errors, [one.label for one in counts.labels], counts.notes) == (7, ["a", "b"], [])


def test_without_the_row_all_the_labels_are_added_up() -> None:
    assert count_errors([row("a", ("500", 4)), row("b", ("500", 3))], None).errors == 7


def test_the_row_all_alone_is_shown() -> None:
    assert [one.label for one in count_errors([row("ALL", ("500", 4))], None).labels] == ["ALL"]


def test_what_does_not_add_up_is_said() -> None:
    [note, *_] = count_errors([row("ALL", ("404", 13)), row("a", ("666", 666))], 13).notes
    assert "add up to 666" in note
    assert "total is 13" in note
    assert "transactions repeat the errors" in note


async def test_counts_of_a_run_that_goes_on_are_said_to_be_no_final_ones(
    connect: Connect, service: OpenBlazeMeter, hands: Hands
) -> None:
    master = started(service, hands)
    hands.now += 30
    async with connect() as tools:
        found = await tools.call("get_error_report", master_id=master)
    assert "The run goes on" in found["notes"][0]


@pytest.mark.parametrize("url", [None, "null"])
def test_samples_without_an_address_show_none(url: str | None) -> None:
    counts = count_errors([row("a", ("500", 4), urls=[{"url": url, "count": 4}])], 4)
    assert counts.labels[0].urls == []


def test_samples_that_are_not_listed_are_said() -> None:
    counts = count_errors([row("ALL", ("404", 13), samplesNotCounted=20, otherErrorsCount=1)], 33)
    assert "beyond that are 20 samples, 1 other errors" in counts.notes[0]
    assert "33 samples failed, and 13 errors are listed" in counts.notes[1]


def test_errors_and_assertions_are_not_added() -> None:
    one = ErrorRow(
        name="a",
        errors=(ReportedError(rc="500", m="m", count=4),),
        assertions=(ReportedAssertion(name="x", failure_message="no", failures=4),),
        urls=(ReportedUrl(url="http://shop.example/?key=c4n4ry", count=4),),
    )
    counts = count_errors([one], 4)
    assert (counts.errors, counts.assertions) == (4, 4)
    assert "do not add the two" in counts.notes[0]
    assert counts.labels[0].urls == [{"url": "http://shop.example/?…", "count": 4}]


@pytest.mark.parametrize("text", ["a\x00b\nc", "\u202eevil", "x" * 100_000])
def test_words_of_the_system_under_test_are_cut_to_one_line(text: str) -> None:
    found = ErrorRow.model_validate({"name": text, "errors": [{"rc": 500, "m": text, "count": 1}]})
    [label] = count_errors([found], 1).labels
    for shown in (label.label, label.errors[0].message or ""):
        assert len(shown) <= 200
        assert shown.isprintable()
