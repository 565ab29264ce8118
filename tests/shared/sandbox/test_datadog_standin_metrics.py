"""Metrics of the Datadog stand-in: a model that adds up, and answers with the habits of the real service."""

import itertools
import math
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfsuite.sandbox.datadog.language import read_queries
from perfsuite.sandbox.datadog.scopes import QueryError
from shared.sandbox.datadog_desk import END, START, Desk, desk_of


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with desk_of() as found:
        yield found


def test_the_shares_of_a_cpu_add_up_and_user_with_system_is_not_all_of_it(desk: Desk) -> None:
    parts = ["idle", "user", "system", "iowait", "stolen"]
    series = [desk.values(f"avg:system.cpu.{part}{{host:shop-db-1}}") for part in parts]
    for values in zip(*series, strict=True):
        found = [value for value in values if value is not None]
        assert math.fsum(found) == pytest.approx(100)
        assert found[1] + found[2] < 100 - found[0]


def test_memory_is_told_in_mebibytes_and_used_includes_the_page_cache(desk: Desk) -> None:
    series = desk.query("avg:system.mem.total{host:shop-db-1}")["series"][0]
    assert (series["unit"][0]["name"], series["unit"][0]["scale_factor"]) == ("mebibyte", 1048576.0)
    [total] = set(desk.values("avg:system.mem.total{host:shop-db-1}"))
    used = desk.values("avg:system.mem.used{host:shop-db-1}")
    usable = desk.values("avg:system.mem.usable{host:shop-db-1}")
    share = desk.values("avg:system.mem.pct_usable{host:shop-db-1}")
    assert total is not None
    for one, other, part in zip(used, usable, share, strict=True):
        assert one is not None
        assert other is not None
        assert one > total - other
        assert part == pytest.approx(other / total)


def test_an_organization_may_send_memory_in_bytes() -> None:
    with desk_of(memory_unit="byte") as desk:
        [series] = desk.query("avg:system.mem.total{host:shop-db-1}")["series"]
    assert series["unit"][0]["name"] == "byte"
    assert series["pointlist"][0][1] == 8192 * 1024 * 1024


def test_load_moves_the_cpu(desk: Desk) -> None:
    idle = desk.values("avg:system.cpu.idle{host:shop-web-1}")
    assert idle[0] is not None
    assert idle[-1] is not None
    assert idle[0] > idle[-1] + 30


@pytest.mark.parametrize(
    ("hours", "width"), [(1, 20), (4, 60), (24, 300), (48, 600), (24 * 7, 3600), (24 * 31, 14_400)]
)
def test_the_interval_follows_from_the_window(desk: Desk, hours: int, width: int) -> None:
    [series] = desk.query("avg:system.cpu.idle{*}", END - hours * 3600, END)["series"]
    assert series["interval"] == width
    times = [at for at, _ in series["pointlist"]]
    assert {after - before for before, after in itertools.pairwise(times)} == {width * 1000}
    assert all(at % (width * 1000) == 0 for at in times)


def test_a_narrower_rollup_than_1500_points_allow_is_widened(desk: Desk) -> None:
    [series] = desk.query("avg:system.cpu.idle{*}.rollup(avg, 5)", END - 86_400, END)["series"]
    assert series["interval"] == 60
    assert series["length"] <= 1500


def test_an_average_rollup_hides_the_peak_that_a_maximum_shows(desk: Desk) -> None:
    average = desk.values("avg:system.cpu.user{host:shop-web-1}.rollup(avg, 600)")
    highest = desk.values("max:system.cpu.user{host:shop-web-1}.rollup(max, 600)")
    assert all(
        high > mean for high, mean in zip(highest, average, strict=True) if high is not None and mean is not None
    )


def test_the_newest_bucket_of_a_count_is_partial() -> None:
    with desk_of(now=START + 3000 + 25) as desk:
        counts = desk.values("sum:trace.http.request.hits{service:checkout}.as_count().rollup(sum, 60)", START, END)
    assert counts[-1] is not None
    assert counts[-2] is not None
    assert counts[-1] < 0.6 * counts[-2]


def test_a_count_is_a_rate_unless_it_is_asked_for_as_a_count(desk: Desk) -> None:
    name = "sum:trace.http.request.hits{service:checkout}"
    as_count, as_rate, plain = (desk.query(f"{name}{how}")["series"][0] for how in (".as_count()", ".as_rate()", ""))
    for one, other, third in zip(as_count["pointlist"], as_rate["pointlist"], plain["pointlist"], strict=True):
        assert one[1] == pytest.approx(other[1] * 20)
        assert other[1] == pytest.approx(third[1])
    assert as_count["unit"][1] is None
    assert as_rate["unit"][1]["name"] == "second"


