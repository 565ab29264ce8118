"""`perfsuite stats`."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import jtl
from perfsuite import errors
from perfsuite.cli import exits
from perfsuite.settings import remember_secret

COMMAND = (sys.executable, "-c", "from perfsuite.cli import main; main()")
KEYS = [
    "label", "kind", "samples", "errors", "error_rate", "mean_ms", "min_ms", "max_ms", "p50_ms", "p90_ms", "p95_ms",
    "p99_ms", "stdev_ms", "throughput_per_s", "received_kb_per_s", "sent_kb_per_s", "apdex",
]  # fmt: skip
TRANSACTION = "Number of samples in transaction : 1, number of failing samples : 0"
ROWS = [
    jtl.sample(label="Buy", elapsed=100, responseMessage=TRANSACTION),
    jtl.sample(label="Cart", elapsed=60),
    *jtl.samples(10, 20, 30, label="Home", threadName="Users 1-2"),
    jtl.sample(label="Slow", elapsed=2_000, success="false", threadName="Users 1-3"),
]


def parsed(text: str) -> Any:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


def test_json_has_the_keys_that_are_promised(command: Any, tmp_path: Path) -> None:
    file = jtl.put(tmp_path, jtl.text([*ROWS, jtl.sample(elapsed="x")]))
    done = command("stats", file, "--json")
    assert (done.code, done.err) == (0, "")
    found = parsed(done.out)
    promised = {"file", "format", "dialect", "rows_read", "rows_rejected", "warnings", "window", "percentile_method"}
    assert promised | {"labels", "total"} <= found.keys()
    assert (found["file"], found["format"], found["rows_read"], found["rows_rejected"]) == (
        "results.jtl",
        "jtl-csv",
        6,
        1,
    )
    assert found["window"] == {
        "start": "2023-11-14T22:13:20.000Z",
        "end": "2023-11-14T22:13:22.030Z",
        "seconds": 2.03,
    }
    assert found["percentile_method"] == "linear"
    assert [list(label) for label in found["labels"]] == [KEYS] * 4
    assert list(found["total"]) == KEYS
    assert (found["total"]["samples"], found["total"]["errors"]) == (4, 1)
    assert found["rejected"] == [{"file": "results.jtl", "line": 8, "reason": "elapsed is 'x', which is not a number"}]


def test_the_table_has_the_kinds_apart_and_the_total_last(command: Any, tmp_path: Path) -> None:
    done = command("stats", jtl.put(tmp_path, jtl.text(ROWS)))
    assert (done.code, done.err) == (0, "")
    lines = [line.split("  ")[0].strip() for line in done.out.splitlines()]
    order = ["label", "Home", "Slow", "transactions", "Buy", "parts of samples", "Cart", "", "TOTAL"]
    assert lines[1 : 1 + len(order)] == order
    assert "Percentiles: linear. Total: samplers only" in done.out
    assert "5 users" in done.out


@pytest.mark.parametrize(
    ("sort", "first"),
    [("label", "Home"), ("samples", "Home"), ("errors", "Slow"), ("mean", "Slow"), ("slowest", "Slow")],
)
def test_the_labels_stand_in_the_order_that_is_asked_for(command: Any, tmp_path: Path, sort: str, first: str) -> None:
    done = command("stats", jtl.put(tmp_path, jtl.text(ROWS)), "--sort", sort)
    assert done.out.splitlines()[2].startswith(first)


def test_a_long_table_is_cut_and_says_so(command: Any, tmp_path: Path) -> None:
    file = jtl.put(tmp_path, jtl.text([jtl.sample(label=f"L{i:03}") for i in range(150)]))
    done = command("stats", file)
    assert "L099" in done.out
    assert "L100" not in done.out
    assert "100 of 150 labels are shown; --json has them all." in done.out
    assert "L149" in command("stats", file, "--limit", 150).out
    assert command("stats", file, "--limit", 0).code == exits.USAGE


def test_a_narrow_terminal_gets_a_narrow_table(command: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = jtl.put(tmp_path, jtl.text(ROWS))
    assert " min " in command("stats", file).out
    monkeypatch.setenv("COLUMNS", "80")
    narrow = command("stats", file).out
    assert " min " not in narrow
    assert max(map(len, narrow.splitlines()[1:10])) <= 80


def test_warnings_and_rejected_rows_go_to_standard_error(command: Any, tmp_path: Path) -> None:
    rows = [*ROWS, *(jtl.sample(elapsed=f"x{i}") for i in range(9))]
    good, bad = jtl.put(tmp_path, jtl.text(ROWS), "good"), jtl.put(tmp_path, jtl.text(rows).rstrip("\n"), "bad")
    done = command("stats", bad)
    assert done.code == 0
    assert "warning 9 rows were rejected:" in done.err
    assert done.err.count("line ") == 5
    assert "warning line 8: elapsed is 'x0', which is not a number" in done.err
    assert "warning bad, line 8: " in command("stats", good, bad).err


def test_labels_from_outside_cannot_forge_the_table(command: Any, tmp_path: Path) -> None:
    labels = ["[red]x[/red]", "a\nTOTAL  1", "\x1b[2Jgone", "\u202etxt.exe", "x" * 5_000]
    done = command("stats", jtl.put(tmp_path, jtl.text([jtl.sample(label=label) for label in labels])))
    assert "[red]x[/red]" in done.out
    assert sum(line.startswith("TOTAL") for line in done.out.splitlines()) == 1
    assert "\x1b" not in done.out
    assert "\u202e" not in done.out
    assert "x" * 500 not in done.out.replace("\n", "")


def test_percentiles_method_and_apdex_are_as_asked(command: Any, tmp_path: Path) -> None:
    file = jtl.put(tmp_path, jtl.text(jtl.samples(*range(1, 11))))
    options = ("--percentiles", "95,99.9,95", "--percentile-method", "nearest-rank", "--apdex", "5,8", "--json")
    found = parsed(command("stats", file, *options).out)
    assert found["percentile_method"] == "nearest-rank"
    total = found["total"]
    assert (total["p95_ms"], total["p99.9_ms"], total["apdex"]) == (10, 10, 0.65)
    assert "p50_ms" not in total


def test_compatibility_with_the_dashboard_names_its_own_method(command: Any, tmp_path: Path) -> None:
    file = jtl.put(tmp_path, jtl.text(ROWS))
    found = parsed(command("stats", file, "--compat", "jmeter-dashboard", "--json").out)
    assert (found["percentile_method"], found["total"]["samples"]) == ("jmeter-dashboard", 5)
    assert found["counting"].startswith("as JMeter's dashboard")


def test_what_the_file_does_not_say_can_be_said(command: Any, tmp_path: Path) -> None:
    rows = jtl.text([jtl.sample(timeStamp="2026-07-01 12:00:00.000")]).splitlines()[1:]
    file = jtl.put(tmp_path, "\n".join(rows) + "\n")
    options = ("--columns", jtl.HEADER.replace(",", ", "), "--timezone", "Asia/Tokyo", "--timestamp", "end", "--json")
    found = parsed(command("stats", file, *options).out)
    assert found["window"]["end"] == "2026-07-01T03:00:00.000Z"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--percentiles", "50,x"), "The percentiles '50,x' are not numbers from 0 to 100."),
        (("--percentiles", ""), "are not numbers from 0 to 100"),
        (("--percentiles", "nan"), "are not numbers from 0 to 100"),
        (("--percentiles", "101"), "are not numbers from 0 to 100"),
        (
            ("--percentile-method", "median"),
            "There is no percentile method 'median'. Choose one of linear, nearest-rank",
        ),
        (("--apdex", "500"), "The APDEX limits '500' are not two numbers."),
        (("--apdex", "500,inf"), "The APDEX limits are 500.0 and inf ms."),
        (("--timezone", "Mars/Olympus"), "The time zone 'Mars/Olympus' is not known."),
    ],
)
def test_an_option_that_makes_no_sense_is_wrong_usage(
    command: Any, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = command("stats", jtl.put(tmp_path, jtl.text(ROWS)), *arguments, "--json")
    assert done.code == exits.USAGE
    error = parsed(done.out)["error"]
    assert said in f"{error['message']} {error['next_step']}"


def test_errors_say_what_happened_and_what_to_do(command: Any, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    done = command("stats", "empty")
    assert (done.code, done.out) == (3, "")
    assert done.err.splitlines()[0] == "error 'empty' is empty."
    assert done.err.splitlines()[1].startswith("  → Check that the test wrote samples")


def test_errors_are_json_where_json_was_asked_for(command: Any) -> None:
    done = command("stats", "missing", "--json")
    assert (done.code, done.err) == (4, "")
    error = parsed(done.out)["error"]
    assert (error["code"], error["message"]) == ("not_found", "There is no file 'missing'.")
    assert error["next_step"]


def test_hostile_file_names_are_shown_on_one_line(command: Any) -> None:
    done = command("stats", "a\n\x1b[31m" + "b" * 3_000)
    assert done.code == 3
    assert "\x1b" not in done.err
    assert len(done.err) < 2_500
    assert len(done.err.splitlines()) == 2


def test_a_secret_is_in_no_output(command: Any, tmp_path: Path) -> None:
    remember_secret("canary-9f3e")
    rows = [jtl.sample(label="GET /?key=canary-9f3e"), jtl.sample(elapsed="canary-9f3e")]
    file = jtl.put(tmp_path, jtl.text(rows), "canary-9f3e.jtl")
    for arguments in (("stats", file, "--json"), ("stats", file), ("stats", "canary-9f3e"), ("runs", "--json")):
        done = command(*arguments)
        assert "canary-9f3e" not in done.out + done.err
    assert "[redacted]" in command("stats", file, "--json").out


def test_help_names_every_exit_code(command: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "2000")
    done = command("--help")
    assert done.code == 0
    for code, meaning in exits.MEANINGS.items():
        assert f"{code} {meaning}" in done.out


def test_the_version_is_the_packages(command: Any) -> None:
    assert command("--version").out.startswith("perfsuite 0.")


def test_every_kind_of_error_has_an_exit_code_with_a_meaning() -> None:
    kinds: list[type[errors.PerfsuiteError]] = [errors.PerfsuiteError]
    for kind in kinds:
        kinds.extend(kind.__subclasses__())
    codes = {kind.__name__: exits.exit_code(kind("It happened.", next_step="Do it.")) for kind in kinds}
    assert set(codes.values()) <= exits.MEANINGS.keys()
    assert (codes["BadFile"], codes["BadRunId"], codes["NotReady"], codes["StorageFailed"]) == (3, 2, 4, 6)
    assert codes["PerfsuiteError"] == exits.INTERNAL
    assert codes["Unreachable"] == 7


def test_a_reader_that_leaves_early_is_no_failure(tmp_path: Path) -> None:
    file = jtl.put(tmp_path, jtl.text([jtl.sample(label=f"{i} {'x' * 90}") for i in range(3_000)]))
    for arguments in (("--limit", "3000"), ("--json",)):
        with subprocess.Popen(
            [*COMMAND, "stats", file, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            assert process.stdout
            assert process.stderr
            process.stdout.read(10)
            process.stdout.close()
            assert process.stderr.read() == b""
        assert process.returncode == exits.DONE


def test_a_terminal_without_unicode_gets_what_it_can_show(tmp_path: Path) -> None:
    file = jtl.put(tmp_path, jtl.text([jtl.sample(label="Größe")]))
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    table = subprocess.run([*COMMAND, "stats", file], env=environment, capture_output=True, text=True, check=True)
    assert "Gr??e" in table.stdout
    as_json = subprocess.run(
        [*COMMAND, "stats", file, "--json"], env=environment, capture_output=True, text=True, check=True
    )
    assert parsed(as_json.stdout)["labels"][0]["label"] == "Größe"


def test_a_file_name_that_is_no_utf8_can_be_shown(tmp_path: Path) -> None:
    file = jtl.put(tmp_path, jtl.text(ROWS), b"\xff.jtl".decode("utf-8", "surrogateescape"))
    for arguments in (("--json",), ()):
        done = subprocess.run([*COMMAND, "stats", file, *arguments], capture_output=True)
        assert (done.returncode, done.stderr) == (0, b"")
    missing = subprocess.run([*COMMAND, "stats", b"\xfe", "--json"], capture_output=True)
    assert missing.returncode == 4
    assert parsed(missing.stdout.decode())["error"]["code"] == "not_found"


PROGRESS = """
import time
from perfsuite.cli import output
with output.progress_bar() as report:
    end = time.monotonic() + 1.3
    while time.monotonic() < end:
        report("reading results", 0.5)
