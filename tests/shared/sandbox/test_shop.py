"""The shop: its steps, its queue, its faults, and what it tells about itself."""

import json
from collections import Counter
from pathlib import Path

import pytest

from perfsuite.errors import BadInput, LimitExceeded, StorageFailed
from perfsuite.sandbox.shop.access_log import AccessLog
from perfsuite.sandbox.shop.faults import Faults, Leak, read_fault
from perfsuite.sandbox.shop.meter import KEPT_S, Meter
from perfsuite.sandbox.shop.spec import ShopSpec
from perfsuite.sandbox.shop.workers import Visit
from shared.sandbox.conftest import EPOCH, ShopDesk

pytestmark = pytest.mark.anyio


async def test_a_shopper_needs_the_token_and_an_item_of_the_list(desk: ShopDesk) -> None:
    headers = await desk.log_in()
    items = (await desk.get("/items", headers=headers)).json()["items"]
    item = items[-1]["id"]
    detail = await desk.get(f"/items/{item}", headers=headers)
    order = await desk.post("/checkout", headers=headers, json={"item_id": item})

    assert len(items) == desk.shop.spec.items
    assert detail.json() == {**items[-1], "in_stock": True}
    assert order.json()["item_id"] == item
    assert order.headers["x-shop-host"] in desk.shop.spec.host_names
    assert desk.time.now - EPOCH == pytest.approx(4 * 0.05)


@pytest.mark.parametrize("token", ["", "Bearer anna", "Bearer anna.0123", "Bearer ü", "Basic x"])
async def test_without_the_token_nothing_is_sold(desk: ShopDesk, token: str) -> None:
    headers = {"Authorization": token.encode()}
    answers = [await desk.get("/items", headers=headers), await desk.get("/items/1", headers=headers)]
    answers.append(await desk.post("/checkout", headers=headers, json={"item_id": "1"}))

    assert [answer.status_code for answer in answers] == [401, 401, 401]
    assert "log in first" in answers[0].json()["error"]
    assert desk.time.now == EPOCH, "a refusal takes no worker's time"


async def test_identifiers_cannot_be_guessed(desk: ShopDesk) -> None:
    headers = await desk.log_in()
    answers = [await desk.get("/items/1", headers=headers)]
    answers += [await desk.post("/checkout", headers=headers, json={"item_id": one}) for one in ("1", None, ["1"])]

    assert [answer.status_code for answer in answers] == [404] * 4


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"\xff", 400),
        (b"[" * 60_000, 400),
        (b"{}", 400),
        (b'{"user": 1}', 400),
        (b'{"user": "a b"}', 400),
        (b'{"user": "%s"}' % (b"a" * 65), 400),
        (b" " * 70_000, 413),
    ],
)
async def test_a_login_that_is_none_is_refused(desk: ShopDesk, body: bytes, status: int) -> None:
    assert (await desk.post("/login", content=body)).status_code == status


async def test_a_page_of_the_web_cannot_call_by_a_name_of_its_own(desk: ShopDesk) -> None:
    assert (await desk.get("/_truth", headers={"Host": "evil.example"})).status_code == 400
    assert (await desk.get("/_truth", headers={"Host": "[::1]:8080"})).status_code == 200


async def test_beyond_the_workers_requests_queue_and_beyond_the_queue_they_fail(desk: ShopDesk) -> None:
    headers = await desk.log_in()
    began = desk.time.now
    answers = Counter(answer.status_code for answer in await desk.lists(8, headers))

    # Two are served at once, two wait 50 ms, two would wait 100 ms and give up after 80, and two find the queue full.
    assert answers == {200: 4, 503: 2, 504: 2}
    assert desk.time.now - began == pytest.approx(0.1)
    reasons = {json.loads(line)["message"] for line in desk.log.read_text(encoding="utf-8").splitlines()}
    assert {"GET /items 503: the queue is full", "GET /items 504: the request waited too long"} <= reasons


async def test_the_access_log_has_one_line_of_json_for_each_request(desk: ShopDesk) -> None:
    headers = await desk.log_in()
    await desk.lists(4, headers)
    lines = [json.loads(line) for line in desk.log.read_text(encoding="utf-8").splitlines()]

    assert Counter(line["host"] for line in lines) == {"shop-1": 3, "shop-2": 2}
    assert [line["waited_ms"] for line in lines] == [0, 0, 0, 50, 50]
    assert lines[0] == {
        "timestamp": "2026-09-21T14:13:20.050000Z",
        "service": "shop",
        "host": "shop-1",
        "level": "info",
        "message": "POST /login 200",
        "step": "login",
        "http": {"method": "POST", "path": "/login", "status_code": 200},
        "duration_ms": 50.0,
        "waited_ms": 0.0,
    }


