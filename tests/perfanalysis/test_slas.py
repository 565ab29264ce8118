"""slas.yaml: which limit holds for a label, what was measured, and how sure that is."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfsuite.errors import BadFile, NotFound
from perfsuite_perfanalysis.core.sla_rules import Rules, best_override, fits
from perfsuite_perfanalysis.models.slas import FILE, Override, SlaFile
from perfsuite_perfanalysis.service.digests import results_digest
from perfsuite_perfanalysis.service.results import TOOL
from perfsuite_perfanalysis.service.standing import analysis_status

from . import synthetic
from .analysing import again, analysed, check, kinds, runs_in, slas_of, whole
from .conftest import jtl_row

ONE_PROFILE = """
version: 1
default_sla: {response_time_sla_ms: 1000, percentile: P95, error_rate_threshold: 5}
slas:
  - id: shop
    description: the shop in November
    default_sla: {response_time_sla_ms: 800, percentile: P90}
    api_overrides:
      - {pattern: "GET *", response_time_sla_ms: 500, reason: reading is quick}
      - {pattern: "GET /cart", response_time_sla_ms: 300, percentile: p99}
      - {pattern: "GET /c?rt", error_rate_threshold: 0.1}
      - {pattern: "PATCH *", response_time_sla_ms: 1}
