"""Results of a run that has ended become samples and a report, and are compared with what JMeter counted."""

import json
from pathlib import Path
from typing import Any

import pytest

from fixtures import fixture
from jmeter.recorded import START_MS, Recorded, recorded_in, sample
from perfsuite import samples
from perfsuite.artifacts import RunStore, layout, sha256_of
from perfsuite.artifacts.schemas import RunFacts
from perfsuite.errors import Conflict, NotFound, NotReady, PerfsuiteError
from perfsuite.samples.summary import summarise
from perfsuite.workflow import Ledger
from perfsuite_jmeter.models.live import CollectedRun
from perfsuite_jmeter.service.collecting import collect_results

END = "... end of run\n"


def total(count: int, errors: int, name: str = "summary") -> str:
    share = 100 * errors / max(count, 1)
    return f"{name} = {count:6} in 00:00:08 = 63.4/s Avg: 6 Min: 5 Max: 86 Err: {errors:5} ({share:.2f}%)\n"


def logged(line: str) -> str:
    return f"2026-11-21 03:59:24,313 INFO o.a.j.r.Summariser: {line}"


@pytest.fixture
def recorded(tmp_path: Path) -> Recorded:
    return recorded_in(tmp_path).begin()


def printed(recorded: Recorded, count: int, errors: int = 0, *, end: str = END) -> Recorded:
    recorded.put("console.log", f"Creating summariser <summary>\n{total(1, 0)}{total(count, errors)}{end}")
    return recorded.put("jmeter.log", logged(total(count, errors)))


def collect(recorded: Recorded) -> CollectedRun:
    return collect_results(recorded.runs, "r1")


def test_a_finished_run_is_collected(recorded: Recorded) -> None:
    recorded.results.write_bytes(fixture("jmx/sample_with_tx.jtl").read_bytes())
    printed(recorded, 123).end()
    found = collect(recorded)
    assert (found.state, found.samples, found.transactions, found.errors) == ("finished", 123, 62, 0)
    assert found.counts.model_dump() == {"results": 123, "console": 123, "log": 123, "agree": True, "differences": []}
    assert found.files == [
        "jmeter/test-results.csv", "jmeter/jmeter.log", "jmeter/aggregate_performance_report.csv", "samples.parquet"
    ]  # fmt: skip
    assert all((recorded.run.root / name).is_file() for name in found.files)
    assert "`analyze_test_results`" in found.next_step
    record = recorded.run.record()
    assert (record.source, record.fidelity) == ("jmeter", "samples")
    assert record.window is not None
    assert record.window.first_sample_at.isoformat(timespec="milliseconds").startswith(found.first_sample_at[:-1])
    assert samples.open(recorded.run).metadata.source == "jmeter"


def test_the_ledger_holds_its_steps(recorded: Recorded) -> None:
    printed(recorded.add(sample()), 1).end()
    collect(recorded)
    status = Ledger(recorded.run).status()
    jmeter = {step.step: step.state for step in status.stages[0].steps}
    assert {step: jmeter[step] for step in ("wait", "collect", "aggregate_report", "validate")} == dict.fromkeys(
        ("wait", "collect", "aggregate_report", "validate"), "done"
    )
    assert [path.name for path in Ledger(recorded.run).files(layout.JMETER_LOG)] == ["jmeter.log"]
    recorded.add(sample())
    stale = {step.step: step.state for step in Ledger(recorded.run).status().stages[0].steps}
    assert (stale["collect"], stale["aggregate_report"]) == ("stale", "stale")


def test_doing_it_again_gives_the_same_bytes(recorded: Recorded) -> None:
    recorded.results.write_bytes(fixture("jmx/sample_distributed.jtl").read_bytes())
    printed(recorded, 526, 60).end()
    first = collect(recorded)
    before = {name: sha256_of(recorded.run.root / name) for name in first.files}
    assert collect(recorded) == first
    assert {name: sha256_of(recorded.run.root / name) for name in first.files} == before
    assert len([step for step in recorded.run.record().ledger if step.step == "collect"]) == 1


def test_the_report_holds_what_the_results_hold(recorded: Recorded) -> None:
    recorded.results.write_bytes(fixture("jmx/sample_distributed.jtl").read_bytes())
    printed(recorded, 526, 60).end()
    collect(recorded)
    rows = recorded.run.path(layout.JMETER_AGGREGATE).read_text(encoding="utf-8").splitlines()
    assert rows[1].startswith("ALL,526,")
    assert summarise([recorded.results]).total.samples == 526


@pytest.mark.parametrize(
    ("prepare", "error", "words"),
    [
        (lambda one: one.results.parent.joinpath("run-spec.json").unlink(), NotReady, "never started"),
        (lambda one: one.end(), NotReady, "without a sample"),
        (lambda one: one.add().end(), NotReady, "without a sample"),
        (lambda one: one.add(sample()).note("running", host="elsewhere"), NotReady, "cannot be told"),
    ],
)  # fmt: skip
def test_what_cannot_be_collected_says_why(
    recorded: Recorded, prepare: Any, error: type[PerfsuiteError], words: str
) -> None:
    prepare(recorded)
    with pytest.raises(error, match=words) as raised:
        collect(recorded)
    assert "`" in raised.value.next_step or "run again" in raised.value.next_step
    assert not recorded.run.path(layout.SAMPLES).exists()


