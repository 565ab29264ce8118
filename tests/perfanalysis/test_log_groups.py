"""analyze_logs: what says the same stands together, and when it began."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfsuite.artifacts import RunFolder, layout
from perfsuite.artifacts.log_findings import LogAnalysis, LogGroup
from perfsuite.errors import BadInput
from perfsuite_perfanalysis.core.logs.entries import Entry, JMeterLog, level_of
from perfsuite_perfanalysis.core.logs.stacks import fingerprint
from perfsuite_perfanalysis.core.logs.tally import Tally
from perfsuite_perfanalysis.core.logs.templates import mine, plain
from perfsuite_perfanalysis.service.logs import analyze_logs

from .analysing import imported_rows, runs_in
from .collecting import event, write_events, write_text
from .conftest import jtl_row
from .synthetic import START_MS, error_storm, steady, write_run

STACK = """shop.StockError: none left for item {n}
\tat shop.Stock.reserve(Stock.java:{n})
\tat org.springframework.web.Servlet.service(Servlet.java:{n})
Caused by: java.sql.SQLTransientConnectionException: timeout after {n}ms
\tat com.zaxxer.hikari.HikariPool.getConnection(HikariPool.java:{n})
\tat shop.Db.lambda$open${n}(Db.java:{n})
\t... 12 more"""


def analysed(folder: Path, baseline: str | None = None) -> LogAnalysis:
    return analyze_logs(runs_in(folder), "run-1", baseline)


def stormy(folder: Path) -> RunFolder:
    """Errors from 300 s on, and a service that says so from 290 s on."""
    run = write_run(runs_in(folder), error_storm(seconds=600, at_s=300), "run-1")
    calm = [event(number, "info", f"order {number} placed in {number % 90} ms") for number in range(0, 600, 5)]
    bad = [
        event(number, "error", f"Failed to reserve item {number}", STACK.format(n=number))
        for number in range(290, 600, 3)
    ]
    write_events(run, [*calm, *bad])
    return run


def group(found: LogAnalysis, text: str) -> LogGroup:
    [one] = [one for one in found.groups if text in one.template]
    return one


def test_entries_that_differ_in_numbers_are_one_group_with_first_and_last_seen(tmp_path: Path) -> None:
    stormy(tmp_path)
    one = group(analysed(tmp_path), "order")
    assert (one.count, one.level, one.service) == (120, "INFO", "shop")
    assert one.first_seen is not None
    assert one.first_seen.timestamp() == START_MS / 1000
    assert one.last_seen is not None
    assert one.last_seen.timestamp() == START_MS / 1000 + 595


def test_a_group_is_put_beside_the_onset_of_errors_and_the_load(tmp_path: Path) -> None:
    stormy(tmp_path)
    found = analysed(tmp_path)
    one = group(found, "reserve")
    assert found.error_onset_s == pytest.approx(300, abs=10)
    assert one.onset is not None
    assert (one.onset.relation, one.onset.users) == ("with_errors", 20)
    assert one.onset.lead_s == pytest.approx(10, abs=10)
    assert one.per_minute_before is not None
    assert one.per_minute_after is not None
    assert one.per_minute_after > 5 * one.per_minute_before
    assert found.findings[0].id == one.id
    assert found.findings[0].severity == "major"


def test_a_stack_trace_is_known_by_its_innermost_cause_and_own_frames(tmp_path: Path) -> None:
    stormy(tmp_path)
    one = group(analysed(tmp_path), "reserve")
    assert one.count == 104
    assert one.root_cause == "java.sql.SQLTransientConnectionException"
    assert one.frames == ("com.zaxxer.hikari.HikariPool.getConnection", "shop.Db.")


def test_failed_samples_are_groups_with_their_labels(tmp_path: Path) -> None:
    stormy(tmp_path)
    one = group(analysed(tmp_path), "503 Service Unavailable")
    assert one.kind == "sample_errors"
    assert set(one.labels) == {"GET /cart", "POST /order", "GET /search"}
    assert sum(one.labels.values()) == one.count


def test_what_a_baseline_did_not_say_is_new(tmp_path: Path) -> None:
    stormy(tmp_path)
    earlier = write_run(runs_in(tmp_path), steady(seconds=120), "earlier")
    write_events(earlier, [event(1, "info", "order 77 placed in 5 ms")])
    found = analysed(tmp_path, "earlier")
    assert group(found, "order").is_new is False
    assert group(found, "order").baseline_count == 1
    assert group(found, "reserve").is_new is True
    assert "not in the baseline" in found.findings[0].text


def test_what_was_said_before_the_first_request_was_said_under_no_load(tmp_path: Path) -> None:
    run = write_run(runs_in(tmp_path), steady(seconds=60), "run-1")
    write_events(run, [event(-0.9, "error", "not ready"), event(30, "error", "too slow")])
    onsets = {one.template: one.onset for one in analysed(tmp_path).groups}
    early, late = onsets["not ready"], onsets["too slow"]
    assert early is not None
    assert late is not None
    assert (early.users, late.users is not None) == (None, True)


def test_a_run_is_not_its_own_baseline(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="own baseline"):
        analysed(tmp_path, "run-1")


def test_the_zone_of_a_jmeter_log_is_told_by_one_of_its_lines() -> None:
    log = JMeterLog()
    two_hours_ahead = datetime.fromtimestamp(START_MS / 1000 + 7_200, UTC).strftime("%Y-%m-%d %H:%M:%S")
    lines = [
        f"{two_hours_ahead},000 WARN o.a.j.Foo: early\n",
        f"{two_hours_ahead},000 INFO o.a.j.JMeter: Running test ({START_MS})\n",
    ]
    entries = list(log.entries(lines))
    assert [one.level for one in entries] == ["WARN", "INFO"]
    assert [log.in_utc(one.at_us or 0) for one in entries] == [START_MS * 1000] * 2


def test_a_log_that_tells_no_zone_is_taken_as_utc_and_said(tmp_path: Path) -> None:
    run = write_run(runs_in(tmp_path), steady(seconds=60), "run-1")
    write_text(
        run,
        layout.JMETER_LOG,
        "2026-09-21 14:13:30,000 ERROR o.a.j.Foo: broken\njava.lang.Error: x\n\tat a.B.c(B.java:1)\n",
    )
    found = analysed(tmp_path)
    [source] = [one for one in found.sources if one.kind == "jmeter_log"]
    assert "taken as UTC" in source.notes[0]
    assert group(found, "broken").root_cause == "java.lang.Error"


def test_without_logs_the_failures_are_told_and_what_is_missing(tmp_path: Path) -> None:
    write_run(runs_in(tmp_path), error_storm(seconds=600, at_s=300), "run-1")
    found = analysed(tmp_path)
    assert found.status == "partial"
    assert [reason.partition(",")[0] for reason in found.reasons] == [
        "There is no jmeter.log",
        "No logs of the service were collected (`get_logs`)",
    ]
    assert group(found, "503").count > 0


def test_the_file_is_the_same_whatever_the_order_of_rows(tmp_path: Path) -> None:
    run = write_run(runs_in(tmp_path), steady(seconds=60), "run-1")
    events = [
        event(number, "error", f"user {word} failed at step {number}") for number, word in enumerate("abcdefgh" * 5)
    ]
    write_events(run, events)
    first = analysed(tmp_path)
    np.random.default_rng(1).shuffle(events)
    write_events(run, events)
    assert analysed(tmp_path).groups == first.groups


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a,b\n1,2\n", "has no column timestamp_utc and message"),
        ("timestamp_utc,message\n" + "x" * 2_000_000, "is not a CSV file"),
    ],
)
def test_a_file_that_is_no_log_is_named(tmp_path: Path, text: str, reason: str) -> None:
    run = write_run(runs_in(tmp_path), steady(seconds=60), "run-1")
    write_text(run, layout.LOGS, text, type="errors", env="shop")
    found = analysed(tmp_path)
    assert any(reason in one and "logs_errors_shop.csv" in one for one in found.reasons)


def test_odd_events_are_taken_as_they_are(tmp_path: Path) -> None:
    run = write_run(runs_in(tmp_path), steady(seconds=60), "run-1")
    odd = [
        event(1, "emergency", ""),
        event(2, "", "no level\x1b[31m\0 here"),
        event(3, "error", "y" * 100_000) | {"timestamp_utc": "soon"},
    ]
    write_events(run, odd)
    found = analysed(tmp_path)
    [source] = [one for one in found.sources if one.kind == "service_log"]
    assert (source.entries, source.without_time) == (3, 1)
    assert source.by_level == {"ERROR": 1, "FATAL": 1, "TEXT": 1}
    assert all(len(one.template) <= 300 and one.template.isprintable() for one in found.groups)


def test_a_run_of_failures_alone_has_one_group(tmp_path: Path) -> None:
    imported_rows(tmp_path, [jtl_row(number, 10, "GET /", success=False) for number in range(50)])
    [one] = analysed(tmp_path).groups
    assert (one.template, one.count) == ("500 Internal Server Error", 50)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(max_size=40), max_size=30), st.randoms(use_true_random=False))
def test_templates_do_not_depend_on_the_order_of_messages(messages: list[str], random: object) -> None:
    shuffled = list(messages)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert mine(map(plain, messages)) == mine(map(plain, shuffled))


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["INFO", "ERROR"]), st.text(max_size=20), st.integers(0, 10**15)), max_size=40)
)
def test_no_entry_is_lost_or_counted_twice(rows: list[tuple[str, str, int]]) -> None:
    tally = Tally(None)
    for level, message, at_us in rows:
        tally.take(Entry("service_log", level, "shop", message, at_us))
    assert sum(one.counted.count for one in tally.groups()) == len(rows) == tally.entries


def test_traces_that_differ_in_lines_and_proxies_are_the_same() -> None:
    one, other = fingerprint(STACK.format(n=1).splitlines()), fingerprint(STACK.format(n=99).splitlines())
    assert one == other
    assert fingerprint(["just text", "and more"]) is None
    python = ["Traceback (most recent call last):", '  File "/app/shop/db.py", line 12, in open', "ValueError: no"]
    found = fingerprint(python)
    assert found is not None
    assert (found.root_cause, found.frames) == ("ValueError", ("db.py:open",))


def test_levels_have_one_name_each() -> None:
    assert [level_of(one) for one in ("warning", "CRIT", "err", "ok", "", "x" * 99)] == [
        "WARN", "FATAL", "ERROR", "INFO", "TEXT", "TEXT",
    ]  # fmt: skip


def test_an_event_that_stands_in_several_files_is_counted_once(tmp_path: Path) -> None:
    run = stormy(tmp_path)
    bad = [event(number, "error", f"No stock {number}") | {"id": f"e-{number}"} for number in range(290, 300)]
    write_events(run, bad, "errors")
    write_events(run, bad[:4], "exceptions")
    write_events(run, [*bad, event(10, "info", "Started") | {"id": "i-1"}], "all")
    found = analysed(tmp_path)
    assert (group(found, "No stock").count, group(found, "Started").count) == (10, 1)
    files = {one.path: one for one in found.sources if one.kind == "service_log"}
    assert sum(one.entries for one in files.values()) == 11
    notes = [note for one in files.values() for note in one.notes]
    assert any("10 events stand in other files" in note for note in notes)
    assert any("4 events stand in other files" in note for note in notes)


def test_without_an_id_an_event_is_known_by_what_it_says_and_may_be_said_twice_in_one_file(tmp_path: Path) -> None:
    run = stormy(tmp_path)
    twice = [event(290, "error", "No stock")] * 2
    write_events(run, [twice[0], event(290, "error", "No stock", service="cart")], "all")
    write_events(run, twice, "errors")
    shop, cart = (
        sum(one.count for one in analysed(tmp_path).groups if one.service == name and one.template == "No stock")
        for name in ("shop", "cart")
    )
    assert (shop, cart) == (2, 1)
