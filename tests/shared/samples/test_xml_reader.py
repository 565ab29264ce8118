"""The reader of JMeter XML result files, through `read`."""

import io

import pytest

from jtl_xml import FAILED, T0, TRANSACTION, URL, document, rows_of, tag, warned
from perfsuite.errors import BadFile
from perfsuite.samples.readers import xml
from perfsuite.samples.rows import ReadReport, Row


def test_a_sample_becomes_a_row_with_every_field() -> None:
    [row], report = rows_of(document(tag(inside=FAILED + URL, s="false", ec=1, it=7)))
    assert row == Row(
        started_us=T0 * 1000,
        elapsed_us=120_000,
        label="Home",
        kind="sample",
        success=False,
        sample_count=1,
        error_count=1,
        response_code="200",
        response_message="OK",
        failure_message="expected <b>",
        thread="Users 1-1",
        engine="vm",
        bytes=203,
        sent_bytes=118,
        connect_ms=20.0,
        latency_ms=100.0,
        idle_ms=7.0,
        group_threads=3,
        all_threads=5,
        url="http://localhost/?a=1&b=2",
    )
    assert (report.rows_read, report.rows_rejected, report.warnings) == (1, 0, [])
    assert report.columns == {*Row._fields, "started_at"} - {"started_us", "kind"}
    assert report.dialect == {"version": "1.2"}


def test_absent_attributes_are_none_and_not_among_the_columns() -> None:
    [row], report = rows_of(document(f'<sample t="5" ts="{T0}" s="false"/>\n'))
    assert row[:7] == (T0 * 1000, 5_000, "", "sample", False, 1, 1)
    assert set(row[7:]) == {None}
    assert report.columns == {"started_at", "elapsed_us", "success"}


def test_empty_texts_are_none() -> None:
    [row], _ = rows_of(document(tag(inside="<java.net.URL></java.net.URL>", rc="", rm="", tn="", by="")))
    assert (row.response_code, row.response_message, row.thread, row.bytes, row.url) == (None,) * 5


def test_the_url_null_of_a_transaction_is_none() -> None:
    [row], _ = rows_of(document(tag(inside="<java.net.URL>null</java.net.URL>")))
    assert row.url is None


def test_sub_results_follow_their_parent_in_the_order_of_the_file() -> None:
    inner = tag(lb="a-0", inside=tag(lb="a-0-0") + URL) + tag(lb="a-1", rm=TRANSACTION)
    rows, _ = rows_of(document(tag(lb="a", inside=inner + FAILED + URL), tag(lb="b")))
    assert [(row.label, row.kind) for row in rows] == [
        ("a", "sample"),
        ("a-0", "sub"),
        ("a-0-0", "sub"),
        ("a-1", "sub"),
        ("b", "sample"),
    ]
    assert [row.url is not None for row in rows] == [True, True, False, False, False]
    assert [row.failure_message for row in rows] == ["expected <b>", None, None, None, None]


def test_transactions_are_told_by_their_message_even_when_they_are_empty() -> None:
    empty = "Number of samples in transaction : 0, number of failing samples : 0"
    rows, _ = rows_of(document(tag("sample", rm=TRANSACTION), tag("sample", rm=empty, t=0), tag("sample")))
    assert [row.kind for row in rows] == ["transaction", "transaction", "sample"]


def test_statistical_samples_keep_their_counts() -> None:
    [row], _ = rows_of(document(tag(sc=10, ec=4)))
    assert (row.sample_count, row.error_count) == (10, 4)


