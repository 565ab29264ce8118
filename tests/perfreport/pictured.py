"""Runs to draw charts of: a large one, one that bends, one with hostile names; and what tests read from a picture."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from PIL import Image

from perfanalysis.analysing import HEALTH_HEADER, again, runs_in
from perfanalysis.synthetic import (
    INTERVAL_S,
    SERVED_MS,
    START_MS,
    Scenario,
    Truth,
    ar1,
    per_interval,
    percent,
    ramp,
    saturation,
    traffic,
    write_run,
)
from perfsuite.artifacts import RunFolder, RunStore, layout
from perfsuite.configuration import Loaded, load_configuration
from perfsuite_perfanalysis.service.bottlenecks import identify_bottlenecks
from perfsuite_perfanalysis.service.correlating import correlate_test_results
from perfsuite_perfanalysis.service.environment import analyze_environment_metrics
from perfsuite_perfreport.models.charts import FILE, ChartFile
from perfsuite_perfreport.service.charts import Chart, create_charts

SLAS = """version: "1"
default_sla: {response_time_sla_ms: 500, percentile: P90, error_rate_threshold: 1}
"""
HOSTILE = (
    "GET /" + "very-long-path-segment/" * 40,
    "购物车 结算 订单确认",
    "Оформить заказ — кириллица",
    "עגלת קניות ותשלום",
    "سلة التسوق والدفع",
    "🛒 checkout 🚀",
    "$x^2$ _hidden \\frac{1}{0} <script>alert(1)</script> | `tick` =cmd()",
    "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘!͖̬̰̙̗̿̋ͥͥ̂ͣ̐́́͜͞",
    "line\nbreak\tand tab",
    "_",
)


def names_of_labels(count: int) -> tuple[str, ...]:
    """Names as a large plan has them."""
    verbs, things = ("GET", "POST", "PUT"), ("cart", "order", "search", "user", "stock", "price")
    return tuple(
        f"{verbs[i % 3]} /api/v2/{things[i % 6]}/{{id}}/items/{i:02}{'/details' * (i % 4)}" for i in range(count)
    )


def large(seed: int = 7, *, seconds: int = 3600, labels: int = 60, hosts: int = 20, users: int = 120) -> Scenario:
    """An hour of many labels on many hosts: a ramp, a steady state, a little failing, one host busier than the rest."""
    rng = np.random.default_rng(seed)
    level = np.minimum(
        ramp(seconds, users, seconds // 10), np.where(np.arange(seconds) > seconds * 0.95, users / 3, users)
    )
    level = np.maximum(level, 1)
    median = SERVED_MS * np.exp(ar1(rng, seconds, 0.97, 0.08)) * (1 + level / users / 2)
    failing = np.where(np.arange(seconds) > seconds * 0.6, 0.02, 0.002)
    samples = traffic(rng, level, level * 0.5, median, failing=failing, labels=names_of_labels(labels))
    load = per_interval(level / users)
    metrics = {
        f"app-{i:02}.eu-west-1.shop.internal": {
            "cpu_util_pct": percent(15 + (70 if i == 3 else 25 + i) * load + ar1(rng, len(load), 0.6, 3)),
            "mem_util_pct": percent(40 + i + 5 * load + ar1(rng, len(load), 0.8, 0.6)),
        }
        for i in range(hosts)
    }
    return Scenario(samples, seconds, Truth(), metrics)


def hostile() -> Scenario:
    """Labels and hosts with names that no font or no chart takes gladly."""
    rng = np.random.default_rng(3)
    seconds = 420
    level = ramp(seconds, 12, 30)
    samples = traffic(rng, level, level * 1.2, np.full(seconds, SERVED_MS), failing=0.05, labels=HOSTILE)
    codes = np.array(
        [
            "500",
            "Non HTTP response code: java.net.SocketTimeoutException",
            "错误 500",
            "503",
            "404",
            "429",
            "599",
            "418",
        ]
    )
    failed = samples["success"] == "false"
    samples.loc[failed, "responseCode"] = codes[rng.integers(0, len(codes), int(failed.sum()))]
    n = seconds // INTERVAL_S
    series = {"cpu_util_pct": percent(120 + ar1(rng, n, 0.5, 9)), "mem_util_pct": percent(60 + ar1(rng, n, 0.5, 5))}
    metrics = dict.fromkeys(("主机-1", "host $\\alpha$ | <b>", "h" * 200, "_web", "🚀"), series)
    metrics["with gaps"] = {
        name: np.where(np.arange(n) % 7 == 3, np.nan, values - 30) for name, values in series.items()
    }
    return Scenario(samples, seconds, Truth(), metrics)


def made(folder: Path, what: Scenario, run_id: str) -> RunFolder:
    """The run with all analyses that charts are made of."""
    runs = runs_in(folder)
    run = write_run(runs, what, run_id, scenario="shop checkout")
    write_health(run, what.seconds)
    again(folder, run_id, SLAS)
    analyze_environment_metrics(runs, run_id)
    correlate_test_results(runs, run_id)
    identify_bottlenecks(runs, run_id)
    return run


def bending(folder: Path, run_id: str = "bending") -> RunFolder:
    """A run whose capacity ends."""
    return made(folder, saturation(level_s=90), run_id)


def write_health(run: RunFolder, seconds: int) -> None:
    """What the supervisor of a generator notes: busy for a while in the middle."""
    path = run.path(layout.JMETER_HEALTH)
    path.parent.mkdir(exist_ok=True)
    rng = np.random.default_rng(5)
    lines = [HEALTH_HEADER]
    for at in range(0, seconds, 5):
        moment = datetime.fromtimestamp(START_MS / 1000, UTC) + timedelta(seconds=at)
        cpu = 92 if 0.5 < at / seconds < 0.6 else 30 + 10 * rng.random()
        lines.append(
            f"{moment:%Y-%m-%dT%H:%M:%SZ},{cpu * 0.8:.1f},{cpu:.1f},{600 + at / 20:.1f},40,1.2,"
            f"{2 + 3 * rng.random():.2f},{200 + 150 * rng.random():.1f}\n"
        )
    path.write_text("".join(lines), encoding="utf-8")


def charts_file(folder: Path, text: str | None = None) -> Loaded[ChartFile]:
    """What charts.yaml says, where there is one."""
    if text is not None:
        (folder / FILE).write_text(text, encoding="utf-8")
    return load_configuration(ChartFile, FILE, (folder,))


def chart(
    runs: RunStore, run_id: str, chart_id: str, resource: str | None = None, *, config: Loaded[ChartFile]
) -> Chart:
    """One chart."""
    [found] = create_charts(runs, run_id, chart_id, resource, config).drawn
    return found


def size_of(png: bytes) -> tuple[int, int]:
    """Width and height in pixels."""
    with Image.open(io.BytesIO(png)) as picture:
        return picture.size
