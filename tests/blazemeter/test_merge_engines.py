"""The results of several engines as one file: nothing is lost, nothing is doubled, and the engines stay apart."""

import csv
import io
from collections.abc import Callable, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures import fixture
from perfsuite.errors import BadFile
from perfsuite.samples.dialect import dialect_of
from perfsuite.samples.options import DEFAULT_READ
from perfsuite.samples.summary import Summary, summarise
from perfsuite_blazemeter.core.kpi_blocks import Engine as Writer
from perfsuite_blazemeter.core.kpi_blocks import KpiRows, merged_columns
from perfsuite_blazemeter.core.merging import merged
from perfsuite_blazemeter.service.merging import Merged, Results, merge

COLUMNS = (
    "timeStamp", "elapsed", "label", "responseCode", "responseMessage", "threadName", "success", "bytes", "grpThreads",
    "allThreads", "Latency", "Hostname", "Connect",
)  # fmt: skip
START = 1_790_000_000_000


def row(at: int, label: str = "Home", **fields: Any) -> dict[str, Any]:
    return {
        "timeStamp": START + at, "elapsed": 100, "label": label, "responseCode": "200", "responseMessage": "OK",
        "threadName": "Users 1-1", "success": "true", "bytes": 2048, "grpThreads": 5, "allThreads": 5, "Latency": 40,
        "Hostname": "ip-1", "Connect": 7,
    } | fields  # fmt: skip


def text(rows: Sequence[dict[str, Any]], columns: Sequence[str] = COLUMNS, **dialect: Any) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, extrasaction="ignore", **({"lineterminator": "\n"} | dialect))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


Merge = Callable[..., tuple[Merged, list[dict[str, str]]]]


@pytest.fixture
def together(tmp_path: Path) -> Merge:
    """Merge files with these contents, and read the rows of the result."""

    def make(*contents: bytes) -> tuple[Merged, list[dict[str, str]]]:
        files = []
        for number, content in enumerate(contents, start=1):
            path = tmp_path / f"kpi-{number}.jtl"
            path.write_bytes(content)
            files.append(Results(path, f"kpi.jtl of engine {number}"))
        target = tmp_path / "merged.csv"
        found = merge(files, tmp_path, target, lambda _: None)
        with target.open(encoding="utf-8", newline="") as file:
            return found, list(csv.DictReader(file))

    return make


def read_back(tmp_path: Path) -> Summary:
    return summarise([tmp_path / "merged.csv"])


def test_rows_come_in_the_order_of_their_times(together: Merge) -> None:
    one = text([row(0), row(20), row(40)])
    two = text([row(10, Hostname="ip-2"), row(30, Hostname="ip-2")])
    _, rows = together(one, two)
    assert [int(found["timeStamp"]) - START for found in rows] == [0, 10, 20, 30, 40]
    assert [found["Hostname"] for found in rows] == ["ip-1", "ip-2", "ip-1", "ip-2", "ip-1"]


def test_an_engine_keeps_its_own_order_so_that_transactions_keep_their_samples(together: Merge, tmp_path: Path) -> None:
    """A transaction begins before its samples and is written after them: sorted by its start, it would swallow them."""
    visit = [
        row(10, "Login"),
        row(120, "Pay"),
        row(0, "Checkout", elapsed=230, responseMessage="Number of samples in transaction : 2, number of failing : 0"),
    ]
    files = [text([{**one, "Hostname": f"ip-{number}"} for one in visit]) for number in (1, 2)]
    _, rows = together(*files)
    assert [one["label"] for one in rows if one["Hostname"] == "ip-1"] == ["Login", "Pay", "Checkout"]
    found = read_back(tmp_path)
    assert {(one.label, one.kind): one.samples for one in found.labels} == {
        ("Login", "sample"): 2, ("Pay", "sample"): 2, ("Checkout", "transaction"): 2,
    }  # fmt: skip


def test_columns_are_matched_by_name(together: Merge) -> None:
    other = ("label", "success", "timeStamp", "elapsed", "threadName", "URL")
    one, two = text([row(0)]), text([row(10, "Cart", URL="http://shop.example/")], other)
    _, rows = together(one, two)
    assert list(rows[0]) == [*COLUMNS, "URL"]
    assert (rows[1]["label"], rows[1]["URL"], rows[1]["bytes"]) == ("Cart", "http://shop.example/", "")


