"""Exact statistics, against plain Python over the rows that were written."""

import tempfile
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jtl
from perfsuite.errors import BadInput
from perfsuite.samples.definitions import Apdex, Choice
from perfsuite.samples.engine import Engine
from perfsuite.samples.options import DEFAULT_READ, ReadOptions
from perfsuite.samples.statistics import Statistics
from perfsuite.samples.summary import Summary, summarise, summarise_with

COLUMNS = ("timeStamp", "elapsed", "label", "success", "bytes", "sentBytes", "allThreads")
KEYS = {
    "label", "kind", "samples", "errors", "error_rate", "mean_ms", "min_ms", "max_ms", "p50_ms", "p90_ms", "p95_ms",
    "p99_ms", "stdev_ms", "throughput_per_s", "received_kb_per_s", "sent_kb_per_s", "apdex",
}  # fmt: skip
written = st.fixed_dictionaries(
    {
        "timeStamp": st.integers(jtl.START_MS, jtl.START_MS + 3_600_000),
        "elapsed": st.one_of(st.integers(0, 5_000), st.integers(0, 5_000_000).map(lambda us: us / 1_000)),
        "label": st.sampled_from(["Home", "Cart", "Größe", "a,b"]),
        "success": st.booleans().map(lambda ok: "true" if ok else "false"),
        "bytes": st.integers(0, 2**40),
        "sentBytes": st.integers(0, 9),
        "allThreads": st.integers(0, 500),
    }
)
runs = st.lists(written, min_size=1, max_size=30)


def stats_of(engine: Engine, *runs: list[dict[str, Any]], choice: Choice | None = None) -> Summary:
    with tempfile.TemporaryDirectory() as folder:
        paths = [jtl.put(Path(folder), jtl.text(rows, COLUMNS), f"{i}.jtl") for i, rows in enumerate(runs)]
        return summarise_with(engine, paths, DEFAULT_READ, choice or Choice(), None)


def assert_is(found: Statistics, rows: list[dict[str, Any]]) -> None:
    elapsed = [row["elapsed"] for row in rows]
    starts = [row["timeStamp"] * 1_000 for row in rows]
    ends = [start + round(row["elapsed"] * 1_000) for start, row in zip(starts, rows, strict=True)]
    span_s = (max(ends) - min(starts)) / 1e6
    failed = [row["success"] == "false" for row in rows]
    score = sum(
        0 if bad else 1 if ms <= 500 else 0.5 if ms <= 1_500 else 0 for ms, bad in zip(elapsed, failed, strict=True)
    )
    assert (found.samples, found.errors, found.error_rate) == (len(rows), sum(failed), sum(failed) / len(rows))
    assert (found.min_ms, found.max_ms) == (min(elapsed), max(elapsed))
    assert found.mean_ms == pytest.approx(fmean(elapsed))
    assert found.stdev_ms == pytest.approx(pstdev(elapsed), abs=1e-6)
    assert found.apdex == pytest.approx(score / len(rows))
    if span_s == 0:
        assert (found.throughput_per_s, found.received_kb_per_s, found.sent_kb_per_s) == (None, None, None)
    else:
        assert found.throughput_per_s == pytest.approx(len(rows) / span_s)
        assert found.received_kb_per_s == pytest.approx(sum(row["bytes"] for row in rows) / 1_024 / span_s)
        assert found.sent_kb_per_s == pytest.approx(sum(row["sentBytes"] for row in rows) / 1_024 / span_s)


@settings(max_examples=60, deadline=None)
@given(rows=runs)
def test_every_number_is_the_one_that_plain_arithmetic_gives(engine: Engine, rows: list[dict[str, Any]]) -> None:
    found = stats_of(engine, rows)
    assert_is(found.total, rows)
    assert [one.label for one in found.labels] == sorted({row["label"] for row in rows}, key=str.encode)
    for one in found.labels:
        assert_is(one, [row for row in rows if row["label"] == one.label])
    assert found.concurrency == max(row["allThreads"] for row in rows)
    shown = jtl.as_json(found)
    assert shown["total"].keys() == KEYS
    assert all(label.keys() == KEYS for label in shown["labels"])


@settings(max_examples=40, deadline=None)
@given(rows=runs, data=st.data())
def test_the_order_of_the_rows_does_not_matter(engine: Engine, rows: list[dict[str, Any]], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(rows))
    one, other = stats_of(engine, rows), stats_of(engine, list(shuffled))
    assert (one.total, one.labels, one.concurrency) == (other.total, other.labels, other.concurrency)