"""


def test_progress_is_silent_where_nobody_watches() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRESS], capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"", b"")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_progress_is_shown_on_a_terminal_after_a_second() -> None:
    watching, terminal = os.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-c", PROGRESS],
            stdout=subprocess.PIPE,
            stderr=terminal,
            check=True,
            env=os.environ | {"TERM": "xterm"},
        )
        assert done.stdout == b""
        assert b"reading results" in os.read(watching, 100_000)
    finally:
        os.close(terminal)
        os.close(watching)


def test_a_narrow_screen_gets_fewer_columns_and_never_a_cut_number(
    command: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = jtl.put(tmp_path, jtl.text(jtl.samples(*range(1_000, 90_000, 1_000))))
    monkeypatch.setenv("COLUMNS", "60")
    done = command("stats", file)
    assert "…" not in done.out
    assert "45,000" in done.out
    assert "Left out for want of width: min, apdex" in done.out


def test_wrong_usage_is_json_where_json_was_asked_for(command: Any, tmp_path: Path) -> None:
    done = command("stats", jtl.put(tmp_path, jtl.text(jtl.samples(10))), "--sort", "size", "--json")
    assert done.code == 2
    error = json.loads(done.out)["error"]
    assert error["code"] == "bad_input"
    assert error["message"].startswith("Invalid value for '--sort': 'size' is not one of")
