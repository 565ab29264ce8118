"""Placeholders and environments in queries, whatever somebody writes."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfsuite.errors import BadInput, Refused
from perfsuite_datadog.core.catalog import HOST, Wanted, hosts_scope, wanted
from perfsuite_datadog.core.formulas import combined, names_in, written_width_s
from perfsuite_datadog.core.templates import filled, placeholders, refuse_other_environment

VALUES = {"env_tag": "perf", "hostname": "web-1", "namespace": None}


def test_placeholders_are_filled_wherever_they_stand() -> None:
    assert filled("{{env_tag}}/{{ hostname }}{{hostname}}", VALUES) == "perf/web-1web-1"
    assert placeholders("avg:a{host:{{hostname}},env:{{ env_tag }}}") == {"hostname", "env_tag"}


@pytest.mark.parametrize("text", ["{{namespace}}", "{{}}", "{{host}}", "{{env_tag.upper()}}"])
def test_a_placeholder_without_a_value_is_refused_with_those_that_have_one(text: str) -> None:
    with pytest.raises(BadInput, match=r"queries may use \{\{env_tag\}\}, \{\{hostname\}\}"):
        filled(text, VALUES)


@pytest.mark.parametrize(
    "query",
    [
        "env:prod", "Env:Prod", "env: prod", 'env:"prod"', "-env:prod", "!env:prod", "NOT env:prod",
        "env:(perf OR prod)", "env IN (perf, prod)", "env NOT IN (prod)", "@env:prod", "service:a AND env:prod*",
        "env:perf2", "(env:prod)", "a{env:prod}by{env}", "env:perf env:prod", "env:*",
    ],
)  # fmt: skip
def test_every_way_to_name_another_environment_is_found(query: str) -> None:
    with pytest.raises(Refused, match="Nothing was sent"):
        refuse_other_environment(query, "perf", "mine")


@pytest.mark.parametrize(
    "query",
    ["env:perf", "ENV:PERF", "env:(perf)", "env IN (perf)", 'env:"perf"', "my_env:prod", "test.env:prod",
     "pre-env:prod", "@http.env:prod", "service:env", "*", "sum:a{env:perf,b:c} by {env}"],
)  # fmt: skip
def test_the_own_environment_and_other_tags_pass(query: str) -> None:
    refuse_other_environment(query, "perf", "mine")


@given(st.text(max_size=200))
def test_no_text_breaks_the_search_for_environments_or_names(text: str) -> None:
    assert all(name in text for name in names_in(text))
    with suppress(Refused, BadInput):
        refuse_other_environment(text, "perf", "mine")
        assert "{{env_tag}}" not in filled(text, VALUES)


@given(
    st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True), st.sampled_from(["env:{}", "x{{env:{},a:b}}", "(env:{})"])
)
def test_exactly_the_own_environment_passes(name: str, form: str) -> None:
    query = form.format(name)
    if name == "perf":
        refuse_other_environment(query, "perf", "mine")
    else:
        with pytest.raises(Refused):
            refuse_other_environment(query, "perf", "mine")


@pytest.mark.parametrize(
    ("formula", "names"),
    [
        ("a / b * 100", {"a", "b"}),
        ("abs(a) + 1e9", {"a"}),
        ("top(used, 10, 'mean', 'desc')", {"used"}),
        ('anomalies(a_1, "basic", 2)', {"a_1"}),
        ("moving_rollup(a, 60) - 2.5", {"a"}),
    ],
)
def test_a_formula_uses_names_and_neither_functions_nor_words_in_quotes(formula: str, names: set[str]) -> None:
    assert names_in(formula) == names


def test_queries_of_the_same_text_are_sent_once_and_names_never_clash() -> None:
    first = Wanted("x", "b / a", {"a": "avg:used{host:1}", "b": "avg:most{*}"})
    second = Wanted("y", "abs(a) / b", {"a": "avg:used{host:2}", "b": "avg:most{*}"})
    queries, formulas = combined([first, second])
    assert {one.name: one.query for one in queries} == {
        "q0": "avg:used{host:1}",
        "q1": "avg:most{*}",
        "q2": "avg:used{host:2}",
    }
    assert formulas == ("q1 / q0", "abs(q2) / q1")


def test_the_rollup_that_a_query_writes_out_is_known() -> None:
    assert written_width_s(["avg:a{*}.rollup(max, 300)", "avg:b{*}.rollup(60)", "avg:c{*}"]) == 300
    assert written_width_s(["avg:c{*}"]) == 0


def test_every_metric_of_a_host_is_asked_for_as_average_and_at_its_worst() -> None:
    found = [one for family in HOST for one in wanted(family, hosts_scope(["a", "b"]), "host", 20)]
    by_label = {one.label: one.text for one in found}
    assert len(by_label) == len(found) == 21
    assert by_label["system.cpu.idle.min"] == "avg:system.cpu.idle{host IN (a,b)} by {host}.rollup(min, 20)"
    assert by_label["system.disk.in_use"] == "max:system.disk.in_use{host IN (a,b)} by {host}.rollup(avg, 20)"
    assert by_label["system.net.bytes_sent.max"].startswith("sum:system.net.bytes_sent{")
    assert hosts_scope(["a"]) == "host:a"
