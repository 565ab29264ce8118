"""What every stand-in can do: faults by route, a journal without secrets, and pages for testers."""

from collections.abc import Iterator

import httpx
import pytest

from perfsuite.errors import BadInput, NotFound
from perfsuite.sandbox.serving import serving
from perfsuite.sandbox.standins.application import UNKNOWN
from perfsuite.sandbox.standins.control import control_app
from perfsuite.sandbox.standins.faults import EVERYWHERE, Fault
from shared.sandbox.bell import KEY, Bell


@pytest.fixture
def bell() -> Bell:
    return Bell()


@pytest.fixture
def http(bell: Bell) -> Iterator[httpx.Client]:
    with serving(bell.app()) as url, httpx.Client(base_url=f"{url}/v1", headers=KEY) as client:
        yield client


@pytest.fixture
def tower(bell: Bell) -> Iterator[httpx.Client]:
    with serving(bell.app(1), host="localhost") as url, httpx.Client(base_url=url) as client:
        yield client


@pytest.fixture
def control(bell: Bell) -> Iterator[httpx.Client]:
    with serving(control_app(bell.backstage)) as url, httpx.Client(base_url=url) as client:
        yield client


def test_a_request_is_answered_and_remembered(bell: Bell, http: httpx.Client) -> None:
    answer = http.post("/ring/c?pause=2", json={"times": 3})
    assert answer.json() == {"tone": "c", "times": 3, "pause": 2}
    [received] = bell.journal.received("bell.ring")
    assert (received.method, received.path, received.query) == ("POST", "/v1/ring/c", [("pause", "2")])
    assert (received.body, received.credentials, received.status) == ({"times": 3}, "right", 200)
    assert "x-key" in received.header_names


def test_values_of_secrets_are_not_remembered(bell: Bell, http: httpx.Client) -> None:
    http.post("/ring/c?X-Amz-Signature=canary&api_key=canary&pause=1")
    assert "canary" not in str(bell.journal.told())
    assert bell.journal.received()[0].value("pause") == "1"


@pytest.mark.parametrize(("headers", "seen"), [({"X-Key": ""}, "wrong"), ({}, "none")])
def test_without_the_right_key_nothing_is_done(bell: Bell, headers: dict[str, str], seen: str) -> None:
    with serving(bell.app()) as url:
        answer = httpx.post(f"{url}/v1/ring/c", headers=headers)
    assert (answer.status_code, answer.json()["error"], bell.rung) == (401, "Unauthorized", 0)
    assert bell.journal.received()[0].credentials == seen


def test_an_open_route_asks_for_no_key(bell: Bell, tower: httpx.Client) -> None:
    assert tower.get("/view").text.startswith("hills")
    assert tower.base_url.host == "localhost"


def test_what_is_not_known_is_said_in_the_words_of_the_service(bell: Bell, http: httpx.Client) -> None:
    answer = http.get("/nowhere")
    assert (answer.status_code, answer.json()) == (404, {"error": "Not Found", "code": 404})
    assert [received.route for received in bell.journal.received()] == [UNKNOWN]


@pytest.mark.parametrize(
    ("url", "content", "status"),
    [("/ring/c?pause=x", b"", 400), ("/ring/c", b"[1]", 400), ("/ring/c", b"{" * 100_000, 400)],
)
def test_nonsense_is_refused(http: httpx.Client, url: str, content: bytes, status: int) -> None:
    assert http.post(url, content=content).status_code == status


def test_a_body_beyond_measure_is_refused(http: httpx.Client) -> None:
    assert http.post("/ring/c", content=b" " * (1024 * 1024 + 1)).status_code == 413


def test_a_page_on_the_web_cannot_ask(http: httpx.Client) -> None:
    assert http.post("/ring/c", headers={"Host": "evil.example"}).status_code == 400


def test_a_fault_is_met_as_often_as_it_was_ordered(bell: Bell, http: httpx.Client) -> None:
    bell.faults.switch_on("bell.ring", Fault("server_error", times=2, after=1, status=502))
    assert [http.post("/ring/c").status_code for _ in range(5)] == [200, 502, 502, 200, 200]
    assert bell.rung == 3
    assert [received.met for received in bell.journal.received()] == [(), ("server_error",), ("server_error",), (), ()]
    assert bell.faults.told() == []


