"""The status of a run: what it tells while the test runs, and when it has ended."""

import asyncio
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from jmeter.recorded import START_MS, STARTED_AT, Recorded, recorded_in, sample
from perfsuite.errors import NotFound
from perfsuite_jmeter.service.status import run_status


@pytest.fixture
def recorded(tmp_path: Path) -> Recorded:
    return recorded_in(tmp_path)


def every(step_ms: int, count: int, **fields: object) -> list[dict[str, object]]:
    return [sample(timeStamp=START_MS + step_ms * n, **fields) for n in range(count)]


def test_a_running_test_is_told_with_its_numbers(recorded: Recorded) -> None:
    recorded.begin(planned_duration_s=60, planned_users=50)
    recorded.add(*every(100, 100, elapsed=50, allThreads=20), *every(500, 20, label="Pay", elapsed=90, success="false"))
    with recorded.alive():
        found = recorded.status(at_s=11)
    assert (found.state, found.attempt) == ("running", 1)
    assert (found.elapsed_s, found.time_left_s) == (11, 49)
    assert (found.users_now, found.users_planned) == (5, 50)
    # From second 1 to 11: 90 and 18 samples ended.
    assert found.recent_throughput_per_s == 10.8
    assert found.total is not None
    assert (found.total.samples, found.total.errors, found.total.error_rate) == (120, 20, 0.166667)
    assert [(one.label, one.samples, one.p95_ms, one.max_ms) for one in found.labels] == [
        ("Home", 100, 50, 50),
        ("Pay", 20, 90, 90),
    ]
    [error] = found.errors
    assert (error.label, error.response_code, error.message, error.count) == ("Pay", "200", "OK", 20)
    assert error.first_seen == "2026-11-21T03:59:10.000Z"
    assert "`stop_jmeter_test`" in found.next_step
    assert not found.findings


def test_a_test_that_has_ended_is_told_for_good(recorded: Recorded) -> None:
    recorded.begin(planned_duration_s=60).add(*every(100, 10)).end(after_s=12)
    found = recorded.status(at_s=5_000)
    assert (found.state, found.elapsed_s, found.time_left_s) == ("finished", 12, None)
    assert (found.users_now, found.recent_throughput_per_s) == (0, None)
    assert found.next_step == "Call `collect_jmeter_results`."
    assert found == recorded.status(at_s=9_000)


def test_a_run_that_died_ended_with_its_last_sample(recorded: Recorded) -> None:
    recorded.begin().add(*every(100, 10)).append("1795233")
    found = recorded.status(at_s=5_000)
    assert (found.state, found.elapsed_s) == ("interrupted", 1.0)
    assert any("1 rows could not be read, the last of them torn" in note for note in found.notes)


def test_the_sooner_end_is_what_is_left(recorded: Recorded) -> None:
    recorded.begin(planned_duration_s=600, duration_limit_s=100)
    with recorded.alive():
        assert recorded.status(at_s=30).time_left_s == 70
        assert recorded.status(at_s=300).time_left_s == 0


def test_nothing_is_left_where_nobody_planned(recorded: Recorded) -> None:
    recorded.begin().add(sample())
    with recorded.alive():
        found = recorded.status()
    assert (found.time_left_s, found.users_planned) == (None, None)


def test_before_the_first_sample_it_is_said_that_there_is_none(recorded: Recorded) -> None:
    recorded.begin()
    with recorded.alive():
        found = recorded.status()
    assert (found.total, found.labels, found.recent_throughput_per_s, found.users_now) == (None, [], None, 0)
    assert "No sample has been written yet" in found.notes[0]


def test_a_run_that_was_never_started_has_no_numbers(recorded: Recorded) -> None:
    found = recorded.status()
    assert (found.state, found.attempt, found.elapsed_s, found.total) == ("lost", None, None, None)


def test_an_unknown_run_is_an_error(recorded: Recorded) -> None:
    with pytest.raises(NotFound, match="'r2' does not exist"):
        asyncio.run(run_status(recorded.runs, "r2"))


def test_a_saturated_generator_is_the_first_that_is_said(recorded: Recorded) -> None:
    recorded.begin().add(sample()).health(
        "50,55,300,20,1,1,100", *["93,99.5,310,20,3,15,150"] * 4, "40,60,320,20,1,,90"
    )
    found = recorded.status()
    assert next(iter(found.model_dump())) == "findings"
    [finding] = found.findings
    assert "saturated in 4 of 6 readings" in finding
    for reason in ("processors were at 90 % or more in 4", "JMeter alone", "garbage collections took 10 %"):
        assert reason in finding
    assert found.generator is not None
    assert (found.generator.readings, found.generator.saturated_readings) == (6, 4)
    assert found.generator.latest.model_dump() == {
        "machine_cpu_pct": 60, "java_cpu_pct": 40, "gc_pct": None, "rss_mb": 320, "heap_used_mb": 90
    }  # fmt: skip
    assert (found.generator.worst.machine_cpu_pct, found.generator.worst.rss_mb) == (99.5, 320)
    assert found.generator.latest_at == "2026-11-21T03:59:05.000Z"


def test_a_generator_that_was_busy_for_a_moment_is_no_finding(recorded: Recorded) -> None:
    recorded.begin().add(sample()).health("93,99.5,310,20,3,1,150", "93,99.5,310,20,3,1,150", "5,5,5,5,5,5,5")
    assert not recorded.status().findings