"""


def rows(n: int = 300, elapsed: int = 100, label: str = "GET /cart", errors: int = 0) -> list[dict[str, Any]]:
    return [jtl_row(i, elapsed, label, success=i >= errors) for i in range(n)]


def rules(text: str, folder: Path) -> Rules:
    file = slas_of(folder, text).value
    return Rules(file, file.slas[0] if file.slas else None)


def test_the_most_specific_pattern_wins_and_what_it_does_not_say_comes_from_the_profile_then_the_file(
    tmp_path: Path,
) -> None:
    found = rules(ONE_PROFILE, tmp_path)
    cart, search, order = (found.for_label(name) for name in ("GET /cart", "GET /search", "POST /order"))
    assert cart.response_ms is not None
    assert (cart.response_ms.value, cart.percentile) == (300, 99)
    assert cart.response_ms.rule == "override 'GET /cart' of profile 'shop'"
    assert search.response_ms is not None
    assert (search.response_ms.value, search.percentile, search.response_ms.reason) == (500, 90, "reading is quick")
    assert order.response_ms is not None
    assert (order.response_ms.value, order.response_ms.rule) == (800, "the default of profile 'shop'")
    assert order.error_pct is not None
    assert (order.error_pct.value, order.error_pct.rule) == (5, "the default of slas.yaml")


def test_of_equally_specific_patterns_the_first_in_the_file_wins() -> None:
    overrides = [Override(pattern="GET /a*"), Override(pattern="*GET /a"), Override(pattern="GET /a?")]
    assert best_override(overrides, "GET /a") is overrides[0]
    assert best_override(overrides, "GET /ab") is overrides[0]
    assert best_override(overrides, "POST /") is None


@pytest.mark.parametrize(
    ("pattern", "text", "does"),
    [
        ("*", "", True), ("?", "", False), ("a*c", "abbbc", True), ("a*c", "abbb", False), ("[a]", "a", False),
        ("[a]", "[a]", True), ("GET *", "get /", False), ("*\n*", "a\nb", True), ("a?c", "a\nc", True), ("", "", True),
    ],
)  # fmt: skip
def test_patterns_know_two_wildcards_and_nothing_else(pattern: str, text: str, does: bool) -> None:
    assert fits(pattern, text) is does


@given(st.text("ab*?", max_size=8), st.text("ab", max_size=8))
def test_patterns_agree_with_regular_expressions(pattern: str, text: str) -> None:
    import re

    regex = "".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in pattern)
    assert fits(pattern, text) is bool(re.fullmatch(regex, text, re.DOTALL))


def test_a_pattern_made_to_be_slow_is_not() -> None:
    assert not fits("*a" * 200 + "b", "a" * 20_000)


def test_limits_that_are_kept_pass_with_margin_and_interval(tmp_path: Path) -> None:
    found = analysed(tmp_path, synthetic.steady(), slas="default_sla: {response_time_sla_ms: 1000, percentile: P95}")
    assert found.sla is not None
    assert found.sla.verdict == "pass"
    one = check(found, "GET /cart", "p95_ms")
    assert one.margin == pytest.approx(1 - (one.actual or 0) / 1000)
    assert one.low is not None
    assert one.high is not None
    assert one.low <= (one.actual or 0) <= one.high < 1000
    assert "sla" not in kinds(found)


def test_a_limit_that_is_broken_fails(tmp_path: Path) -> None:
    found = analysed(tmp_path, synthetic.steady(), slas="default_sla: {response_time_sla_ms: 150, percentile: P95}")
    one = check(found, "GET /cart", "p95_ms")
    assert one.verdict == "fail"
    assert (one.margin or 0) < 0
    assert one.id in [finding.id for finding in found.findings]


def test_a_limit_within_the_interval_is_a_warning(tmp_path: Path) -> None:
    found = analysed(tmp_path, synthetic.steady())
    exact = next(one for one in found.labels if one.label == "GET /cart").steady
    assert exact is not None
    limit = (exact.percentiles_ms["p95_ms"] or 0) + 1
    judged = again(tmp_path, slas=f"default_sla: {{response_time_sla_ms: {limit}}}")
    assert check(judged, "GET /cart", "p95_ms").verdict == "warn"


def test_a_hundred_percent_errors_are_not_compliant(tmp_path: Path) -> None:
    found = analysed(tmp_path, rows(errors=300), slas="default_sla: {error_rate_threshold: 1}")
    one = check(found, "GET /cart", "error_rate_pct")
    assert (one.verdict, one.actual) == ("fail", 100)
    assert found.sla is not None
    assert found.sla.verdict == "fail"


def test_no_error_among_few_samples_proves_little(tmp_path: Path) -> None:
    found = analysed(tmp_path, rows(40), slas="default_sla: {error_rate_threshold: 1}")
    one = check(found, "GET /cart", "error_rate_pct")
    assert one.verdict == "warn"
    assert (one.high or 0) > 1


def test_errors_that_come_in_a_burst_widen_the_interval(tmp_path: Path) -> None:
    slas = "default_sla: {error_rate_threshold: 5}"
    burst = analysed(tmp_path, [jtl_row(i, 100, "A", success=not 300 <= i < 330) for i in range(900)], slas=slas)
    spread = analysed(tmp_path, [jtl_row(i, 100, "A", success=i % 30 > 0) for i in range(900)], run_id="b", slas=slas)
    wide, narrow = (check(one, "A", "error_rate_pct") for one in (burst, spread))
    assert wide.actual == narrow.actual
    assert (wide.high or 0) > 1.3 * (narrow.high or 0)


def test_throughput_is_enforced(tmp_path: Path) -> None:
    found = analysed(tmp_path, synthetic.steady(), slas="default_sla: {min_throughput: 100}")
    one = check(found, "ALL", "throughput_per_s")
    assert one.verdict == "fail"
    assert one.actual == pytest.approx(11.9, abs=0.3)
    assert again(tmp_path, slas="default_sla: {min_throughput: 5}").sla.verdict == "pass"  # type: ignore[union-attr]


def test_too_few_samples_for_a_percentile_are_not_evaluated(tmp_path: Path) -> None:
    found = analysed(tmp_path, rows(150), slas="default_sla: {response_time_sla_ms: 500, percentile: P99}")
    one = check(found, "GET /cart", "p99_ms")
    assert one.verdict == "not_evaluated"
    assert "1000 are needed" in one.reason
    assert one.actual is None
    assert found.sla is not None
    assert found.sla.verdict == "not_evaluated"


@pytest.mark.parametrize("n", [1, 5, 29])
def test_of_a_few_samples_no_limit_is_judged_and_nothing_is_called_a_rate(tmp_path: Path, n: int) -> None:
    slas = "default_sla: {response_time_sla_ms: 50, error_rate_threshold: 1, min_throughput: 100}"
    found = analysed(tmp_path, rows(n), slas=slas)
    assert found.sla is not None
    assert {one.metric: one.verdict for one in found.sla.checks} == dict.fromkeys(
        ("p95_ms", "error_rate_pct", "throughput_per_s"), "not_evaluated"
    )
    assert found.sla.verdict == "not_evaluated"
    assert (whole(found).throughput_per_s is None) == (found.peak is None) == (n < 10)


def test_limits_that_were_not_judged_are_named_in_the_answer(tmp_path: Path) -> None:
    slas = "default_sla: {response_time_sla_ms: 500, error_rate_threshold: 5}"
    few = [row for name in "abcdef" for row in rows(20, label=f"GET /{name}")]
    answer = results_digest(analysed(tmp_path, [*rows(), *few], slas=slas))
    named = str(answer.summary["sla_not_evaluated"])
    assert named.startswith("p95_ms of GET /a, error_rate_pct of GET /a, p95_ms of GET /b")
    assert named.endswith("and 7 more")


def test_a_window_too_short_for_an_interval_is_not_said_to_have_one(tmp_path: Path) -> None:
    one = check(analysed(tmp_path, rows(60), slas="default_sla: {min_throughput: 100}"), "ALL", "throughput_per_s")
    assert (one.verdict, one.low, one.high) == ("fail", None, None)
    assert "too short for an interval" in one.reason


def test_times_of_failures_are_no_pass_without_a_remark(tmp_path: Path) -> None:
    slas = "default_sla: {response_time_sla_ms: 500}"
    one = check(analysed(tmp_path, rows(errors=300), slas=slas), "GET /cart", "p95_ms")
    assert one.verdict == "warn"
    assert "100% of these samples failed" in one.reason
    few = check(analysed(tmp_path, rows(errors=30), run_id="b", slas=slas), "GET /cart", "p95_ms")
    assert few.verdict == "pass"
    assert "10% of these samples failed" in few.reason


def test_without_the_file_nothing_is_evaluated_and_that_is_no_pass(tmp_path: Path) -> None:
    found = analysed(tmp_path, rows())
    assert found.sla is not None
    assert found.sla.verdict == "not_evaluated"
    assert found.sla.checks == ()
    assert found.status == "complete"


def test_patterns_that_fit_nothing_are_listed(tmp_path: Path) -> None:
    found = analysed(tmp_path, rows(), slas=ONE_PROFILE)
    assert found.sla is not None
    assert found.sla.unmatched_patterns == ("PATCH *",)
    assert found.sla.profile == "shop"


TWO = """
slas:
  - {id: shop, default_sla: {response_time_sla_ms: 50}}
  - {id: search, default_sla: {response_time_sla_ms: 500}}
