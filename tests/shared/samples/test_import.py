"""Bringing result files into a run folder: what is there afterwards, whatever happens meanwhile."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import duckdb
import pytest

import jtl
from perfsuite import samples
from perfsuite.artifacts import RunStore, layout
from perfsuite.artifacts.schemas import RunFacts
from perfsuite.errors import BadFile, BadInput, BadRunId, Conflict, NotFound, NotReady, StorageFailed
from perfsuite.samples.definitions import Choice, Selection
from perfsuite.samples.options import ReadOptions
from perfsuite.samples.summary import summarise
from perfsuite.workflow import Ledger
from perfsuite.workflow.importing import ImportRequest, import_results

COMMAND = (sys.executable, "-c", "from perfsuite.cli import main; main()")
TRANSACTION = "Number of samples in transaction : 1, number of failing samples : 0"
ROWS = [
    jtl.sample(label="Buy", elapsed=100, responseMessage=TRANSACTION, URL="null"),
    jtl.sample(label="Cart", elapsed=60),
    *jtl.samples(10, 20, 30, 40, threadName="Users 1-2"),
    jtl.sample(label="Größe | <b>", elapsed=5, success="false", responseCode="500", timeStamp=jtl.START_MS + 9_000),
]


def imported(store: RunStore, *files: Path, run_id: str = "r1", log: Path | None = None) -> Path:
    import_results(store, run_id, ImportRequest(files, log))
    return store.root / run_id


def content_of(folder: Path) -> dict[str, str]:
    """Every file with its hash, but the record, which holds times, and the locks."""
    files = (path for path in folder.rglob("*") if path.is_file() and ".locks" not in path.parts)
    found = {path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest() for path in files}
    assert found.pop("run.json")
    return found


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


def test_the_samples_of_another_source_are_never_replaced(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "artifacts")
    store.create("r1", RunFacts(source="blazemeter"))
    with pytest.raises(Conflict, match="holds the samples of 'blazemeter'"):
        imported(store, jtl.put(tmp_path, jtl.text(ROWS)))


@pytest.mark.parametrize("run_id", ["../x", "a/b", "a\\b", "..", "a\0b", "x" * 200, "", ".hidden", "workflows"])
def test_a_hostile_run_id_makes_nothing(tmp_path: Path, run_id: str) -> None:
    store = RunStore(tmp_path / "artifacts")
    file = jtl.put(tmp_path, jtl.text(ROWS))
    with pytest.raises(BadRunId, match="is not a run id"):
        imported(store, file, run_id=run_id)
    assert [path.name for path in tmp_path.iterdir()] == ["results.jtl"]


def test_a_run_folder_that_is_a_link_to_elsewhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "artifacts").mkdir()
    (tmp_path / "artifacts" / "r1").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BadInput, match="symbolic link"):
        imported(RunStore(tmp_path / "artifacts"), jtl.put(tmp_path, jtl.text(ROWS)))
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_folder_of_the_run_that_is_a_link_to_elsewhere_is_refused(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "artifacts")
    run = store.create("r1")
    (tmp_path / "elsewhere").mkdir()
    (run.root / "import").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BadInput, match="leads out of the run folder by a symbolic link"):
        imported(store, jtl.put(tmp_path, jtl.text(ROWS)))
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_files_that_cannot_be_read_make_no_run(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "artifacts")
    good = jtl.put(tmp_path, jtl.text(ROWS))
    for request, kind in (
        (ImportRequest(()), BadFile),
        (ImportRequest((tmp_path / "missing",)), NotFound),
        (ImportRequest((jtl.put(tmp_path, "", "empty"),)), BadFile),
        (ImportRequest((good,), log=tmp_path / "missing.log"), NotFound),
    ):
        with pytest.raises(kind):
            import_results(store, "r1", request)
    assert store.runs() == []


def test_a_file_without_samples_fails_the_step_and_keeps_what_was_there(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "artifacts")
    folder = imported(store, jtl.put(tmp_path, jtl.text(ROWS)))
    before = content_of(folder)
    with pytest.raises(BadFile, match="there is a header but no sample"):
        imported(store, jtl.put(tmp_path, jtl.HEADER + "\n", "empty.jtl"))
    assert content_of(folder) == before
    status = Ledger(store.open("r1")).status()
    assert status.stages[0].state == "failed"


def test_a_run_without_samples_names_the_tools_that_bring_them(tmp_path: Path) -> None:
    run = RunStore(tmp_path).create("r1")
    with pytest.raises(NotReady, match="Run 'r1' has no samples yet") as caught:
        samples.open(run)
    assert "`perfsuite import`" in caught.value.next_step


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"PAR1 nonsense", "is not a readable Parquet file"), (b"", "is not a readable Parquet file")],
)
def test_damaged_samples_are_said_to_be_damaged(tmp_path: Path, content: bytes, reason: str) -> None:
    run = RunStore(tmp_path).create("r1")
    jtl.put(run.root, content, "samples.parquet")
    with pytest.raises(BadFile, match=reason) as caught:
        samples.open(run)
    assert caught.value.next_step == "Import the results of the run again."


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ("", "it was not written by perfsuite"),
        (', KV_METADATA {perfsuite: \'{"schema_version": "9.0"}\'}', "its schema version is '9.0', and 1.0 is read"),
        (", KV_METADATA {perfsuite: '{}'}", "its schema version is None"),
        (", KV_METADATA {perfsuite: 'not json'}", "its metadata cannot be read"),
        (', KV_METADATA {perfsuite: \'{"schema_version": "1.0"}\'}', "its metadata lacks absent_columns, formats"),
        (", KV_METADATA {perfsuite: '[1]'}", "its metadata cannot be read"),
    ],
)
def test_foreign_samples_are_said_to_be_foreign(tmp_path: Path, metadata: str, reason: str) -> None:
    run = RunStore(tmp_path).create("r1")
    duckdb.execute(f"COPY (SELECT 1 AS x) TO '{run.root / 'samples.parquet'}' (FORMAT parquet{metadata})")
    with pytest.raises(BadFile, match=reason):
        samples.open(run)


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


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that takes long enough to import for a kill to come in between."""
    path = tmp_path_factory.mktemp("large") / "large.jtl"
    duckdb.execute(
        f"""COPY (SELECT {jtl.START_MS} + i AS "timeStamp", 1 + hash(i) % 900 AS elapsed, 'Label ' || i % 20 AS label,
                   200 AS "responseCode", 'OK' AS "responseMessage", 'Users 1-' || i % 50 AS "threadName",
                   'true' AS success, hash(i * 7) % 5000 AS bytes, 50 AS "allThreads"
            FROM range(300000) t(i)) TO '{path}' (HEADER true)"""
    )
    return path