def test_a_fault_stays_until_it_is_switched_off(bell: Bell, http: httpx.Client) -> None:
    bell.faults.switch_on("bell.*", Fault("too_many", seconds=7))
    answers = [http.post("/ring/c") for _ in range(3)]
    assert {(answer.status_code, answer.headers["Retry-After"]) for answer in answers} == {(429, "7")}
    assert bell.faults.switch_off() == 2
    assert http.post("/ring/c").status_code == 200


def test_handlers_ask_for_faults_of_their_own(bell: Bell, http: httpx.Client) -> None:
    bell.faults.switch_on("bell.*", Fault("cracked"))
    assert http.post("/ring/c").json()["tone"] == "clonk"
    assert [told["route"] for told in bell.faults.told()] == ["bell.ring"]


def test_an_error_may_come_with_status_200_and_a_page_instead_of_json(bell: Bell, http: httpx.Client) -> None:
    bell.faults.switch_on("bell.ring", Fault("error_in_200", times=1, status=422))
    bell.faults.switch_on("bell.ring", Fault("wrong_type", times=1, after=1))
    error, page = http.post("/ring/c"), http.post("/ring/c")
    assert (error.status_code, error.json()["code"]) == (200, 422)
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")


def test_a_lost_answer_belongs_to_something_that_was_done(bell: Bell, http: httpx.Client) -> None:
    bell.faults.switch_on("bell.ring", Fault("lost_answer", times=1))
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        http.post("/ring/c")
    assert bell.rung == 1
    assert bell.journal.received()[0].status is None


def test_a_reset_breaks_the_promise_of_the_length(bell: Bell, tower: httpx.Client) -> None:
    bell.faults.switch_on("bell.view", Fault("reset", times=1, share=0.3))
    with pytest.raises(httpx.RemoteProtocolError, match="received 3000 bytes, expected 10000"):
        tower.get("/view")
    assert len(tower.get("/view").content) == 10_000


def test_a_truncated_answer_looks_whole(bell: Bell, tower: httpx.Client) -> None:
    bell.faults.switch_on("bell.view", Fault("truncated", share=0.3))
    assert len(tower.get("/view").content) == 3000


def test_a_slow_answer_takes_its_time(bell: Bell, tower: httpx.Client) -> None:
    bell.faults.switch_on("bell.view", Fault("slow", seconds=5))
    with pytest.raises(httpx.ReadTimeout):
        tower.get("/view", timeout=0.2)


@pytest.mark.parametrize(
    ("route", "kind", "error"),
    [("bell.ring", "leak", BadInput), ("bell.view", "cracked", BadInput), ("drum.*", "slow", NotFound)],
)
def test_what_cannot_go_wrong_is_said(bell: Bell, route: str, kind: str, error: type[Exception]) -> None:
    with pytest.raises(error, match="Name one of"):
        bell.faults.switch_on(route, Fault(kind))


def test_testers_switch_faults_over_http(bell: Bell, http: httpx.Client, control: httpx.Client) -> None:
    made = control.post("/_faults", json={"route": "bell.ring", "kind": "server_error", "times": 3})
    assert (made.status_code, made.json()["faults"][0]["times"]) == (201, 3)
    assert http.post("/ring/c").status_code == 503
    assert control.get("/_faults").json()["faults"][0]["seen"] == 1
    assert control.delete("/_faults?kind=slow").json()["ended"] == 0
    assert control.delete("/_faults?route=bell.ring").json() == {"ended": 1, "faults": []}


@pytest.mark.parametrize(
    "body",
    [{}, {"route": "bell.ring"}, {"route": "x", "kind": "slow"}, {"route": "bell.ring", "kind": "slow", "times": 0}, 7],
)
def test_nonsense_about_faults_is_refused(control: httpx.Client, body: object) -> None:
    assert control.post("/_faults", json=body).status_code == 400
    assert control.get("/_faults").json() == {"faults": []}


def test_testers_read_the_requests_and_the_routes(bell: Bell, http: httpx.Client, control: httpx.Client) -> None:
    http.post("/ring/c")
    http.get("/nowhere")
    assert [one["path"] for one in control.get("/_requests?route=bell.ring").json()["requests"]] == ["/v1/ring/c"]
    control.delete("/_requests")
    assert control.get("/_requests").json() == {"requests": []}
    told = control.get("/_routes").json()
    assert {one["name"]: one["evidence"] for one in told["routes"]} == {
        "bell.ring": "recorded",
        "bell.view": "inferred",
    }
    assert set(told["everywhere"]) == set(EVERYWHERE)