@settings(max_examples=40, deadline=None)
@given(rows=runs, share=st.floats(0, 1))
def test_the_files_of_two_engines_are_one_run_whose_users_add_up(
    engine: Engine, rows: list[dict[str, Any]], share: float
) -> None:
    cut = 1 + int(share * (len(rows) - 1))
    parts = [part for part in (rows[:cut], rows[cut:]) if part]
    merged, whole = stats_of(engine, *parts), stats_of(engine, rows)
    assert (merged.total, merged.labels) == (whole.total, whole.labels)
    assert merged.concurrency == sum(max(row["allThreads"] for row in part) for part in parts)


@settings(max_examples=40, deadline=None)
@given(rows=runs, factor=st.integers(2, 9))
def test_times_that_are_longer_by_a_factor_give_numbers_that_are(
    engine: Engine, rows: list[dict[str, Any]], factor: int
) -> None:
    slower = [row | {"elapsed": round(row["elapsed"] * factor, 3)} for row in rows]
    before, after = stats_of(engine, rows).total.flat(), stats_of(engine, slower).total.flat()
    for name in ("mean_ms", "min_ms", "max_ms", "p50_ms", "p90_ms", "p95_ms", "p99_ms", "stdev_ms"):
        assert after[name] == pytest.approx(before[name] * factor, abs=1e-6)


def test_one_sample_has_all_percentiles_and_no_deviation(tmp_path: Path) -> None:
    total = jtl.stats(tmp_path, jtl.text(jtl.samples(120))).total
    assert set(total.percentiles_ms.values()) == {120.0}
    assert (total.stdev_ms, total.min_ms, total.max_ms, total.apdex) == (0, 120, 120, 1)
    assert total.throughput_per_s == pytest.approx(1 / 0.12)


def test_a_span_of_no_length_has_no_rates(tmp_path: Path) -> None:
    found = jtl.stats(tmp_path, jtl.text([jtl.sample(elapsed=0)] * 3))
    assert (found.total.samples, found.total.throughput_per_s, found.total.received_kb_per_s) == (3, None, None)
    assert jtl.as_json(found)["window"] == {
        "start": "2023-11-14T22:13:20.000Z",
        "end": "2023-11-14T22:13:20.000Z",
        "seconds": 0.0,
    }


def test_a_run_of_failures_has_an_apdex_of_zero(tmp_path: Path) -> None:
    total = jtl.stats(tmp_path, jtl.text(jtl.samples(1, 2, 3, success="false"))).total
    assert (total.errors, total.error_rate, total.apdex) == (3, 1.0, 0.0)


def test_columns_that_are_not_there_give_no_numbers_and_are_named(tmp_path: Path) -> None:
    found = jtl.stats(tmp_path, jtl.text(jtl.samples(1, 2), ("timeStamp", "elapsed", "label", "success")))
    assert (found.total.received_kb_per_s, found.total.sent_kb_per_s, found.concurrency) == (None, None, None)
    assert found.warnings == (
        "Not in the file, and so unknown: all_threads, bytes, response_code, sent_bytes, thread.",
    )


def test_a_row_may_stand_for_several_samples(tmp_path: Path) -> None:
    columns = (*COLUMNS, "SampleCount", "ErrorCount")
    rows = [
        jtl.sample(elapsed=300, SampleCount=3, ErrorCount=2, success="false"),
        jtl.sample(elapsed=50, SampleCount=1, ErrorCount=0),
    ]
    found = jtl.stats(tmp_path, jtl.text(rows, columns))
    total = found.total
    assert (found.rows_read, total.samples, total.errors) == (2, 4, 2)
    assert (total.mean_ms, total.min_ms, total.max_ms) == (87.5, 50, 100)
    assert total.percentiles_ms["p50_ms"] == 100


def test_samples_are_counted_one_by_one_where_the_counts_are_empty(tmp_path: Path) -> None:
    rows = jtl.samples(10, 20, success="false", SampleCount="", ErrorCount="")
    total = jtl.stats(tmp_path, jtl.text(rows, (*COLUMNS, "SampleCount", "ErrorCount"))).total
    assert (total.samples, total.errors) == (2, 2)