def test_times_of_v2_are_sparse_and_values_keep_their_nulls(desk: Desk) -> None:
    answer = desk.timeseries("avg:system.cpu.idle{host:shop-db-1}", interval=5000)
    attributes = answer.json()["data"]["attributes"]
    assert len(attributes["times"]) == 240
    gaps = zip(attributes["times"], attributes["times"][1:], strict=False)
    assert {after - before for before, after in gaps} == {15_000}


def test_a_container_without_a_limit_is_absent_below_the_line(desk: Desk) -> None:
    usage = desk.query("sum:kubernetes.cpu.usage.total{service:catalog} by {kube_container_name}")["series"]
    limits = desk.query("sum:kubernetes.cpu.limits{service:catalog} by {kube_container_name}")["series"]
    assert [one["tag_set"] for one in usage] == [["kube_container_name:app"], ["kube_container_name:sidecar"]]
    assert [one["tag_set"] for one in limits] == [["kube_container_name:app"]]
    assert usage[0]["unit"][0]["name"] == "nanocore"
    assert limits[0]["unit"][0]["name"] == "core"


def test_a_restarted_container_sends_nothing_for_a_while_and_counts_its_restart() -> None:
    restart = START + 1800
    with desk_of(services=[{"name": "checkout", "pods": 1, "restarts_at": [restart]}]) as desk:
        series = desk.query("avg:kubernetes.memory.working_set{service:checkout}")["series"][0]
        counted = desk.values("max:kubernetes.containers.restarts{service:checkout}")
    assert restart * 1000 not in [at for at, _ in series["pointlist"]]
    assert (counted[0], counted[-1]) == (0.0, 1.0)


def test_throttling_follows_the_usage_of_the_limit(desk: Desk) -> None:
    throttled = desk.values("sum:kubernetes.cpu.cfs.throttled.periods{service:checkout}.as_count()")
    periods = desk.values("sum:kubernetes.cpu.cfs.periods{service:checkout}.as_count()")
    shares = [a / b for a, b in zip(throttled, periods, strict=True) if a is not None and b]
    assert shares[0] == 0
    assert 0 < shares[-1] < 1


def test_java_heaps_are_told_where_there_is_java(desk: Desk) -> None:
    heaps = desk.query("avg:jvm.heap_memory{env:perf} by {service}")["series"]
    assert [one["tag_set"] for one in heaps] == [["service:checkout"]]


def test_formulas_join_groups_and_division_loses_the_unit(desk: Desk) -> None:
    used, limit = (f"sum:kubernetes.memory.{what}{{env:perf}} by {{service}}" for what in ("working_set", "limits"))
    found = desk.timeseries(used, limit, formulas=("a / b * 100", "a")).json()["data"]["attributes"]
    assert [(one["query_index"], one["group_tags"]) for one in found["series"]] == [
        (0, ["service:catalog"]), (0, ["service:checkout"]), (1, ["service:catalog"]), (1, ["service:checkout"]),
    ]  # fmt: skip
    assert found["series"][0]["unit"] is None
    assert found["series"][2]["unit"][0]["name"] == "byte"
    assert all(0 < value < 100 for value in found["values"][1] if value is not None)


def test_a_scalar_has_a_column_for_each_group_and_formula(desk: Desk) -> None:
    query = {"data_source": "metrics", "name": "a", "query": "avg:system.cpu.idle{*} by {host}", "aggregator": "min"}
    attributes = {"from": START * 1000, "to": END * 1000, "queries": [query], "formulas": [{"formula": "a"}]}
    answer = desk.http.post("/api/v2/query/scalar", json={"data": {"type": "scalar_request", "attributes": attributes}})
    group, number = answer.json()["data"]["attributes"]["columns"]
    assert (group["type"], group["values"]) == ("group", [["shop-db-1"], ["shop-web-1"]])
    assert number["meta"]["unit"][0]["name"] == "percent"
    assert len(number["values"]) == 2


@pytest.mark.parametrize(
    ("scope", "hosts"),
    [
        ("*", {"shop-db-1", "shop-web-1"}),
        ("host:shop-*", {"shop-db-1", "shop-web-1"}),
        ("host:shop-db-1,env:perf", {"shop-db-1"}),
        ("env:perf AND NOT host:shop-db-1", {"shop-web-1"}),
        ("env:perf,!host:shop-db-1", {"shop-web-1"}),
        ("host IN (shop-db-1, other)", {"shop-db-1"}),
        ("host NOT IN (shop-db-1)", {"shop-web-1"}),
        ("host:nowhere OR (env:perf AND host:*web*)", {"shop-web-1"}),
        ("host:nowhere", set()),
    ],
)
def test_scopes_choose_series(desk: Desk, scope: str, hosts: set[str]) -> None:
    found = desk.query(f"avg:system.cpu.idle{{{scope}}} by {{host}}")["series"]
    assert {one["tag_set"][0].removeprefix("host:") for one in found} == hosts