class Desk:
    """An artifacts folder and a temporary folder of its own, and the command that works on them."""

    def __init__(self, root: Path) -> None:
        self.artifacts, self.temporary = root / "artifacts", root / "tmp"
        self.temporary.mkdir(parents=True)
        self.run = self.artifacts / "r1"

    def start(self, *files: Path) -> "subprocess.Popen[str]":
        environment = {"PERFSUITE_ARTIFACTS_DIR": str(self.artifacts), "TMPDIR": str(self.temporary)}
        return subprocess.Popen(
            [*COMMAND, "import", *map(str, files), "--run-id", "r1", "--json"],
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(self, *files: Path) -> None:
        with self.start(*files) as process:
            out, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, ""), out

    def staged(self) -> list[Path]:
        return list(self.run.glob(".samples.parquet.*.part/*"))

    def leftovers(self) -> list[Path]:
        hidden = [path for path in self.run.rglob(".*") if path.name != ".locks"]
        return [*hidden, *self.temporary.glob("perfsuite-work-*")]


def until(moment: Callable[[], object], process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + 60
    while not moment():
        assert process.poll() is None, "the import ended before that moment"
        assert time.monotonic() < deadline


MOMENTS: dict[str, Callable[[Desk], object]] = {
    "the work folder is made": lambda desk: list(desk.temporary.glob("perfsuite-work-*")),
    "the samples are begun": lambda desk: desk.staged(),
    "some samples are written": lambda desk: any(path.stat().st_size > 100 for path in desk.staged() if path.exists()),
    "the samples are in place": lambda desk: (desk.run / "samples.parquet").exists(),
}


@pytest.fixture(scope="module")
def undisturbed(large: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    desk = Desk(tmp_path_factory.mktemp("undisturbed"))
    desk.finish(large)
    assert desk.leftovers() == []
    return content_of(desk.run)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.parametrize("moment", MOMENTS)
def test_after_a_kill_at_any_moment_the_next_import_gives_the_same_bytes(
    tmp_path: Path, large: Path, undisturbed: dict[str, str], moment: str
) -> None:
    desk = Desk(tmp_path)
    with desk.start(large) as process:
        until(lambda: MOMENTS[moment](desk), process)
        process.send_signal(signal.SIGKILL)
    if (desk.run / "run.json").exists():
        assert Ledger(RunStore(desk.artifacts).open("r1")).status().stages[0].state in {
            "interrupted",
            "not_started",
            "partial",
        }
    for folder in desk.temporary.iterdir():
        # Only folders that are older than a minute are taken for abandoned.
        os.utime(folder, (time.time() - 600,) * 2)
    desk.finish(large)
    assert content_of(desk.run) == undisturbed
    assert desk.leftovers() == []


def test_of_two_processes_that_import_at_once_one_wins_whole(
    tmp_path: Path, large: Path, undisturbed: dict[str, str]
) -> None:
    desk = Desk(tmp_path)
    desk.finish(jtl.put(tmp_path, jtl.text(ROWS)))
    small = content_of(desk.run)
    processes = [desk.start(large), desk.start(large), desk.start(tmp_path / "results.jtl")]
    told = [process.communicate(timeout=60)[0] for process in processes]
    codes = [process.returncode for process in processes]
    assert set(codes) <= {0, 5}
    assert 0 in codes
    for code, out in zip(codes, told, strict=True):
        assert code == 0 or "Another process is importing into run 'r1'" in json.loads(out)["error"]["message"]
    assert content_of(desk.run) in (undisturbed, small)
    assert desk.leftovers() == []


@contextmanager
def tiny_disk(place: Path) -> Iterator[Path]:
    """A file system of 300 kB, where this user may make one."""
    place.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", place], capture_output=True)
    if made.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {made.stderr.decode().strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", place], check=True)


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a tmpfs")
def test_a_full_disk_ends_an_import_with_a_next_step_and_nothing_half_written(tmp_path: Path, large: Path) -> None:
    with tiny_disk(tmp_path / "disk") as disk:
        store = RunStore(disk / "artifacts")
        folder = imported(store, jtl.put(tmp_path, jtl.text(ROWS)))
        before = content_of(folder)
        with pytest.raises(StorageFailed) as caught:
            imported(store, large)
        assert "Free space" in caught.value.next_step
        assert content_of(folder) == before
        assert [path.name for path in folder.glob(".*")] == [".locks"]


LIMITED = """
import resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
from perfsuite.artifacts import RunStore
from perfsuite.errors import StorageFailed
from perfsuite.workflow.importing import ImportRequest, import_results
try:
    import_results(RunStore(Path(sys.argv[2])), "r1", ImportRequest((Path(sys.argv[3]),)))
except StorageFailed as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no RLIMIT_FSIZE")
@pytest.mark.parametrize("careful", [False, True], ids=["direct", "row by row"])
def test_a_file_that_may_not_grow_further_is_a_full_disk(tmp_path: Path, large: Path, careful: bool) -> None:
    file = large
    if careful:
        lines = large.read_text().splitlines()[:20_000]
        file = jtl.put(tmp_path, "\n".join([*lines, lines[1].replace("true", "maybe"), ""]))
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, "200000", tmp_path / "artifacts", file],
        capture_output=True,
        text=True,
        timeout=60,
        env={name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "full" in done.stdout
    assert not (tmp_path / "artifacts" / "r1" / "samples.parquet").exists()
