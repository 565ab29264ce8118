"""A log is grouped by what it says, with what that means; and no log is too odd to be read."""

import json
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures import fixture
from jmeter.recorded import START_MS, Recorded, recorded_in, sample
from perfsuite.errors import BadInput, NotFound, NotReady
from perfsuite_jmeter.core.jmeter_log import summarise_log
from perfsuite_jmeter.models.live import LogAnalysis, LogGroup
from perfsuite_jmeter.service.collecting import collect_results
from perfsuite_jmeter.service.logs import analyze_log

RUNNING = f"2026-11-21 03:59:10,000 INFO o.a.j.JMeter: Running test ({START_MS})\n"
REFUSED = """\
2026-11-21 03:59:{second:02d},250 ERROR o.a.j.p.h.s.HTTPJavaImpl: readResponse: order {number} from 10.0.0.{second}:8080
java.lang.IllegalStateException: wrapped
\tat org.apache.jmeter.protocol.http.Sampler.sample(Sampler.java:{number})
Caused by: java.net.ConnectException: Connection refused (Connection refused)
\tat java.net.PlainSocketImpl.socketConnect(Native Method) ~[?:?]
\tat java.net.Socket.connect(Socket.java:{number}) ~[?:?]
\tat java.net.Socket.connect(Socket.java:538) ~[?:?]
\tat sun.net.NetworkClient.doConnect(NetworkClient.java:180) ~[?:?]
\t... 12 more
"""


@pytest.fixture
def recorded(tmp_path: Path) -> Recorded:
    return recorded_in(tmp_path).begin()


def analyzed(recorded: Recorded, content: str | bytes, **more: Any) -> LogAnalysis:
    recorded.put("jmeter.log", content)
    return analyze_log(recorded.runs, "r1", **more)


def only(found: LogAnalysis) -> LogGroup:
    [group] = found.groups
    return group


def error(message: str, *, at: str = "03:59:12,000", level: str = "ERROR") -> str:
    return f"2026-11-21 {at} {level} o.a.j.t.JMeterThread: {message}\n"


def test_entries_with_one_cause_are_one_group(recorded: Recorded) -> None:
    recorded.add(sample(timeStamp=START_MS + 1_000))
    content = RUNNING + "".join(REFUSED.format(second=second, number=second * 7) for second in (12, 15, 40))
    found = analyzed(recorded, content)
    group = only(found)
    assert (group.level, group.logger, group.count) == ("ERROR", "o.a.j.p.h.s.HTTPJavaImpl", 3)
    assert group.message == "readResponse: order <n> from <ip>"
    assert group.root_cause == "java.net.ConnectException"
    assert group.frames == [
        "java.net.PlainSocketImpl.socketConnect", "java.net.Socket.connect", "java.net.Socket.connect"
    ]  # fmt: skip
    assert (group.first_seen, group.last_seen) == ("2026-11-21T03:59:12.250Z", "2026-11-21T03:59:40.250Z")
    assert group.onset_s == 1.25
    assert group.meaning is not None
    assert group.meaning.startswith("Nothing took connections")
    assert found.next_step == group.next_step
    assert (found.entries, found.by_level) == (4, {"ERROR": 3, "INFO": 1})
    assert found.file == "jmeter/jmeter.log"


def test_the_same_words_from_another_place_are_another_group(recorded: Recorded) -> None:
    entry = error("failed") + "java.lang.{0}Exception: no\n\tat a.B.{0}(B.java:1)\n"
    found = analyzed(recorded, entry.format("IO") + entry.format("Other") + error("failed"))
    assert {one.root_cause for one in found.groups} == {"java.lang.IOException", "java.lang.OtherException", None}


def test_the_serious_comes_first_and_then_the_frequent(recorded: Recorded) -> None:
    content = error("a", level="WARN") * 9 + error("b") + error("c") * 2 + error("d", level="FATAL")
    assert [one.message for one in analyzed(recorded, content).groups] == ["d", "c", "b", "a"]