def test_a_running_test_is_not_collected(recorded: Recorded) -> None:
    recorded.add(sample())
    with recorded.alive(), pytest.raises(NotReady, match="is running: its results are not complete") as raised:
        collect(recorded)
    assert "`get_jmeter_run_status`" in raised.value.next_step
    assert "`stop_jmeter_test`" in raised.value.next_step


def test_an_unknown_run_is_not_made(recorded: Recorded) -> None:
    with pytest.raises(NotFound):
        collect_results(recorded.runs, "other")
    assert not (recorded.run.root.parent / "other").exists()


def test_samples_of_another_source_are_never_replaced(tmp_path: Path) -> None:
    run = RunStore(tmp_path / "artifacts").create("r1", RunFacts(source="import"))
    recorded = Recorded(run).begin().add(sample()).end()
    with pytest.raises(Conflict, match="holds the samples of 'import'"):
        collect(recorded)


def test_what_was_measured_until_a_kill_is_kept_and_the_torn_row_is_said(recorded: Recorded) -> None:
    recorded.add(*[sample(timeStamp=START_MS + n) for n in range(30)]).append(f"{START_MS},5,GET /pets/{{")
    printed(recorded, 20, end="")
    found = collect(recorded)
    assert (found.state, found.samples, found.rows_rejected) == ("interrupted", 30, 1)
    assert any("ends in the middle of a row" in note for note in found.notes)
    assert found.counts.agree is False
    assert found.counts.differences == [
        "The results hold 10 samples more than JMeter's last total, which is older, because it was killed."
    ]


@pytest.mark.parametrize(
    ("console", "log", "end", "rows", "agree", "said"),
    [
        (None, None, "", 3, None, "no total to compare with, because it was stopped by force."),
        (None, None, END, 3, None, "no total to compare with."),
        (None, (3, 0), END, 3, True, None),
        ((3, 0), None, END, 3, True, None),
        ((2, 0), (3, 0), END, 3, False, "console.log says 2 samples and 0 errors, jmeter.log 3 samples and 0 errors"),
        ((5, 0), (5, 0), END, 3, False, "2 samples fewer than JMeter's total. Nothing that is known explains it"),
        ((5, 0), (5, 0), "", 3, False, "2 samples fewer than JMeter's total: what JMeter had not written is lost"),
        ((2, 0), (2, 0), END, 3, False, "1 samples more than JMeter's total. Nothing that is known explains it"),
        ((3, 1), (3, 1), END, 3, False, "1 errors fewer than JMeter's total"),
    ],
)
def test_what_jmeter_counted_is_compared(
    recorded: Recorded, console: Any, log: Any, end: str, rows: int, agree: bool | None, said: str | None
) -> None:
    recorded.add(*[sample()] * rows).put("console.log", (total(*console) if console else "") + end)
    recorded.put("jmeter.log", logged(total(*log)) if log else "")
    recorded.stop("KILL")
    counts = collect(recorded).counts
    assert counts.agree is agree
    if said is None:
        assert counts.differences == []
    else:
        assert said in counts.differences[0]


def test_rows_that_could_not_be_read_explain_a_difference(recorded: Recorded) -> None:
    printed(recorded.add(sample()).append("no,row\n").add(sample()), 3).end()
    found = collect(recorded)
    assert found.counts.differences == [
        "The results hold 1 samples fewer than JMeter's total: 1 rows could not be read."
    ]
    assert any(note.startswith("Line 3: ") for note in found.notes)


def test_parts_of_samples_explain_a_difference(recorded: Recorded) -> None:
    printed(recorded.add(sample(elapsed=90), sample(label="Home-0", elapsed=20), sample(label="Home-1")), 3).end()
    found = collect(recorded)
    assert (found.samples, found.counts.agree) == (2, False)
    assert "1 rows are parts of samples" in found.counts.differences[0]


def test_a_run_without_log_is_collected_and_says_so(recorded: Recorded) -> None:
    recorded.add(sample()).end()
    found = collect(recorded)
    assert "jmeter/jmeter.log" not in found.files
    assert any("There is no 'jmeter/jmeter.log'" in note for note in found.notes)


def test_progress_is_told(recorded: Recorded) -> None:
    printed(recorded.add(sample()), 1).end()
    told: list[str] = []
    collect_results(recorded.runs, "r1", lambda what, _: told.append(what))
    assert "checking files" in told


def test_the_answer_is_short(recorded: Recorded) -> None:
    printed(recorded.add(sample()), 1).end()
    recorded.append("".join(f"{'x' * 300},{n}\n" for n in range(300)))
    assert len(json.dumps(collect(recorded).model_dump())) < 10_000