def test_runs_that_were_appended_to_one_file_are_noticed(tmp_path: Path) -> None:
    later = [jtl.sample(timeStamp=jtl.START_MS + 919_876_000)]
    found = jtl.stats(tmp_path, jtl.text([*jtl.samples(10, 20), *later]))
    [said] = [warning for warning in found.warnings if "several runs" in warning]
    assert said.startswith("Nothing ran for 9198")
    assert "JMeter appends to an existing one" in said


def test_a_pause_of_minutes_is_no_second_run(tmp_path: Path) -> None:
    later = [jtl.sample(timeStamp=jtl.START_MS + 500_000)]
    assert jtl.stats(tmp_path, jtl.text([*jtl.samples(10), *later])).warnings == ()


def test_a_long_sample_bridges_a_gap(tmp_path: Path) -> None:
    rows = [jtl.sample(elapsed=3_000_000), jtl.sample(timeStamp=jtl.START_MS + 2_900_000)]
    assert jtl.stats(tmp_path, jtl.text(rows)).warnings == ()


def test_headers_in_the_middle_are_left_out_and_said(tmp_path: Path) -> None:
    part = jtl.text(jtl.samples(10, 20))
    found = jtl.stats(tmp_path, part + part)
    assert (found.total.samples, found.files[0].rows_rejected) == (4, 0)
    assert any(warning.startswith("The header row stands 2 times in the file") for warning in found.warnings)


@pytest.mark.parametrize(
    ("written", "zone", "start"),
    [
        ("2026-07-01 12:00:00.250", "Europe/Berlin", "2026-07-01T10:00:00.250Z"),
        ("2026/07/01 12:00:00", "UTC", "2026-07-01T12:00:00.000Z"),
        ("2026/01/01 12:00:00.5", "America/New_York", "2026-01-01T17:00:00.500Z"),
        ("07/01/26 12:00:00", "Asia/Kolkata", "2026-07-01T06:30:00.000Z"),
        ("2026-07-01T12:00:00+02:00", "Asia/Kolkata", "2026-07-01T10:00:00.000Z"),
        ("2026-07-01T12:00:00-0230", "Asia/Kolkata", "2026-07-01T14:30:00.000Z"),
        ("2026-07-01T12:00:00.123456Z", "Asia/Kolkata", "2026-07-01T12:00:00.123Z"),
        ("1782900000", "UTC", "2026-07-01T10:00:00.000Z"),
        ("1782900000.25", "UTC", "2026-07-01T10:00:00.250Z"),
        ("1782900000123", "UTC", "2026-07-01T10:00:00.123Z"),
        ("1782900000123000", "UTC", "2026-07-01T10:00:00.123Z"),
        ("1782900000123000000", "UTC", "2026-07-01T10:00:00.123Z"),
        ("1782900000123.75", "UTC", "2026-07-01T10:00:00.123Z"),
    ],
)
def test_times_of_every_kind_become_utc(tmp_path: Path, written: str, zone: str, start: str) -> None:
    content = jtl.text([jtl.sample(timeStamp=written)])
    found = jtl.stats(tmp_path, content, options=ReadOptions(timezone=zone))
    assert jtl.as_json(found)["window"]["start"] == start
    is_local = " " in written
    assert any(f"read as {zone}; say --timezone" in warning for warning in found.warnings) == is_local


def test_times_of_day_go_on_after_midnight(tmp_path: Path) -> None:
    rows = [jtl.sample(timeStamp=text) for text in ("23:59:58", "23:59:59.500", "00:00:01", "00:00:00.900", "00:00:03")]
    found = jtl.stats(tmp_path, jtl.text(rows))
    assert found.total.samples == 5
    assert jtl.as_json(found)["window"]["seconds"] == pytest.approx(5.1)
    assert any("no date" in warning for warning in found.warnings)


@pytest.mark.parametrize("elapsed", ["100", "x"])
def test_time_stamps_that_are_ends_are_turned_into_starts(tmp_path: Path, elapsed: str) -> None:
    rows = [*jtl.samples(1_000, 2_000), jtl.sample(elapsed=elapsed, timeStamp=jtl.START_MS + 500)]
    found = jtl.stats(tmp_path, jtl.text(rows), options=ReadOptions(timestamp="end"))
    assert (found.first_us, found.last_us) == ((jtl.START_MS - 1_000) * 1_000, (jtl.START_MS + 1_000) * 1_000)


