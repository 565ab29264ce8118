"""The totals that JMeter prints are found in whatever form a JVM writes them."""

import pytest

from fixtures import fixture
from perfsuite_jmeter.core.summariser import SummaryTotal, last_total

LINE = "summary =    526 in 00:00:08 =   63.4/s Avg:     6 Min:     5 Max:    86 Err:    60 (11.41%)"


@pytest.mark.parametrize(
    ("name", "samples", "errors"),
    [("summariser_stdout_jmeter55.txt", 724, 84), ("summariser_distributed_stdout.txt", 526, 60)],
)
def test_the_last_total_of_a_real_console_counts(name: str, samples: int, errors: int) -> None:
    lines = fixture(f"jmx/{name}").read_text(encoding="utf-8").splitlines(keepends=True)
    assert last_total(lines) == SummaryTotal(samples, errors)


@pytest.mark.parametrize(
    "line",
    [
        LINE,
        f"{LINE}\r\n",
        f"2026-11-21 03:59:24,313 INFO o.a.j.r.Summariser: {LINE}\n",
        LINE.replace("63.4", "63,4").replace("11.41%", "11,41%"),
        LINE.replace("63.4", "1\u202f063,4").replace("11.41%", "11,41\u00a0%"),
        LINE.replace("63.4", "1.063,4"),
        LINE.replace("00:00:08", "8.3s"),
        LINE.replace("  63.4", "******"),
        LINE.replace("00:00:08", "120:00:08"),
    ],
)
def test_locales_and_versions_write_the_same_total(line: str) -> None:
    assert last_total([line]) == SummaryTotal(526, 60)


def test_a_run_without_samples_has_a_total_of_none() -> None:
    line = (
        "summary =      0 in 00:00:00 = ******/s Avg:     0 Min: 9223372036854775807 "
        "Max: -9223372036854775808 Err:     0 (0.00%)"
    )
    assert last_total([line]) == SummaryTotal(0, 0)


@pytest.mark.parametrize(
    "line",
    [
        "",
        LINE.replace(" =    526", " +    526"),
        LINE[:-30],
        LINE.replace("526", "many"),
        LINE.replace("526", "5" * 30),
        "Avg: Err: " * 20_000,
    ],
)
def test_other_lines_are_no_total(line: str) -> None:
    assert last_total([line]) is None


def test_a_summariser_of_the_plan_does_not_hide_ours() -> None:
    other = LINE.replace("summary", "Generate Summary Results").replace("526", "9")
    assert last_total([LINE, other]) == SummaryTotal(526, 60)
    assert last_total([other]) == SummaryTotal(9, 60)