def test_a_tag_that_is_missing_makes_the_group_not_available(desk: Desk) -> None:
    [found] = desk.query("avg:system.cpu.idle{*} by {service}")["series"]
    assert found["tag_set"] == ["service:N/A"]


def test_several_intervals_are_merged_with_nulls(desk: Desk) -> None:
    found = desk.query("avg:system.cpu.idle{*}.rollup(avg,60),avg:system.cpu.idle{*}.rollup(avg,120)")["series"]
    assert [one["query_index"] for one in found] == [0, 1]
    assert len(found[0]["pointlist"]) == len(found[1]["pointlist"])
    assert found[1]["pointlist"][1][1] is None


def test_fill_and_default_zero_say_what_a_gap_is() -> None:
    rows = [{"metric": "my.gauge", "timestamp": START + at, "value": 4.0} for at in (0, 300)]
    with desk_of(rows=rows) as desk:
        plain = desk.query("avg:my.gauge{*}.rollup(avg,60)")["series"][0]["pointlist"]
        zeros = desk.query("avg:my.gauge{*}.rollup(avg,60).fill(zero)")["series"][0]["pointlist"]
        linear = desk.query("avg:my.gauge{*}.rollup(avg,60).fill(linear)")["series"][0]["pointlist"]
        default = desk.query("default_zero(avg:my.gauge{*}.rollup(avg,60))")["series"][0]["pointlist"]
    assert [at for at, _ in plain] == [START * 1000, (START + 300) * 1000]
    assert [value for _, value in zeros][:6] == [4, 0, 0, 0, 0, 4]
    assert [value for _, value in linear] == [4] * 6
    assert len(default) == 60


def test_measured_rows_take_the_place_of_the_model_and_keep_their_nulls() -> None:
    rows = [
        {"metric": "system.cpu.idle", "timestamp": START + at, "value": value, "tags": ["host:real-1"]}
        for at, value in ((0, 80.0), (20, None), (40, 60.0))
    ]
    with desk_of(rows=rows) as desk:
        [found] = desk.query("avg:system.cpu.idle{*} by {host}")["series"]
    assert found["tag_set"] == ["host:real-1"]
    assert found["pointlist"] == [[START * 1000, 80.0], [(START + 40) * 1000, 60.0]]


@pytest.mark.parametrize(
    "query",
    ["avg:system.cpu.user", "avg:system.cpu.user{", "nope:x{*}", "avg:x{*}.fly()", "f(avg:x{*})", "avg:x{a AND}", "",
     "avg:x{*}.rollup(avg,0)", "(" * 500, "avg:x{*} +"],
)  # fmt: skip
def test_a_query_that_cannot_be_read_is_refused(desk: Desk, query: str) -> None:
    answer = desk.http.get("/api/v1/query", params={"from": START, "to": END, "query": query})
    assert answer.status_code == 400
    assert answer.json()["errors"]


def test_windows_before_retention_are_refused_and_in_the_future_are_empty(desk: Desk) -> None:
    old = desk.http.get("/api/v1/query", params={"from": 1_568_899_800, "to": 1_568_923_200, "query": "x{*}"})
    assert old.json() == {"errors": ["Queries ending outside the retention date are invalid"]}
    assert desk.query("avg:system.cpu.idle{*}", END + 3600, END + 7200)["series"] == []


def test_an_unknown_metric_is_an_empty_answer(desk: Desk) -> None:
    attributes = desk.timeseries("avg:nobody.sends.this{*}").json()["data"]["attributes"]
    assert attributes == {"series": [], "times": [], "values": []}


def test_the_same_question_has_the_same_answer_in_every_window(desk: Desk) -> None:
    whole = dict(map(tuple, desk.query("avg:system.cpu.idle{*}.rollup(avg,60)")["series"][0]["pointlist"]))
    part = desk.query("avg:system.cpu.idle{*}.rollup(avg,60)", START + 600, START + 1200)["series"][0]["pointlist"]
    assert all(whole[at] == value for at, value in part)


@given(st.text(alphabet="avgsum:x.{}*() by,+-/0123456789rolup", max_size=60))
@settings(deadline=None)
def test_any_text_is_a_query_or_an_error(text: str) -> None:
    try:
        found = read_queries(text)
    except QueryError:
        return
    assert found