async def test_the_cpu_of_a_host_is_the_time_that_its_workers_served(desk: ShopDesk) -> None:
    headers = await desk.log_in()
    for _ in range(3):
        await desk.lists(2, headers)
    await desk.wait(2)
    told = (await desk.get("/_metrics")).json()
    first = told["buckets"][0]

    assert told["bucket_s"] == 1
    assert told["hosts"]["shop-1"] == {"workers": 1, "memory_mb": 2048.0}
    assert (first["at"], first["timestamp_s"]) == ("2026-09-21T14:13:20Z", EPOCH)
    assert (first["requests"], first["errors"], first["mean_ms"]) == (7, 0, 50.0)
    assert {name: host["cpu_pct"] for name, host in first["hosts"].items()} == {"shop-1": 20.0, "shop-2": 15.0}
    assert first["hosts"]["shop-1"]["mem_used_mb"] == 513.6
    assert told["buckets"][1]["requests"] == 0
    assert told["buckets"][1]["mean_ms"] is None


async def test_only_buckets_that_are_over_are_told(desk: ShopDesk) -> None:
    await desk.log_in()
    assert (await desk.get("/_metrics")).json()["buckets"] == []
    await desk.wait(25)
    ten = (await desk.get("/_metrics", params={"bucket_s": 10})).json()["buckets"]
    some = (await desk.get("/_metrics", params={"from": EPOCH + 3, "to": EPOCH + 5.5})).json()["buckets"]

    assert [one["timestamp_s"] - EPOCH for one in ten] == [0, 10]
    assert ten[0]["hosts"]["shop-1"]["cpu_pct"] == 0.5
    assert [one["timestamp_s"] - EPOCH for one in some] == [3, 4]


async def test_a_long_history_says_that_there_is_more(desk: ShopDesk) -> None:
    for _ in range(7):
        await desk.wait(3600)
        await desk.log_in()
    told = (await desk.get("/_metrics")).json()

    # Six hours are kept, of which one bucket had begun before.
    assert (told["total"], told["has_more"], len(told["buckets"])) == (6 * 3600 - 1, True, 3600)


def test_what_is_older_than_six_hours_is_forgotten(spec: ShopSpec) -> None:
    meter = Meter(spec, Faults(spec.host_names), EPOCH)
    for second in range(KEPT_S + 2):
        now = EPOCH + second
        meter.note_answer(Visit("rejected", None, now, now, now), 503, now, now)

    assert [meter.bucket(int(EPOCH) + second, 1)["rejected"] for second in (0, 1, 2, KEPT_S)] == [0, 0, 1, 1]


@pytest.mark.parametrize(
    "query", ["bucket_s=5", "bucket_s=x", "from=nan", "from=-1", "to=inf", "bucket_s=", "from=" + "9" * 400]
)
async def test_a_question_about_metrics_that_makes_no_sense_is_refused(desk: ShopDesk, query: str) -> None:
    assert (await desk.get(f"/_metrics?{query}")).status_code == 400


async def test_the_truth_tells_the_knee_and_the_faults(desk: ShopDesk) -> None:
    await desk.fault(fault="leak", after_s=5, for_s=10)
    told = (await desk.get("/_truth", params={"think_ms": 100})).json()

    assert told["knee_users"] == 2 * (1 + 100 / 50)
    assert told["spec"]["capacity_per_s"] == 40
    assert told["spec"]["service_ms"] == 50
    [fault] = told["faults"]
    assert (fault["fault"], fault["active"]) == ("leak", False)
    assert (fault["begins"], fault["ends"]) == ("2026-09-21T14:13:25Z", "2026-09-21T14:13:35Z")


async def test_a_leak_makes_everything_slower_and_larger_and_ending_it_is_a_restart(desk: ShopDesk) -> None:
    headers = await desk.log_in()
    await desk.fault(fault="leak", latency_growth_per_min=1, memory_mb_per_min=60)
    await desk.wait(60)
    began = desk.time.now
    await desk.get("/items", headers=headers)
    grown = desk.time.now - began
    await desk.wait(3)
    ended = (await desk.request("DELETE", "/_faults/leak")).json()
    await desk.wait(2)
    memory = [one["hosts"]["shop-1"]["mem_used_mb"] for one in (await desk.get("/_metrics")).json()["buckets"]]

    assert grown == pytest.approx(0.1, rel=0.01)
    assert memory[30] == pytest.approx(512 + 31, abs=2)
    assert memory[-1] == 512
    assert ended["ended"] == 1
    assert ended["faults"][0]["ends"] is not None


async def test_memory_never_exceeds_the_hosts(desk: ShopDesk) -> None:
    await desk.fault(fault="leak", memory_mb_per_min=1e6)
    await desk.wait(120)
    last = (await desk.get("/_metrics")).json()["buckets"][-1]["hosts"]["shop-2"]

    assert (last["mem_used_mb"], last["mem_pct"]) == (2048, 100)