def test_sample_variables_are_named_and_left_out() -> None:
    [row], report = rows_of(document(tag(BUILD="1.2", REGION="eu")))
    assert row.label == "Home"
    assert report.dialect["sample_variables"] == "BUILD, REGION"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"ts": None}, "it has no ts (time stamp)"),
        ({"t": None}, "it has no t (elapsed time)"),
        ({"s": None}, "it has no s (success)"),
        ({"s": "yes"}, "s is 'yes', which is neither true nor false"),
        ({"t": -1}, "t is negative: '-1'"),
        ({"t": "NaN"}, "t is 'NaN', which is not a number"),
        ({"t": "soon"}, "t is 'soon', which is not a number"),
        ({"t": "9" * 400}, "not a number that can be"),
        ({"t": 400 * 86_400_000}, "more than a year"),
        ({"ts": -2_208_988_800_000}, "ts is negative"),
        ({"ts": 0}, "is not between 1990 and 2100"),
        ({"ts": 253_402_300_799_000}, "is not between 1990 and 2100"),
        ({"sc": "many"}, "sc is 'many', which is not a count"),
        ({"ec": 2**31}, "which is not a count"),
    ],
)
def test_a_sample_that_cannot_be_is_rejected_with_its_line(changed: dict[str, object], reason: str) -> None:
    rows, report = rows_of(document(tag(lb="before", inside=URL), tag(**changed), tag(lb="after")))
    assert [row.label for row in rows] == ["before", "after"]
    assert report.rows_rejected == 1
    [(line, said)] = report.rejected
    assert line == 6
    assert reason in said


def test_the_sub_results_of_a_rejected_sample_stay_sub_results() -> None:
    rows, report = rows_of(document(tag(t=-1, inside=tag(lb="part") + URL + "\n" + FAILED), tag()))
    assert [(row.label, row.kind) for row in rows] == [("part", "sub"), ("Home", "sample")]
    assert report.rows_rejected == 1


@pytest.mark.parametrize(
    ("name", "value"), [("by", "-1"), ("lt", "NaN"), ("it", "-3"), ("na", str(2**31)), ("ct", "²"), ("sby", "9" * 30)]
)
def test_an_impossible_number_that_a_row_can_do_without_is_left_out_and_said_once(name: str, value: str) -> None:
    rows, report = rows_of(document(tag(**{name: value}), tag(**{name: value + "0"})))
    column = {"by": "bytes", "sby": "sent_bytes", "na": "all_threads"}.get(name, f"{name}_ms")
    column = {"lt_ms": "latency_ms", "it_ms": "idle_ms", "ct_ms": "connect_ms"}.get(column, column)
    assert [getattr(row, column) for row in rows] == [None, None]
    assert report.warnings == [f"Line 3: {name} is {value!r}; such values were left out."]


def test_fractions_of_a_millisecond_are_kept() -> None:
    [row], _ = rows_of(document(tag(t="12.345")))
    assert row.elapsed_us == 12_345


def test_a_file_without_times_says_what_it_has_and_what_is_needed() -> None:
    with pytest.raises(BadFile, match=r"No sample has the attribute ts or t\. Needed: ts, t, lb, s\. Found: s, lb"):
        rows_of(document('<sample s="true" lb="a"/>\n', '<sample s="true" lb="b"/>\n'))


def test_an_empty_result_file_has_no_rows() -> None:
    rows, report = rows_of(document())
    assert (rows, report.rows_rejected, report.warnings) == ([], 0, [])


def test_end_stamps_are_suspected_where_parts_begin_before_their_parent() -> None:
    whole = tag(t=500, ts=T0 + 500, inside=tag(t=200, ts=T0 + 200) + tag(t=300, ts=T0 + 500))
    rows, report = rows_of(document(whole))
    assert rows[0].started_us == (T0 + 500) * 1000
    assert warned(report, "look like the ends of the samples")
    assert report.dialect["timestamps"] == "probably ends"


def test_end_stamps_become_starts_when_asked_for() -> None:
    whole = tag(t=500, ts=T0 + 500, inside=tag(t=200, ts=T0 + 200))
    rows, report = rows_of(document(whole), has_end_stamps=True)
    assert [row.started_us for row in rows] == [T0 * 1000, T0 * 1000]
    assert report.warnings == []


def test_progress_adds_up_to_the_size_of_the_file() -> None:
    data = document(*[tag(inside=URL)] * 5_000)
    steps: list[int] = []
    for _ in xml.read(io.BytesIO(data), ReadReport(), steps.append):
        pass
    assert sum(steps) == len(data)
    assert len(steps) > 2