"""


def test_the_profile_is_the_one_named_else_that_of_the_scenario_else_none(tmp_path: Path) -> None:
    found = analysed(tmp_path, rows(), slas=TWO, profile="search")
    assert check(found, "GET /cart", "p95_ms").limit == 500
    assert again(tmp_path, slas=TWO).sla.checks == ()  # type: ignore[union-attr]
    synthetic.write_run(runs_in(tmp_path), synthetic.steady(seconds=300), "other", scenario="shop")
    assert again(tmp_path, "other", TWO).sla.profile == "shop"  # type: ignore[union-attr]


def test_an_unknown_profile_names_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="'shop', 'search'"):
        analysed(tmp_path, rows(), slas=TWO, profile="shopping")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("default_sla: {percentile: P30}", "P50 to P99.9"),
        ("default_sla: {percentile: high}", "P50 to P99.9"),
        ("default_sla: {response_time_sla_ms: -1}", "greater than 0"),
        ("default_sla: {response_time_sla_ms: .nan}", "finite"),
        ("default_sla: {error_rate_threshold: 101}", "less than or equal to 100"),
        ("default_sla: {error_rate: 1}", "unknown key 'default_sla.error_rate'"),
        ("slas: [{id: a}, {id: a}]", "'a' stands there several times"),
        ("slas: [{api_overrides: []}]", "slas.0.id"),
        ("default_sla: {apdex: {satisfied_ms: 900, tolerated_ms: 100}}", "at most `tolerated_ms`"),
        ("[1, 2]", "holds no keys"),
    ],
)
def test_a_file_that_cannot_be_used_says_where_and_what_is_expected(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadFile, match=r"slas\.yaml") as caught:
        slas_of(tmp_path, text)
    assert said in caught.value.message


def test_the_limits_of_apdex_come_from_the_file(tmp_path: Path) -> None:
    found = analysed(tmp_path, rows(elapsed=100), slas="default_sla: {apdex: {satisfied_ms: 50, tolerated_ms: 200}}")
    assert found.overall is not None
    assert found.overall.whole.apdex == 0.5
    assert (found.apdex_satisfied_ms, found.apdex_tolerated_ms) == (50, 200)


def test_the_example_of_the_documents_is_understood(tmp_path: Path) -> None:
    assert isinstance(slas_of(tmp_path, ONE_PROFILE).value, SlaFile)


def test_limits_that_are_written_later_make_the_analysis_stale(tmp_path: Path) -> None:
    analysed(tmp_path, rows())
    [before] = [one for one in analysis_status(runs_in(tmp_path), "run-1").analyses if one.tool == TOOL]
    (tmp_path / FILE).write_text('version: "1"\ndefault_sla: {error_rate_threshold: 1}\n', encoding="utf-8")
    [after] = [one for one in analysis_status(runs_in(tmp_path), "run-1").analyses if one.tool == TOOL]
    assert (before.state, after.state) == ("done", "stale")
    assert "slas.yaml' appeared after it ran" in " ".join(after.reasons)
    again(tmp_path)
    [done] = [one for one in analysis_status(runs_in(tmp_path), "run-1").analyses if one.tool == TOOL]
    assert done.state == "done"