def test_a_real_log_of_a_good_run_has_nothing_to_show(recorded: Recorded) -> None:
    found = analyzed(recorded, fixture("jmx/jmeter55.log.sample").read_bytes())
    assert (found.groups, found.by_level) == ([], {"INFO": 60})
    assert "No entry is a warning or an error." in found.notes
    assert "console.log" in found.next_step


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (error("Test failed!") + "java.lang.OutOfMemoryError: Java heap space\n", "ran out of memory"),
        (error("x java.lang.OutOfMemoryError: GC overhead limit exceeded"), "garbage collections"),
        (error("java.lang.OutOfMemoryError: Metaspace"), "room for classes"),
        (error("java.lang.OutOfMemoryError: unable to create native thread"), "no further thread"),
        (error("Uncaught Exception in thread Thread[Users 1-7,5,main]"), "nobody handled"),
        (error("x") + "org.apache.http.NoHttpResponseException: shop:80 failed to respond\n", "about to use again"),
        (error("java.net.SocketTimeoutException: Read timed out"), "did not answer in time"),
        (error("x") + "java.net.SocketTimeoutException: connect timed out\n", "No connection was made in time"),
        (error("java.net.UnknownHostException: shop.invalid"), "name of a host"),
        (error("java.net.SocketException: Connection reset"), "cut connections"),
        (error("javax.net.ssl.SSLHandshakeException: PKIX path building failed"), "secure connection"),
        (error("java.net.BindException: Cannot assign requested address"), "no free port"),
        (error("java.io.IOException: No space left on device"), "disk is full"),
        (error("java.net.SocketException: Too many open files"), "further connections or files"),
        (error("Failed to configure 10.0.0.9:1099"), "remote engine"),
        (error("Error in rconfigure() method java.rmi.ConnectException: Connection refused to host"), "remote engine"),
        (error("x") + "java.io.FileNotFoundException: rmi_keystore.jks (No such file or directory)\n", "certificates"),
        (error("Test failed!") + "java.lang.IllegalArgumentException: File users.csv must exist and be readable\n",
         "file that the plan reads"),
        (error("Could not load com.thoughtworks.xstream.mapper.CannotResolveClassException: kg.apc.X"), "plug-in"),
        (error("Error in NonGUIDriver java.lang.IllegalArgumentException: Problem loading XML"), "gave up"),
        (error("Problem in JSR223 script, JSR223 Sampler"), "script of the plan"),
        (error("Error sending data to InfluxDB, InfluxdbBackendListenerClient"), "Live metrics"),
        (error("Command: Shutdown received from /127.0.0.1", level="INFO"), "Somebody asked the test to stop"),
        (error("Stop Test detected by thread: Users 1-1", level="INFO"), "The plan itself ended"),
        (error("No enabled thread groups found", level="INFO"), "nothing was tested"),
    ],
)  # fmt: skip
def test_known_lines_come_with_what_they_mean(recorded: Recorded, line: str, words: str) -> None:
    group = only(analyzed(recorded, line))
    assert group.meaning is not None
    assert words in group.meaning
    assert group.next_step


@pytest.mark.parametrize("message", ["Remote engines have been started:[h1]", "Shutdown hook", "Waiting for CSV"])
def test_what_is_said_as_a_matter_of_course_is_no_failure(recorded: Recorded, message: str) -> None:
    assert not analyzed(recorded, error(message, level="INFO")).groups


def test_an_unknown_failure_is_shown_without_a_meaning(recorded: Recorded) -> None:
    found = analyzed(recorded, error("the flux capacitor"))
    assert (only(found).meaning, only(found).next_step) == (None, None)
    assert "`query_samples`" in found.next_step


def test_the_clock_of_the_log_is_told_by_the_line_that_knows_both(recorded: Recorded) -> None:
    recorded.add(sample())
    ahead = RUNNING.replace("03:59:10", "09:29:10") + error("boom", at="09:29:14,000")
    group = only(analyzed(recorded, ahead))
    assert (group.first_seen, group.onset_s) == ("2026-11-21T03:59:14.000Z", 4.0)


def test_a_log_that_does_not_tell_its_zone_is_of_this_machine(recorded: Recorded) -> None:
    found = analyzed(recorded, error("boom", at="03:59:14,000"))
    local = datetime(2026, 11, 21, 3, 59, 14).astimezone().astimezone(UTC)
    assert only(found).first_seen == local.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert any("does not tell its time zone" in note for note in found.notes)


def test_the_onset_counts_from_the_first_sample_that_was_collected(recorded: Recorded) -> None:
    recorded.add(sample(timeStamp=START_MS + 5_000), sample(timeStamp=START_MS + 2_000)).end()
    content = RUNNING + error("boom", at="03:59:11,000")
    assert only(analyzed(recorded, content)).onset_s == -4.0
    collect_results(recorded.runs, "r1")
    assert only(analyzed(recorded, content)).onset_s == -1.0


@pytest.mark.parametrize(
    "rows", ["", "timeStamp,elapsed", "no,header\n1,2\n", "timeStamp,elapsed,label,success\nx,1\n"]
)
def test_without_a_first_sample_there_is_no_onset(recorded: Recorded, rows: str) -> None:
    recorded.results.write_text(rows, encoding="utf-8")
    found = analyzed(recorded, error("boom"))
    assert only(found).onset_s is None
    assert any("no sample to measure" in note for note in found.notes)


def test_another_log_of_the_run_can_be_named(recorded: Recorded) -> None:
    earlier = recorded.run.root / "jmeter" / "attempts" / "1" / "jmeter.log"
    earlier.parent.mkdir(parents=True)
    earlier.write_text(error("boom"), encoding="utf-8")
    recorded.add(sample()).put("jmeter.log", "")
    found = analyze_log(recorded.runs, "r1", file="jmeter/attempts/1/jmeter.log")
    assert (found.file, only(found).onset_s) == ("jmeter/attempts/1/jmeter.log", None)


