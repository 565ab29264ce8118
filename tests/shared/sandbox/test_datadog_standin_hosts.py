"""Hosts, names of metrics and keys of the Datadog stand-in."""

from collections.abc import Iterator
from typing import Any

import pytest

from perfsuite.sandbox.datadog import ROUTES
from perfsuite.sandbox.standins.faults import Fault
from shared.sandbox.datadog_desk import END, START, Desk, desk_of

HOSTS = [
    {"name": "db-1", "env": "perf", "tags": ["role:db"]},
    {"name": "web-1", "env": "perf", "tags": ["role:web"]},
    {"name": "web-2", "env": "dev", "tags": ["role:web"]},
    {"name": "gone-1", "env": "perf", "silent_from": START - 4 * 3600},
]


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with desk_of(hosts=HOSTS) as found:
        yield found


def hosts(desk: Desk, **asked: Any) -> dict[str, Any]:
    answer = desk.http.get("/api/v1/hosts", params=asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def names(found: dict[str, Any]) -> list[str]:
    return [one["name"] for one in found["host_list"]]


def test_hosts_that_were_not_heard_of_for_three_hours_are_left_out_unless_asked_for(desk: Desk) -> None:
    assert names(hosts(desk)) == ["db-1", "web-1", "web-2"]
    assert "gone-1" in names(hosts(desk, **{"from": START - 86_400}))
    assert desk.http.get("/api/v1/hosts/totals").json() == {"total_up": 3, "total_active": 3}


@pytest.mark.parametrize(
    ("asked", "found"), [("env:perf", ["db-1", "web-1"]), ("web", ["web-1", "web-2"]), ("role:web env:dev", ["web-2"])]
)
def test_hosts_are_filtered_by_tags_and_names(desk: Desk, asked: str, found: list[str]) -> None:
    assert names(hosts(desk, filter=asked)) == found


def test_pages_of_hosts_say_how_many_match(desk: Desk) -> None:
    page = hosts(desk, count=1, start=1)
    assert (names(page), page["total_matching"], page["total_returned"]) == (["web-1"], 3, 1)
    assert desk.http.get("/api/v1/hosts?count=1001").status_code == 400


def test_a_silent_host_has_no_points(desk: Desk) -> None:
    found = desk.query("avg:system.cpu.idle{host:gone-1} by {host}")["series"]
    assert found == []


def test_metrics_are_told_with_their_units(desk: Desk) -> None:
    found = desk.http.get("/api/v1/metrics", params={"from": START, "host": "db-1"}).json()["metrics"]
    assert "system.cpu.idle" in found
    assert "kubernetes.cpu.limits" not in found
    told = desk.http.get("/api/v1/metrics/kubernetes.cpu.usage.total").json()
    assert (told["type"], told["unit"]) == ("gauge", "nanocore")
    assert desk.http.get("/api/v1/metrics/nobody.sends.this").status_code == 404


def test_limits_of_containers_are_nanocores_here_and_cores_there(desk: Desk) -> None:
    cores = desk.query("avg:kubernetes.cpu.limits{service:checkout}")["series"][0]
    nanocores = desk.query("avg:container.cpu.limit{service:checkout}")["series"][0]
    pairs = zip(cores["pointlist"], nanocores["pointlist"], strict=True)
    assert all(one[1] * 1e9 == other[1] for one, other in pairs)
    assert nanocores["unit"][0]["scale_factor"] == 1e-9


def test_an_api_key_alone_is_valid_and_good_for_nothing_else(desk: Desk) -> None:
    headers = {"DD-APPLICATION-KEY": "wrong"}
    assert desk.http.get("/api/v1/validate", headers=headers).json() == {"valid": True}
    params: dict[str, Any] = {"from": START, "to": END, "query": "x{*}"}
    assert desk.http.get("/api/v1/query", params=params, headers=headers).status_code == 403


@pytest.mark.parametrize("kind", ["too_many", "server_error", "error_in_200", "wrong_type"])
def test_faults_have_the_words_of_datadog(desk: Desk, kind: str) -> None:
    desk.standin.faults.switch_on("datadog.query", Fault(kind, times=1, status=502))
    answer = desk.http.get("/api/v1/query", params={"from": START, "to": END, "query": "x{*}"})
    expected = {"too_many": 429, "server_error": 502, "error_in_200": 200, "wrong_type": 200}[kind]
    assert answer.status_code == expected
    if kind == "error_in_200":
        assert answer.json()["status"] == "error"
    if kind == "too_many":
        assert answer.headers["x-ratelimit-reset"] == "1"


def test_a_shop_that_does_not_answer_is_said() -> None:
    with desk_of(shop_control_url="http://127.0.0.1:9") as desk:
        answer = desk.http.get("/api/v1/query", params={"from": START, "to": END, "query": "avg:system.cpu.idle{*}"})
    assert answer.status_code == 503
    assert "shop" in answer.json()["errors"][0]


def test_every_route_says_what_its_shape_rests_on() -> None:
    assert len({route.name for route in ROUTES}) == len(ROUTES) == 12
    assert {route.evidence for route in ROUTES} == {"recorded", "specified"}
