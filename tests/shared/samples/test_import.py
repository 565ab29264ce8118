"""Bringing result files into a run folder: what is there afterwards."""

import csv
import json
from hashlib import sha256
from pathlib import Path

import duckdb

import jtl
from importing import ROWS, content_of, imported
from perfsuite import samples
from perfsuite.artifacts import RunStore, layout
from perfsuite.artifacts.schemas import RunFacts
from perfsuite.samples.definitions import Choice, Selection
from perfsuite.samples.options import ReadOptions
from perfsuite.samples.summary import summarise
from perfsuite.workflow import Ledger
from perfsuite.workflow.importing import ImportRequest, import_results


def test_an_import_leaves_samples_sources_report_and_a_finished_stage(tmp_path: Path) -> None:
    file = jtl.put(tmp_path, jtl.text(ROWS))
    log = jtl.put(tmp_path, "INFO o.a.j.JMeter: ...\n", "jmeter.log")
    store = RunStore(tmp_path / "artifacts")
    found = import_results(store, "r1", ImportRequest((file,), log), RunFacts(scenario="checkout"))
    run = store.open("r1")
    assert found.samples_path == run.path(layout.SAMPLES)
    assert content_of(run.root).keys() == {
        "samples.parquet",
        "import/sources.json",
        "import/aggregate_performance_report.csv",
        "import/jmeter.log",
    }
    record = run.record()
    assert (record.source, record.fidelity, record.scenario) == ("import", "samples", "checkout")
    assert record.window == found.window
    [stage] = [one for one in Ledger(run).status().stages if one.stage == "import"]
    assert [step.state for step in stage.steps] == ["done"] * len(stage.steps)
    sources = json.loads(run.path(layout.IMPORT_SOURCES).read_text())
    assert sources["files"] == [
        {"name": "results.jtl", "size": file.stat().st_size, "sha256": sha256(file.read_bytes()).hexdigest()}
    ]
    assert (sources["rows_read"], sources["rows_rejected"], sources["format"]) == (7, 0, "jtl-csv")


def test_a_stored_run_gives_the_numbers_of_its_file(tmp_path: Path) -> None:
    file = jtl.put(tmp_path, jtl.text(ROWS))
    store = RunStore(tmp_path / "artifacts")
    imported(store, file)
    labels, total = samples.open(store.open("r1")).statistics(Choice(), Selection(kind=None))
    direct = summarise([file])
    assert (tuple(labels), total) == (direct.labels, direct.total)
    assert {(one.kind, one.label) for one in labels} == {
        ("transaction", "Buy"), ("sub", "Cart"), ("sample", "Home"), ("sample", "Größe | <b>")
    }  # fmt: skip


def test_the_parquet_file_has_the_canonical_columns_and_says_what_is_absent(tmp_path: Path) -> None:
    columns = ("timeStamp", "elapsed", "label", "success")
    store = RunStore(tmp_path / "artifacts")
    folder = imported(store, jtl.put(tmp_path, jtl.text(jtl.samples(1.5, 2), columns)))
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        relation = connection.sql(f"SELECT * FROM read_parquet('{folder / 'samples.parquet'}')")
        assert relation.columns == [
            "started_at", "elapsed_us", "label", "kind", "success", "sample_count", "error_count", "response_code",
            "response_message", "failure_message", "thread", "engine", "bytes", "sent_bytes", "connect_ms",
            "latency_ms", "idle_ms", "group_threads", "all_threads", "url",
        ]  # fmt: skip
        first = relation.fetchall()[0]
    assert (first[0].isoformat(), first[1:7]) == ("2023-11-14T22:13:20", (1_500, "Home", "sample", True, 1, 0))
    assert set(first[7:]) == {None}
    opened = samples.open(store.open("r1"))
    assert opened.rows == 2
    assert opened.metadata.source == "import"
    assert "thread" in opened.metadata.absent_columns
    assert "label" not in opened.metadata.absent_columns