@pytest.mark.parametrize(
    ("hosts", "expected"),
    [
        (("a", "b"), ["a", "b"]),
        (("a", "a"), ["a#1", "a#2"]),
        (("", ""), ["engine-1", "engine-2"]),
        ((None, None), ["engine-1", "engine-2"]),
        (("a", None), ["a", "engine-2"]),
        (("a,b", "a,b"), ["a,b#1", "a,b#2"]),
        (("a\\1", "a\\1"), ["a\\1#1", "a\\1#2"]),
        (("Home", "Home"), ["Home#1", "Home#2"]),
    ],
)
def test_engines_are_told_apart(
    hosts: tuple[str | None, ...], expected: list[str], together: Merge, tmp_path: Path
) -> None:
    contents = []
    for number, host in enumerate(hosts):
        columns = COLUMNS if host is not None else tuple(name for name in COLUMNS if name != "Hostname")
        contents.append(text([row(number, Hostname=host), row(number + 10, Hostname=host)], columns))
    found, rows = together(*contents)
    assert [one["Hostname"] for one in rows] == expected * 2
    assert [one["label"] for one in rows] == ["Home"] * 4
    assert [one.engine for one in found.engines] == expected
    # Each has five users; only those of different engines add up.
    assert read_back(tmp_path).concurrency == 10


def test_one_engine_alone_stays_as_it_is(together: Merge) -> None:
    content = text([row(0), row(10)], tuple(name for name in COLUMNS if name != "Hostname"))
    _, rows = together(content)
    assert "Hostname" not in rows[0]


def test_a_second_host_in_a_file_is_not_taken_for_another_engine(together: Merge) -> None:
    _, rows = together(text([row(0), row(20, Hostname="ip-2")]), text([row(10, Hostname="ip-2")]))
    assert [one["Hostname"] for one in rows] == ["ip-1", "ip-2", "ip-2#1"]


@pytest.mark.parametrize("cut", [1, 3, 9, 20, 40])
def test_a_torn_last_row_is_left_out_and_said(cut: int, together: Merge) -> None:
    one = text([row(0), row(20)])
    found, rows = together(one[:-cut], text([row(10, Hostname="ip-2")]))
    kept = 2 if cut == 1 else 1
    assert len([one for one in rows if one["Hostname"].startswith("ip-1")]) == kept
    assert found.engines[0].rejected == 2 - kept
    assert "last" in " ".join(found.engines[0].notes) or "fields" in " ".join(found.engines[0].notes)


def test_quoted_line_breaks_and_delimiters_stay_one_row(together: Merge, tmp_path: Path) -> None:
    odd = row(10, responseMessage='It said "no",\nand\r\nthat was all', success="false")
    found, rows = together(text([row(0), odd, row(20)]), text([row(5, Hostname="ip-2")]))
    assert rows[2]["responseMessage"] == odd["responseMessage"]
    assert [one.rows for one in found.engines] == [3, 1]
    assert read_back(tmp_path).rows_read == 4


def test_repeated_headers_are_no_rows(together: Merge) -> None:
    content = text([row(0)]) + text([row(20)])
    found, rows = together(content, text([row(10, Hostname="ip-2")]))
    assert [int(one["timeStamp"]) - START for one in rows] == [0, 10, 20]
    assert "appended" in found.engines[0].notes[0]


def test_a_later_header_with_other_columns_holds_from_there_on(together: Merge) -> None:
    content = text([row(0)]) + text([row(20, "Cart", bytes=77)], ("label", "bytes", "timeStamp", "elapsed", "success"))
    _, rows = together(content)
    assert [(one["label"], one["bytes"]) for one in rows] == [("Home", "2048"), ("Cart", "77")]


@pytest.mark.parametrize("dialect", [{"delimiter": "\t"}, {"lineterminator": "\r\n"}, {"delimiter": ";"}])
def test_other_dialects_are_understood(dialect: dict[str, str], together: Merge) -> None:
    found, rows = together(text([row(0, "Home, sweet"), row(20)], **dialect), text([row(10, Hostname="ip-2")]))
    assert [one["label"] for one in rows] == ["Home, sweet", "Home", "Home"]
    assert [one.rejected for one in found.engines] == [0, 0]


def test_text_that_is_not_utf8_is_kept_readable(together: Merge, tmp_path: Path) -> None:
    content = text([row(0, "Gr\xfc\xdfe")]).decode().encode("cp1252")
    _, rows = together(content, text([row(10, "Gr\xfc\xdfe", Hostname="ip-2")]))
    assert [one["label"] for one in rows] == ["Gr\xfc\xdfe"] * 2
    assert read_back(tmp_path).rows_read == 2


