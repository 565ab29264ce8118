"""Where the load of the Datadog stand-in comes from, besides a plan: a run's samples, or a shop that is open."""

from pathlib import Path

import httpx
import pytest

from hands import Hands
from perfsuite.artifacts import RunStore
from perfsuite.errors import Refused
from perfsuite.sandbox.clock import Clock
from perfsuite.sandbox.datadog.shop_origin import ShopOrigin
from perfsuite.sandbox.serving import serving
from perfsuite.sandbox.shop.control import control_app, shop_app
from perfsuite.sandbox.shop.service import Shop
from perfsuite.sandbox.shop.spec import ShopSpec
from perfsuite.workflow.importing import ImportRequest, import_results
from shared.sandbox.datadog_desk import desk_of

RESULTS = Path(__file__).parents[2] / "data" / "checkout.jtl"


def test_the_samples_of_a_run_are_the_load(tmp_path: Path) -> None:
    import_results(RunStore(tmp_path), "load-1", ImportRequest((RESULTS,)))
    run = RunStore(tmp_path).open("load-1")
    load = run.record().window
    assert load
    begun, ended = load.first_sample_at.timestamp(), load.last_sample_at.timestamp()
    with desk_of(now=ended + 60, corners=(), run_folder=str(run.root)) as desk:
        window = int(begun) - 60, int(ended) + 60
        [hits] = desk.query("sum:trace.http.request.hits{service:checkout}.as_count().rollup(sum, 10)", *window)[
            "series"
        ]
        idle = desk.values("avg:system.cpu.idle{host:shop-web-1}.rollup(avg, 15)", *window)
    assert sum(value for _, value in hits["pointlist"]) == pytest.approx(168, rel=0.2)
    assert min(value for value in idle if value is not None) < max(value for value in idle if value is not None) - 2


def test_a_shop_that_is_open_becomes_hosts(tmp_path: Path) -> None:
    hands = Hands(1_790_000_000.0)
    shop = Shop(ShopSpec(hosts=2, workers=2), clock=Clock(lambda: hands.now, hands.sleep))
    with serving(shop_app(shop)) as front, serving(control_app(shop)) as back:
        token = httpx.post(f"{front}/login", json={"user": "anna"}).json()["token"]
        for _ in range(20):
            httpx.get(f"{front}/items", headers={"Authorization": f"Bearer {token}"})
        hands.now += 30
        window = int(hands.now) - 60, int(hands.now)
        with desk_of(now=hands.now, hosts=(), services=(), shop_control_url=back) as desk:
            total = desk.query("avg:system.mem.total{*} by {host}", *window)["series"]
            idle = desk.query("min:system.cpu.idle{*}.rollup(min, 10)", *window)["series"][0]["pointlist"]
    assert [one["tag_set"] for one in total] == [["host:shop-1"], ["host:shop-2"]]
    assert total[0]["pointlist"][0][1] == 2048
    assert min(value for _, value in idle) < 100


def test_a_shop_elsewhere_is_not_asked() -> None:
    with pytest.raises(Refused):
        ShopOrigin("http://shop.example:8080")