def test_the_aggregate_report_has_a_row_all_and_rates_in_percent(tmp_path: Path) -> None:
    folder = imported(RunStore(tmp_path / "artifacts"), jtl.put(tmp_path, jtl.text(ROWS)))
    with (folder / "import" / "aggregate_performance_report.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["labelName"]: row for row in csv.DictReader(file)}
    assert list(rows) == ["ALL", "Größe | <b>", "Home", "Buy"]
    everything, failed = rows["ALL"], rows["Größe | <b>"]
    assert (everything["samples"], everything["errorsCount"], everything["errorsRate"]) == ("5", "1", "20.0")
    assert (everything["avgResponseTime"], everything["avgLatency"], everything["concurrency"]) == ("21.0", "40.0", "5")
    assert (failed["errorsRate"], failed["hasLabelPassedThresholds"]) == ("100.0", "")


def test_odd_times_beside_the_elapsed_one_are_left_out_and_said(tmp_path: Path) -> None:
    for number, value in enumerate(("-3", "nan", "inf", "9" * 30, "soon")):
        file = jtl.put(tmp_path, jtl.text([*jtl.samples(1), jtl.sample(Latency=value)]))
        store = RunStore(tmp_path / "artifacts")
        found = import_results(store, f"r{number}", ImportRequest((file,)))
        assert any(w.startswith("Line 3: latency_ms is") for w in found.sources.warnings), value
        extras = samples.open(store.open(f"r{number}")).extras()
        assert extras[None, None]["latency_ms"] == 40.0


def test_the_same_import_gives_the_same_bytes_anywhere(tmp_path: Path) -> None:
    found = []
    for place in ("here", "there"):
        (tmp_path / place).mkdir()
        files = [jtl.put(tmp_path / place, jtl.text(ROWS), name) for name in ("a.jtl", "b.jtl")]
        found.append(content_of(imported(RunStore(tmp_path / place / "artifacts"), *files)))
    assert found[0] == found[1]


def test_a_second_import_replaces_the_first_and_what_it_left(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "artifacts")
    log = jtl.put(tmp_path, "log", "jmeter.log")
    imported(store, jtl.put(tmp_path, jtl.text(jtl.samples(1))), log=log)
    folder = imported(store, jtl.put(tmp_path, jtl.text(jtl.samples(1, 2, 3))))
    assert "import/jmeter.log" not in content_of(folder)
    assert samples.open(store.open("r1")).rows == 3


def test_an_artifacts_folder_whose_name_is_a_pattern_holds_its_own_samples(tmp_path: Path) -> None:
    file = jtl.put(tmp_path, jtl.text(ROWS))
    for name in ("art[1]", "art1", "a*t?"):
        imported(RunStore(tmp_path / name), file)
    more = jtl.put(tmp_path, jtl.text(jtl.samples(1)), "more.jtl")
    imported(RunStore(tmp_path / "art1"), more)
    for name, rows in (("art[1]", 7), ("art1", 1), ("a*t?", 7)):
        assert samples.open(RunStore(tmp_path / name).open("r1")).rows == rows


def test_a_file_whose_name_is_no_utf8_is_imported(tmp_path: Path) -> None:
    file = jtl.put(tmp_path, jtl.text(ROWS), b"gr\xf6\xdfe.jtl".decode("utf-8", "surrogateescape"))
    found = import_results(RunStore(tmp_path / "artifacts"), "r1", ImportRequest((file,)))
    assert found.sources.files[0].name.endswith(".jtl")
    assert found.samples == 5


def test_what_had_to_be_said_to_read_a_file_is_said_again_for_an_import(tmp_path: Path) -> None:
    rows = jtl.text([jtl.sample(timeStamp="2026-07-01 12:00:00.000")]).splitlines()[1:]
    options = ReadOptions(columns=jtl.COLUMNS, timezone="Europe/Berlin", timestamp="end")
    request = ImportRequest((jtl.put(tmp_path, "\n".join(rows) + "\n"),), options=options)
    found = import_results(RunStore(tmp_path / "artifacts"), "r1", request)
    assert found.window.first_sample_at.isoformat() == "2026-07-01T09:59:59.900000+00:00"