async def test_an_error_burst_has_a_window_and_a_rate(desk: ShopDesk) -> None:
    headers = await desk.log_in()
    await desk.fault(fault="errors", rate=1, after_s=1, for_s=1)
    codes = []
    for _ in range(3):
        codes.append((await desk.get("/items", headers=headers)).status_code)
        await desk.wait(0.95)

    assert codes == [200, 500, 200]
    total = Counter((await desk.get("/_metrics")).json()["buckets"][1])
    assert (total["requests"], total["errors"]) == (1, 1)


async def test_the_same_seed_lets_the_same_requests_fail(spec: ShopSpec, tmp_path: Path) -> None:
    found = []
    for name in ("a", "b"):
        desk = ShopDesk(spec.model_copy(update={"spread": 0.5}), tmp_path / name)
        headers = await desk.log_in()
        await desk.fault(fault="errors", rate=0.5)
        found.append([(await desk.lists(1, headers))[0].status_code for _ in range(40)])
        await desk.http.aclose()
        desk.shop.access_log.close()

    assert found[0] == found[1]
    assert 8 < found[0].count(500) < 32
    assert (tmp_path / "a").read_text() == (tmp_path / "b").read_text()


async def test_one_host_can_be_slow(desk: ShopDesk) -> None:
    headers = await desk.log_in()
    await desk.fault(fault="slow-host", host="shop-2", factor=3)
    await desk.lists(2, headers)
    lines = [json.loads(line) for line in desk.log.read_text(encoding="utf-8").splitlines()[1:]]

    assert {line["host"]: line["duration_ms"] for line in lines} == {"shop-1": 50.0, "shop-2": 150.0}


async def test_a_hang_keeps_requests_until_it_ends(desk: ShopDesk) -> None:
    headers = await desk.log_in()
    await desk.fault(fault="hang", for_s=5)
    began = desk.time.now
    answer = await desk.get("/items", headers=headers)
    await desk.wait(1)

    assert answer.status_code == 200
    assert desk.time.now - began - 1 == pytest.approx(5.05, abs=0.06)
    bucket = (await desk.get("/_metrics")).json()["buckets"][-1]
    assert bucket["mean_ms"] == pytest.approx(5_050, abs=60)


async def test_a_fault_that_is_ended_before_it_began_never_was(desk: ShopDesk) -> None:
    await desk.fault(fault="hang", after_s=60)
    ended = (await desk.request("DELETE", "/_faults")).json()

    assert (ended["ended"], ended["faults"]) == (1, [])
    assert (await desk.request("DELETE", "/_faults")).json()["ended"] == 0
    assert (await desk.request("DELETE", "/_faults/flood")).status_code == 404


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"fault": "flood"},
        {"fault": "errors", "rate": 2},
        {"fault": "errors", "rate": "many"},
        {"fault": "hang", "for_s": 0},
        {"fault": "slow-host", "host": "shop-9"},
        {"fault": "leak", "colour": "red"},
        {"fault": ["leak"]},
    ],
)
async def test_a_fault_that_is_none_is_refused(desk: ShopDesk, values: dict[str, object]) -> None:
    answer = await desk.post("/_faults", json=values)

    assert answer.status_code == 400
    assert answer.json()["error"]
    assert (await desk.get("/_faults")).json()["faults"] == []


def test_a_fault_can_be_written_in_one_word() -> None:
    assert read_fault("leak: memory_mb_per_min = 60, after_s=30 ") == Leak(memory_mb_per_min=60, after_s=30)
    assert read_fault("hang").for_s is None
    with pytest.raises(BadInput, match="no such fault"):
        read_fault("errors:rate")


def test_faults_do_not_pile_up_without_end() -> None:
    faults = Faults(("shop-1",))
    for _ in range(1000):
        faults.switch_on(Leak(), EPOCH)
    with pytest.raises(LimitExceeded):
        faults.switch_on(Leak(), EPOCH)


def test_an_access_log_that_cannot_be_written_is_an_error_at_once(tmp_path: Path) -> None:
    with pytest.raises(StorageFailed, match="Is a directory"):
        AccessLog(tmp_path)


def test_a_full_disk_ends_the_log_and_not_the_shop(capsys: pytest.CaptureFixture[str]) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full on this system")
    log = AccessLog(full)
    for _ in range(3):
        log.write({"message": "hello"})
    log.close()

    assert (
        capsys.readouterr().err
        == "The access log '/dev/full' takes no more: No space left on device. The shop goes on.\n"
    )


def test_a_shop_that_cannot_be_is_refused_with_the_value_that_is_wrong() -> None:
    with pytest.raises(BadInput, match="workers: Input should be greater than or equal to 1"):
        ShopSpec.of(workers=0)
    with pytest.raises(BadInput, match="3 hosts cannot share 2 workers"):
        ShopSpec.of(workers=2, hosts=3)