def test_readings_that_are_none_are_passed_over(recorded: Recorded) -> None:
    recorded.begin().add(sample()).health("", "a,b,c,d,e,f,g", "nan,inf,,,,,", "1,2,3,4,5,6,7")
    path = recorded.run.root / "jmeter" / "generator_health.csv"
    with path.open("a", encoding="utf-8") as file:
        file.write("2026-11-21T03:59:59.000Z,99,9")
    generator = recorded.status().generator
    assert generator is not None
    assert (generator.readings, generator.latest.machine_cpu_pct) == (1, 2)
    with path.open("a", encoding="utf-8") as file:
        file.write("9,3,4,5,6,7\n")
    generator = recorded.status().generator
    assert generator is not None
    assert (generator.readings, generator.latest.machine_cpu_pct) == (2, 99)


def test_silence_is_said(recorded: Recorded) -> None:
    recorded.begin().add(*every(100, 100))
    with recorded.alive():
        assert not any("No sample has ended" in note for note in recorded.status(at_s=30).notes)
        found = recorded.status(at_s=60)
    assert any("No sample has ended for 50 s" in note for note in found.notes)
    assert found.recent_throughput_per_s == 0


def test_the_engines_of_a_distributed_run_are_added_up(recorded: Recorded) -> None:
    rows = [
        *every(100, 200, threadName="10.0.0.1:1099-Users 1-1", allThreads=4),
        *every(100, 200, threadName="10.0.0.2:1099-Users 1-1", allThreads=3),
    ]
    recorded.begin(remote_hosts=("10.0.0.1:1099", "10.0.0.2:1099")).add(*rows)
    with recorded.alive():
        found = recorded.status(at_s=55)
    assert found.users_now == 7
    # Engines send their samples in batches: the rate is that of the time they tell about.
    assert found.recent_throughput_per_s == 20
    assert not any("No sample has ended" in note for note in found.notes)


def test_labels_that_may_be_parts_of_others_are_said(recorded: Recorded) -> None:
    recorded.begin().add(sample(), sample(label="Home-0"))
    assert any("may be parts" in note for note in recorded.status().notes)


def test_what_was_folded_is_said(recorded: Recorded) -> None:
    recorded.begin().add(*[sample(label=f"L{n}", success="false", responseCode=f"E{n}") for n in range(600)])
    notes = recorded.status().notes
    assert any("more than 500 labels" in note for note in notes)
    assert any("more than 100 kinds of errors" in note for note in notes)


def test_an_answer_stays_short_and_says_what_it_leaves_out(recorded: Recorded) -> None:
    recorded.begin().health("1,2,3,4,5,6,7").add(
        *[sample(label=f"{n} {'ä<' * 200}", success="false", responseMessage="x" * 900) for n in range(900)]
    )
    found = recorded.status()
    assert len(found.model_dump_json()) < 10_000
    assert (found.labels_total, found.labels_has_more) == (501, True)
    assert (found.errors_total, found.errors_has_more) == (101, True)
    assert found.labels
    assert found.errors


def test_what_labels_hold_is_shown_without_control_characters(recorded: Recorded) -> None:
    recorded.begin().add(sample(label="a\x1b[31m\u202eb\nc"))
    assert recorded.status().labels[0].label == "a [31m b c"


@pytest.mark.parametrize(
    ("state", "words"), [("stopped", "what was measured until then"), ("failed", "`analyze_jmeter_log`")]
)
def test_the_next_step_depends_on_the_end(recorded: Recorded, state: str, words: str) -> None:
    recorded.begin().add(sample())
    recorded.stop() if state == "stopped" else recorded.end(exit_code=1)
    found = recorded.status()
    assert (found.state, words in found.next_step) == (state, True)


def waiting(recorded: Recorded, wait_s: float, told: list[tuple[Any, ...]], during: Any = None) -> Any:
    """The answer to a call that waits; `during` happens when the first progress has been told."""

    async def report(done: float, total: float | None, message: str | None) -> None:
        told.append((done, total, message))
        if during is not None and len(told) == 1:
            during()

    moments = iter(range(1, 10_000))
    return asyncio.run(
        run_status(
            recorded.runs,
            "r1",
            wait_s=wait_s,
            report=report,
            clock=lambda: STARTED_AT + timedelta(seconds=next(moments)),
        )
    )


def test_a_wait_ends_as_soon_as_the_run_does(recorded: Recorded) -> None:
    recorded.begin(planned_duration_s=60).add(sample())
    told: list[tuple[Any, ...]] = []
    ended = threading.Event()

    def during() -> None:
        recorded.end()
        ended.set()

    with recorded.alive():
        found = waiting(recorded, 40, told, during)
    assert ended.is_set()
    assert found.state == "finished"
    assert told == [(1, 60, "running: 1 samples, 1/s, 0.0% errors, 5 users, p95 100 ms")]


def test_a_wait_tells_that_there_is_nothing_yet_and_ends_in_time(recorded: Recorded) -> None:
    recorded.begin()
    told: list[tuple[Any, ...]] = []
    with recorded.alive():
        found = waiting(recorded, 0.2, told)
    assert found.state == "running"
    assert told == [(1, None, "running: no sample yet")]


def test_progress_only_grows_though_the_time_begins_anew_with_the_test(recorded: Recorded) -> None:
    recorded.begin().note("starting", test_started_at=None)
    told: list[tuple[Any, ...]] = []
    with recorded.alive():
        waiting(
            recorded, 2.3, told, lambda: recorded.note("running", test_started_at=STARTED_AT + timedelta(seconds=9))
        )
    assert [done for done, _, _ in told] == [3]