@pytest.mark.parametrize("file", ["../other/jmeter.log", "/etc/passwd", "jmeter", "jmeter/../../x", ".locks/run.lock"])
def test_nothing_outside_the_run_is_read(recorded: Recorded, file: str) -> None:
    with pytest.raises(BadInput):
        analyze_log(recorded.runs, "r1", file=file)


def test_what_is_not_there_is_said(recorded: Recorded) -> None:
    with pytest.raises(NotReady, match=r"no 'jmeter/jmeter\.log'"):
        analyze_log(recorded.runs, "r1")
    with pytest.raises(NotFound):
        analyze_log(recorded.runs, "r2")


def test_an_empty_log_says_why_it_may_be(recorded: Recorded) -> None:
    found = analyzed(recorded, "")
    assert (found.entries, found.total, found.groups) == (0, 0, [])
    assert any("empty" in note for note in found.notes)


def test_lines_without_times_are_grouped_as_they_stand(recorded: Recorded) -> None:
    found = analyzed(recorded, "order 1 failed\n\norder 2 failed\r\n   \nException in thread main\n")
    assert [(one.level, one.message, one.count, one.first_seen) for one in found.groups] == [
        ("TEXT", "order <n> failed", 2, None),
        ("TEXT", "Exception in thread main", 1, None),
    ]
    assert "TEXT are lines without time and level." in found.notes


def test_colours_and_other_layouts_are_read(recorded: Recorded) -> None:
    content = (
        "\x1b[1m2026-11-21 03:59:12,000\x1b[0m \x1b[31mERROR\x1b[0m o.a.j.Coloured: no\n"
        "2026-11-21T03:59:12.000123 [WARN] [Users 1-1] o.a.j.Bracketed: no\n"
        "2026-11-21 03:59:12,000 NOISE o.a.j.Other: no\n"
        "2026-99-99 03:59:12,000 ERROR o.a.j.NoDay: no\n"
    )
    assert {(one.level, one.logger) for one in analyzed(recorded, content).groups} == {
        ("ERROR", "o.a.j.Coloured"), ("WARN", "o.a.j.Bracketed"), ("TEXT", "o.a.j.Other"), ("TEXT", "")
    }  # fmt: skip


def test_a_binary_file_is_read_without_harm(recorded: Recorded) -> None:
    found = analyzed(recorded, bytes(range(256)) * 4_000)
    assert json.loads(found.model_dump_json())["size_bytes"] == 1_024_000


def test_a_line_of_a_hundred_megabytes_takes_no_memory(recorded: Recorded) -> None:
    path = recorded.run.root / "jmeter" / "jmeter.log"
    with path.open("wb") as file:
        file.write(error("boom").encode())
        for _ in range(100):
            file.write(b"x" * 1_000_000)
        file.write(b"\n" + error("boom").encode())
    tracemalloc.start()
    try:
        found = analyze_log(recorded.runs, "r1")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert only(found).count == 2
    assert peak < 10_000_000


def test_a_stack_without_end_is_cut(recorded: Recorded) -> None:
    found = analyzed(recorded, error("boom") + "\tat a.B.c(B.java:1)\n" * 50_000 + "Caused by: x.Y: late\n")
    assert (only(found).root_cause, only(found).frames) == (None, ["a.B.c"] * 3)


def test_messages_beyond_the_most_are_counted_together(recorded: Recorded) -> None:
    words = ["".join(chr(97 + n // 26**place % 26) for place in range(3)) for n in range(800)]
    found = analyzed(recorded, "".join(error(f"failed {word}") for word in words), limit=200)
    assert found.total == 501
    assert found.groups[0].message == "(other messages)"
    assert (found.groups[0].count, found.groups[0].logger) == (300, "")
    assert any("more than 500" in note for note in found.notes)


def test_the_groups_come_in_pages_of_a_short_answer(recorded: Recorded) -> None:
    words = ["".join(chr(97 + n // 26**place % 26) for place in range(3)) for n in range(90)]
    content = "".join(error(f"failed {word} {'ä<' * 400}") for word in words)
    seen: list[str] = []
    start: int | None = 0
    while start is not None:
        found = analyzed(recorded, content, start=start, limit=50)
        assert len(found.model_dump_json()) < 10_000
        seen += [one.message for one in found.groups]
        start = found.next_start
    assert len(seen) == len(set(seen)) == found.total == 90


@given(st.lists(st.text(max_size=60), max_size=30))
def test_no_text_breaks_it(lines: list[str]) -> None:
    found = summarise_log(lines)
    assert found.entries == found.by_level.total()
    assert sum(one.count for one in found.groups) + found.left_out == found.entries