def test_time_stamps_of_xml_that_are_ends_are_turned_into_starts(tmp_path: Path) -> None:
    content = f'<testResults version="1.2">\n<sample t="400" ts="{jtl.START_MS}" s="true" lb="A"/>\n</testResults>\n'
    found = jtl.stats(tmp_path, content, options=ReadOptions(timestamp="end"))
    assert (found.first_us, found.last_us) == ((jtl.START_MS - 400) * 1_000, jtl.START_MS * 1_000)


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|", "^", "€", "~"])
def test_any_delimiter_is_found_and_named(tmp_path: Path, delimiter: str) -> None:
    found = jtl.stats(tmp_path, jtl.text(jtl.samples(10, 20), delimiter=delimiter))
    assert found.total.samples == 2
    assert found.files[0].dialect["delimiter"] == {"\t": "tab"}.get(delimiter, delimiter)


def test_sample_variables_are_named_without_their_quotes(tmp_path: Path) -> None:
    header = '"' + '","'.join(["timeStamp", "elapsed", "label", "success"]) + '","""tenant""",tenant,\n'
    found = jtl.stats(tmp_path, header + f"{jtl.START_MS},5,A,true,eu,us,x\n")
    assert found.files[0].dialect["sample_variables"] == "tenant, tenant_2, _1"
    assert found.total.samples == 1


def test_the_engines_of_one_file_are_told_by_host_or_by_thread(tmp_path: Path) -> None:
    by_host = [jtl.sample(Hostname=f"h{i % 2}", allThreads=10 * (1 + i % 2)) for i in range(6)]
    by_thread = [jtl.sample(threadName=f"10.0.0.{i % 2}:1099-U 1-1", allThreads=10 * (1 + i % 2)) for i in range(6)]
    on_one_host = [{**sample, "Hostname": "h"} for sample in by_thread]
    assert jtl.stats(tmp_path, jtl.text(by_host, (*jtl.COLUMNS, "Hostname"))).concurrency == 30
    assert jtl.stats(tmp_path, jtl.text(by_thread)).concurrency == 30
    assert jtl.stats(tmp_path, jtl.text(on_one_host, (*jtl.COLUMNS, "Hostname"))).concurrency == 30


def test_files_of_different_formats_are_one_run(tmp_path: Path) -> None:
    xml = f'<testResults version="1.2">\n<sample t="5" ts="{jtl.START_MS}" s="true" lb="A"/>\n</testResults>\n'
    paths = [jtl.put(tmp_path, jtl.text(jtl.samples(10)), "a"), jtl.put(tmp_path, xml, "b")]
    found = summarise(paths)
    assert (found.total.samples, found.total.mean_ms) == (2, 7.5)
    shown = jtl.as_json(found)
    assert (shown["file"], shown["files"], shown["format"]) == (None, ["a", "b"], ["jtl-csv", "jtl-xml"])
    assert shown["dialect"].keys() == {"a", "b"}


def test_warnings_and_rejected_rows_of_several_files_name_their_file(tmp_path: Path) -> None:
    bad = jtl.text([jtl.sample(), jtl.sample(elapsed="x")]).rstrip("\n")
    found = summarise([jtl.put(tmp_path, jtl.text(jtl.samples(1)), "good"), jtl.put(tmp_path, bad, "bad")])
    assert jtl.as_json(found)["rejected"][0]["file"] == "bad"
    assert all(warning.startswith("bad: ") for warning in found.warnings)


@pytest.mark.parametrize("limits", [(0, 1), (5, 4), (-1, 5), (float("nan"), 5.0), (500, float("inf"))])
def test_apdex_limits_that_make_no_sense_are_refused(limits: tuple[float, float]) -> None:
    with pytest.raises(BadInput, match="The APDEX limits are"):
        Apdex(*limits)


def test_engines_whose_files_are_called_alike_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    paths = []
    for engine in ("engine-1", "engine-2"):
        (tmp_path / engine).mkdir()
        paths.append(jtl.put(tmp_path / engine, jtl.text(jtl.samples(10)), "kpi.jtl"))
    found = summarise(paths)
    assert [file.file for file in found.files] == ["engine-1/kpi.jtl", "engine-2/kpi.jtl"]
    assert summarise([paths[0], paths[0]]).as_json()["files"] == ["kpi.jtl (1)", "kpi.jtl (2)"]
