"""The ledger records what a step read, wrote and met."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from perfsuite.artifacts import RunStore, layout
from perfsuite.errors import BadInput, Conflict, NotFound, NotReady, StorageFailed
from perfsuite.settings import remember_secret
from perfsuite.workflow import Ledger

START = datetime(2026, 3, 1, 12, tzinfo=UTC)

STEP = """
import sys
from pathlib import Path
from perfsuite.artifacts import RunStore, layout
from perfsuite.workflow import Ledger
run = RunStore(Path(sys.argv[1])).open("r1")
with Ledger(run).step("import", "collect", tool="perfsuite import") as step:
    with run.staged(layout.SAMPLES) as staged:
        staged.write_bytes(b"PAR1")
    step.produced(run.root / "samples.parquet")
    print("running", flush=True)
    sys.stdin.read()
"""


def another_process(desk: Any) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", STEP, str(desk.run.root.parent)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "running\n"
    return process


def test_a_finished_step_tells_when_it_ran_and_from_what_to_what(desk: Any, tmp_path: Path) -> None:
    given = tmp_path / "results.jtl"
    given.write_bytes(b"a,b\n")
    desk.finish("import", "collect", makes=["samples.parquet"], uses=[str(given), desk.write("import/jmeter.log")])
    record = desk.record("import", "collect")
    assert (record.state, record.tool, record.error) == ("done", "perfsuite import", None)
    assert (record.started_at, record.ended_at) == (START + timedelta(seconds=1), START + timedelta(seconds=2))
    outside, inside = record.inputs
    assert (outside.path, outside.external, outside.size) == (str(given), True, 4)
    assert outside.sha256 == hashlib.sha256(b"a,b\n").hexdigest()
    assert outside.mtime_ns == given.stat().st_mtime_ns
    assert (inside.path, inside.external) == ("import/jmeter.log", False)
    assert [one.path for one in record.outputs] == ["samples.parquet"]


def test_the_default_clock_tells_utc(desk: Any) -> None:
    before = datetime.now(UTC)
    with Ledger(desk.run).step("import", "collect", tool="perfsuite import"):
        pass
    assert before <= desk.record("import", "collect").started_at <= datetime.now(UTC)


def test_a_hash_that_is_known_already_is_not_computed_again(desk: Any) -> None:
    path = desk.write("samples.parquet")
    with desk.ledger.step("import", "collect", tool="perfsuite import") as step:
        step.used(path, sha256="a" * 64)
        step.produced(path, sha256="b" * 64)
        step.produced(path, sha256="c" * 64)
    record = desk.record("import", "collect")
    assert record.inputs[0].sha256 == "a" * 64
    assert [one.sha256 for one in record.outputs] == ["c" * 64]


def test_a_failed_step_keeps_our_sentences_without_secrets(desk: Any) -> None:
    remember_secret("s3cr3t-key-of-the-ledger")
    with pytest.raises(NotReady), desk.ledger.step("datadog", "logs", tool="get_logs"):
        raise NotReady("Key s3cr3t-key-of-the-ledger is old.", next_step="Renew s3cr3t-key-of-the-ledger.")
    error = desk.record("datadog", "logs").error
    assert (error.message, error.next_step) == ("Key [redacted] is old.", "Renew [redacted].")
    assert b"s3cr3t" not in desk.run.path(layout.RUN_RECORD).read_bytes()


@pytest.mark.parametrize("error", [ZeroDivisionError("secret /path"), KeyboardInterrupt()])
def test_an_error_that_is_not_ours_is_kept_by_its_type_alone(desk: Any, error: BaseException) -> None:
    with pytest.raises(type(error)), desk.ledger.step("perfanalysis", "logs", tool="analyze_logs"):
        raise error
    record = desk.record("perfanalysis", "logs")
    assert record.state == "failed"
    assert record.error.message == f"It was stopped by {type(error).__name__}."
    assert record.error.next_step == "Call `analyze_logs` again."


def test_an_input_that_is_missing_fails_the_step_and_names_its_maker(desk: Any, tmp_path: Path) -> None:
    with pytest.raises(NotReady, match="`perfsuite import`"):
        desk.finish("perfanalysis", "test_results", uses=[desk.run.root / "samples.parquet"])
    assert desk.record("perfanalysis", "test_results").state == "failed"
    with pytest.raises(NotFound, match="cannot be read: No such file"):
        desk.finish("import", "collect", uses=[tmp_path / "nowhere.jtl"])


@pytest.mark.parametrize("given", ["/dev/zero", "."])
def test_an_input_that_is_no_regular_file_is_refused(desk: Any, given: str) -> None:
    with pytest.raises(BadInput, match="not a regular file"):
        desk.finish("import", "collect", uses=[given])


def test_an_output_outside_the_run_is_refused(desk: Any, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("x")
    with (
        pytest.raises(BadInput, match="not in the run folder"),
        desk.ledger.step("import", "collect", tool="perfsuite import") as step,
    ):
        step.produced(tmp_path / "x")


def test_a_path_that_is_not_utf8_can_be_recorded(desk: Any, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.jtl")
    path.write_bytes(b"x")
    desk.finish("import", "collect", uses=[path])
    assert desk.record("import", "collect").inputs[0].path.endswith("caf?.jtl")


def test_an_unknown_step_is_refused_before_anything_is_written(desk: Any) -> None:
    with pytest.raises(NotFound), desk.ledger.step("import", "collects", tool="x"):
        pytest.fail("the step ran")
    assert desk.run.record().ledger == ()


def test_a_rerun_removes_what_it_did_not_make_again(desk: Any) -> None:
    hosts = ["datadog/host_metrics_a.csv", "datadog/host_metrics_b.csv"]
    desk.finish("datadog", "metrics", makes=hosts)
    desk.finish("datadog", "metrics", makes=hosts[1:])
    assert [path.name for path in desk.ledger.files(layout.HOST_METRICS)] == ["host_metrics_b.csv"]
    assert not (desk.run.root / hosts[0]).exists()


def test_parts_of_a_step_do_not_supersede_each_other(desk: Any) -> None:
    desk.finish("datadog", "metrics", part="host", makes=["datadog/host_metrics_a.csv"])
    desk.finish("datadog", "metrics", part="kubernetes", makes=["datadog/k8s_metrics_a.csv"])
    assert len(desk.ledger.files(layout.HOST_METRICS) + desk.ledger.files(layout.K8S_METRICS)) == 2


def test_what_another_step_made_meanwhile_is_not_removed(desk: Any) -> None:
    desk.finish("datadog", "metrics", part="a", makes=["datadog/collection.json"])
    desk.finish("datadog", "logs", makes=["datadog/collection.json"])
    desk.finish("datadog", "metrics", part="a")
    assert (desk.run.root / "datadog/collection.json").exists()


def test_a_rerun_that_fails_keeps_what_was_there_until_one_succeeds(desk: Any) -> None:
    desk.finish("datadog", "metrics", makes=["datadog/host_metrics_a.csv"])
    with suppress(ValueError), desk.ledger.step("datadog", "metrics", tool="get_host_metrics") as step:
        step.produced(desk.write("datadog/host_metrics_b.csv"))
        raise ValueError
    assert desk.record("datadog", "metrics").state == "failed"
    assert {one.path[-5] for one in desk.record("datadog", "metrics").outputs} == {"a", "b"}
    assert desk.ledger.files(layout.HOST_METRICS) == []
    desk.finish("datadog", "metrics", makes=["datadog/host_metrics_c.csv"])
    assert [path.name for path in (desk.run.root / "datadog").iterdir()] == ["host_metrics_c.csv"]


def test_a_superseded_file_that_cannot_be_removed_leaves_the_step_unfinished(desk: Any) -> None:
    desk.finish("datadog", "metrics", makes=["datadog/host_metrics_a.csv"])
    folder = desk.run.root / "datadog"
    folder.chmod(0o500)
    if os.access(folder, os.W_OK):
        pytest.skip("this user may write anywhere")
    with pytest.raises(StorageFailed, match=r"superseded file 'datadog/host_metrics_a\.csv' could not be removed"):
        desk.finish("datadog", "metrics")
    folder.chmod(0o700)
    assert desk.seen("datadog", "metrics").state == "interrupted"
    desk.finish("datadog", "metrics")
    assert list(folder.iterdir()) == []


def test_a_doctored_ledger_cannot_make_a_rerun_delete_other_files(desk: Any, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("x")
    desk.finish("datadog", "metrics", makes=["datadog/host_metrics_a.csv"])
    path = desk.run.path(layout.RUN_RECORD)
    content = json.loads(path.read_text())
    first = content["ledger"][0]["outputs"][0]
    evil = ["run.json", str(tmp_path / "precious"), os.path.relpath(tmp_path / "precious", desk.run.root), "datadog"]
    content["ledger"][0]["outputs"] = [first | {"path": name} for name in evil]
    path.write_text(json.dumps(content))
    desk.finish("datadog", "metrics")
    assert (tmp_path / "precious").exists()
    assert (desk.run.root / "datadog").is_dir()
    assert desk.record("datadog", "metrics").outputs == ()


def test_files_that_are_gone_or_of_another_kind_are_not_offered(desk: Any) -> None:
    desk.finish("datadog", "logs", makes=["datadog/logs_error_a.csv", "datadog/logs_error_b.csv", "datadog/notes.txt"])
    (desk.run.root / "datadog/logs_error_a.csv").unlink()
    assert [path.name for path in desk.ledger.files(layout.LOGS)] == ["logs_error_b.csv"]


def test_a_step_cannot_run_twice_at_once(desk: Any) -> None:
    with desk.ledger.step("import", "collect", tool="perfsuite import"):
        with pytest.raises(Conflict, match=r"Step import\.collect of run 'r1' is already running"):
            desk.finish("import", "collect")
        desk.finish("import", "aggregate_report")
        assert desk.seen("import", "collect").state == "running"
    assert desk.record("import", "collect").state == "done"


def test_parts_of_a_step_can_run_at_once_and_are_told_apart(desk: Any) -> None:
    with desk.ledger.step("datadog", "metrics", tool="get_host_metrics", part="host"):
        desk.finish("datadog", "metrics", part="kubernetes")
        with pytest.raises(Conflict, match=r"datadog\.metrics \(host\)"):
            desk.finish("datadog", "metrics", part="host")


def test_a_step_of_another_process_is_running_until_it_is_killed(desk: Any) -> None:
    process = another_process(desk)
    assert desk.seen("import", "collect").state == "running"
    with pytest.raises(Conflict):
        desk.finish("import", "collect")
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    seen = desk.seen("import", "collect")
    assert (seen.state, desk.stage_state("import")) == ("interrupted", "interrupted")
    assert [one.path for one in desk.record("import", "collect").outputs] == ["samples.parquet"]
    assert (desk.next().step, desk.next().tool) == ("collect", "perfsuite import")
    assert "its process was killed" in desk.next().why
    desk.finish("import", "collect")
    assert not (desk.run.root / "samples.parquet").exists()


def test_a_step_of_another_process_that_ends_well_is_done(desk: Any) -> None:
    process = another_process(desk)
    process.communicate()
    assert process.returncode == 0
    assert desk.seen("import", "collect").state == "done"


def test_an_interrupted_step_can_be_told_where_its_lock_was_removed(desk: Any) -> None:
    process = another_process(desk)
    process.kill()
    process.communicate()
    for lock in (desk.run.root / ".locks").iterdir():
        lock.unlink()
    assert desk.seen("import", "collect").state == "interrupted"


def test_a_lock_that_is_no_file_is_reported_and_does_not_hide_the_status(desk: Any) -> None:
    process = another_process(desk)
    process.kill()
    process.communicate()
    lock = desk.run.root / ".locks" / "import.collect.lock"
    lock.unlink()
    lock.mkdir()
    assert desk.seen("import", "collect").state == "interrupted"
    with pytest.raises(StorageFailed, match=r"import\.collect\.lock"):
        desk.finish("import", "collect")


def test_threads_may_note_what_they_made_at_the_same_time(desk: Any) -> None:
    files = [desk.write(f"datadog/host_metrics_{number}.csv") for number in range(20)]
    with desk.ledger.step("datadog", "metrics", tool="get_host_metrics") as step, ThreadPoolExecutor(4) as pool:
        list(pool.map(step.produced, files))
        assert len(desk.record("datadog", "metrics").outputs) == 20
    assert len(desk.ledger.files(layout.HOST_METRICS)) == 20


def test_readers_never_make_a_step_fail_to_start(desk: Any) -> None:
    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(lambda: [desk.ledger.status() for _ in range(30)]) for _ in range(2)]
        for _ in range(15):
            desk.finish("import", "validate")
        states = {status.stages[0].steps[2].state for reader in readers for status in reader.result()}
    assert states <= {"not_started", "running", "done"}


def test_a_note_that_the_disk_refuses_does_not_hide_why_the_step_failed(desk: Any) -> None:
    record = desk.run.path(layout.RUN_RECORD)

    def collect() -> None:
        with desk.ledger.step("import", "collect", tool="perfsuite import"):
            content.append(record.read_bytes())
            record.write_bytes(b"{")
            raise ZeroDivisionError

    content: list[bytes] = []
    with pytest.raises(ZeroDivisionError):
        collect()
    record.write_bytes(content[0])
    assert desk.seen("import", "collect").state == "interrupted"


def test_the_ledger_of_a_copied_store_is_the_same(desk: Any) -> None:
    desk.finish_well("import", "collect")
    again = Ledger(RunStore(desk.run.root.parent).open("r1"))
    assert again.status() == desk.ledger.status()