def test_an_engine_that_wrote_nothing_is_said(together: Merge) -> None:
    found, rows = together(b"", text([row(10, Hostname="ip-2")]))
    assert len(rows) == 1
    assert "wrote no samples" in found.engines[0].notes[0]


def test_no_samples_at_all_is_an_error(together: Merge) -> None:
    with pytest.raises(BadFile, match="left a sample"):
        together(b"", b"")


def test_a_page_in_place_of_results_is_refused_by_name(together: Merge) -> None:
    with pytest.raises(BadFile, match=r"engine 2.*web page"):
        together(text([row(0)]), b"<html><body>Sign in</body></html>")


def test_a_line_without_end_is_left_out_and_the_rest_is_kept(together: Merge) -> None:
    content = text([row(0)]) + b"x" * 3_000_000 + b"\n" + text([row(20)]).split(b"\n", 1)[1]
    found, rows = together(content, text([row(10, Hostname="ip-2")]))
    assert [int(one["timeStamp"]) - START for one in rows] == [0, 10, 20]
    assert found.engines[0].rejected == 1


def test_a_quote_that_nobody_closes_costs_one_row(together: Merge) -> None:
    good = [row(number * 10) for number in range(300)]
    lines = text(good).split(b"\n")
    lines[50] = lines[50].replace(b"OK", b'"never closed')
    found, rows = together(b"\n".join(lines), text([row(5, Hostname="ip-2")]))
    assert (len(rows), found.engines[0].rejected) == (300, 1)


def test_a_large_file_with_a_few_odd_rows_comes_through_whole(together: Merge) -> None:
    """More than one piece of each file, with odd rows where pieces end."""
    rows = [row(number, responseMessage="multi\nline" if number % 997 == 0 else "OK") for number in range(12_000)]
    other = [{**one, "Hostname": "ip-2", "timeStamp": one["timeStamp"] + 1} for one in rows]
    found, merged_rows = together(text(rows), text(other))
    assert [one.rows for one in found.engines] == [12_000, 12_000]
    stamps = [int(one["timeStamp"]) for one in merged_rows]
    assert stamps == sorted(stamps)
    assert sum(one["responseMessage"] == "multi\nline" for one in merged_rows) == 26


@pytest.mark.parametrize(
    "name", ["kpi1.jtl", "tabs.jtl", "tranctl.jtl", "quote-guessing-crash.jtl", "doublequoting.jtl", "unicode.jtl"]
)
def test_recorded_files_lose_nothing(name: str, together: Merge, tmp_path: Path) -> None:
    known = fixture(f"jtl/bzm/{name}")
    alone = summarise([known])
    found, _ = together(known.read_bytes(), text([row(0, Hostname="another")]))
    assert found.engines[0].rows + found.engines[0].rejected == alone.rows_read + alone.files[0].rows_rejected
    assert read_back(tmp_path).rows_read == alone.rows_read + 1


FIELD = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff"), max_size=12)


@given(
    files=st.lists(
        st.lists(st.tuples(st.integers(0, 50), FIELD, st.sampled_from(["a", "b", ""])), min_size=1, max_size=8),
        min_size=2,
        max_size=3,
    ),
    size=st.integers(1, 400),
)
def test_every_row_of_every_engine_comes_through_once_and_in_its_order(
    files: list[list[tuple[int, str, str]]], size: int
) -> None:
    contents = [
        text([row(at, label, Hostname=host, bytes=number) for at, label, host in rows])
        for number, rows in enumerate(files)
    ]
    dialects = [dialect_of(",".join(COLUMNS), "kpi.jtl", DEFAULT_READ) for _ in files]
    columns = merged_columns(dialects)

    def chunks(number: int) -> Any:
        content = contents[number]
        pieces = (content[at : at + size] for at in range(0, len(content), size))
        return KpiRows(dialects[number], columns, Writer(number + 1, "a", is_told_apart=False)).chunks(pieces)

    found = list(csv.reader(io.StringIO(b"".join(merged([chunks(n) for n in range(len(files))])).decode(), newline="")))
    for number, rows in enumerate(files):
        own = [one for one in found if one[columns.index("bytes")] == str(number)]
        assert [(int(one[0]) - START, one[2]) for one in own] == [(at, label) for at, label, _ in rows]
    # The order does not depend on how the files were cut: by time, then by engine; an engine never overtakes itself.
    times = [(time, number) for number, rows in enumerate(files) for time in accumulate((at for at, *_ in rows), max)]
    assert [one[columns.index("bytes")] for one in found] == [str(number) for _, number in sorted(times)]
