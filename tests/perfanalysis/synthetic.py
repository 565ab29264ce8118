"""Runs whose truth is known: what happened in them, when, and why. The same seed gives the same run.

`write_run(store, steady())` makes a run folder of one, with its samples imported and its metrics as Datadog's stage
leaves them. Every scenario says in `truth` what an analysis must find in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from perfsuite.artifacts import RunFolder, RunStore, layout
from perfsuite.artifacts.schemas import RunFacts
from perfsuite.workflow.importing import ImportRequest, import_results
from perfsuite.workflow.ledger import Ledger

START_MS = 1_790_000_000_000
INTERVAL_S = 20
SERVED_MS = 120.0
"""What a request takes while nothing is wrong."""
LABELS = ("GET /cart", "POST /order", "GET /search")
METRIC_COLUMNS = (
    "env_name", "env_tag", "scope", "hostname", "filter", "container_or_pod", "timestamp_utc", "metric", "value",
    "unit",
)  # fmt: skip

Series = NDArray[np.float64]
HostMetrics = dict[str, dict[str, Series]]


@dataclass(frozen=True)
class Truth:
    """What is to be found. None, or nothing, means that it must not be found."""

    steady_from_s: float | None = 0.0
    steady_to_s: float | None = None
    drifts: bool = False
    saturates_at_users: int | None = None
    saturated_host: str | None = None
    causes: tuple[tuple[str, str], ...] = ()
    """(host, metric) that move the response times."""
    followers: tuple[tuple[str, str], ...] = ()
    """(host, metric) that move with the load and with nothing else."""
    lag_s: float = 0.0
    leaks: tuple[tuple[str, str], ...] = ()
    errors_from_s: float | None = None
    gap_s: tuple[float, float] | None = None


@dataclass(frozen=True)
class Scenario:
    """A run before it is written: its samples, the metrics of its hosts every `interval_s`, and its truth."""

    samples: pd.DataFrame
    seconds: int
    truth: Truth
    metrics: HostMetrics = field(default_factory=dict)
    interval_s: int = INTERVAL_S


def ar1(rng: np.random.Generator, n: int, phi: float = 0.9, sd: float = 1.0) -> Series:
    """Noise that remembers: an autocorrelated series with this standard deviation."""
    pushes = rng.normal(0, sd * np.sqrt(1 - phi**2), n)
    found = np.empty(n)
    level = rng.normal(0, sd)
    for i, push in enumerate(pushes):
        level = phi * level + push
        found[i] = level
    return found


def ramp(seconds: int, users: int, ramp_s: int) -> Series:
    """Users that come one after the other, and then stay."""
    return np.minimum(users, np.ceil((np.arange(seconds) + 1) / max(ramp_s, 1) * users))


def traffic(
    rng: np.random.Generator,
    users: Series,
    per_s: Series,
    median_ms: Series,
    *,
    failing: Series | float = 0.0,
    labels: Sequence[str] = LABELS,
    sigma: float = 0.3,
    engine: str | None = None,
) -> pd.DataFrame:
    """Samples of JMeter: in second t, `per_s[t]` requests start that take about `median_ms[t]`."""
    counts = rng.poisson(per_s)
    second = np.repeat(np.arange(len(per_s)), counts)
    n = len(second)
    started = np.sort(second * 1000 + rng.integers(0, 1000, n))
    kind = rng.integers(0, len(labels), n)
    elapsed = median_ms[second] * (1 + 0.25 * kind) * rng.lognormal(0, sigma, n)
    failed = rng.random(n) < np.broadcast_to(failing, len(per_s))[second]
    frame = pd.DataFrame(
        {
            "timeStamp": START_MS + started,
            "elapsed": np.maximum(1, np.round(elapsed)).astype(int),
            "label": np.array(labels, dtype=object)[kind],
            "responseCode": np.where(failed, "503", "200"),
            "responseMessage": np.where(failed, "Service Unavailable", "OK"),
            "threadName": [f"Users 1-{1 + number}" for number in rng.integers(0, users[second].astype(int))],
            "success": np.where(failed, "false", "true"),
            "bytes": 2000,
            "sentBytes": 300,
            "grpThreads": users[second].astype(int),
            "allThreads": users[second].astype(int),
            "Latency": np.maximum(1, np.round(elapsed * 0.8)).astype(int),
            "Connect": 1,
        }
    )
    return frame.assign(Hostname=engine) if engine else frame


def per_interval(series: Series, interval_s: int = INTERVAL_S) -> Series:
    """The mean of each interval, as an agent reports it."""
    whole = len(series) // interval_s * interval_s
    means: Series = series[:whole].reshape(-1, interval_s).mean(axis=1)
    return means


def percent(series: Series) -> Series:
    return np.clip(series, 0.0, 100.0)


def calm_host(rng: np.random.Generator, seconds: int, load: Series | float = 0.0) -> dict[str, Series]:
    """A host with much room. Its processors follow the load, where one is given."""
    n = seconds // INTERVAL_S
    followed = per_interval(np.broadcast_to(np.asarray(load, dtype=float), seconds))
    return {
        "cpu_util_pct": percent(20 + followed + ar1(rng, n, 0.5, 1.5)),
        "mem_util_pct": percent(45 + ar1(rng, n, 0.8, 0.5)),
    }


def steady(seed: int = 1, *, seconds: int = 900, users: int = 20, ramp_s: int = 0, factor: float = 1.0) -> Scenario:
    """Nothing happens, after a ramp if there is one; `factor` slows everything down alike."""
    rng = np.random.default_rng(seed)
    level = ramp(seconds, users, ramp_s)
    median = SERVED_MS * factor * np.exp(ar1(rng, seconds, 0.95, 0.03))
    samples = traffic(rng, level, level * 0.6, median)
    truth = Truth(steady_from_s=float(ramp_s), steady_to_s=float(seconds))
    return Scenario(samples, seconds, truth, {"web-1": calm_host(rng, seconds, level)})


def with_step(seed: int = 1, *, seconds: int = 900, at_s: int = 450, factor: float = 1.6) -> Scenario:
    """From one moment on, everything takes longer."""
    rng = np.random.default_rng(seed)
    level = ramp(seconds, 20, 0)
    median = SERVED_MS * np.where(np.arange(seconds) >= at_s, factor, 1.0) * np.exp(ar1(rng, seconds, 0.95, 0.02))
    truth = Truth(steady_to_s=float(seconds), drifts=True)
    return Scenario(traffic(rng, level, level * 0.6, median), seconds, truth, {"web-1": calm_host(rng, seconds)})


def slow_drift(seed: int = 1, *, seconds: int = 1800, rise: float = 0.4) -> Scenario:
    """Under constant load, response times rise evenly by this share."""
    rng = np.random.default_rng(seed)
    level = ramp(seconds, 20, 0)
    median = SERVED_MS * (1 + rise * np.arange(seconds) / seconds) * np.exp(ar1(rng, seconds, 0.9, 0.02))
    truth = Truth(steady_to_s=float(seconds), drifts=True)
    return Scenario(traffic(rng, level, level * 0.6, median), seconds, truth, {"web-1": calm_host(rng, seconds)})


def leak(seed: int = 1, *, seconds: int = 3600) -> Scenario:
    """The memory of one host fills up under constant load, and response times follow late."""
    found = slow_drift(seed, seconds=seconds, rise=0.25)
    rng = np.random.default_rng(seed + 1000)
    n = seconds // INTERVAL_S
    filling = percent(40 + 50 * np.arange(n) / n + ar1(rng, n, 0.5, 0.6))
    leaking = calm_host(rng, seconds) | {"mem_util_pct": filling}
    truth = replace(found.truth, leaks=(("app-1", "mem_util_pct"),))
    return replace(found, truth=truth, metrics={**found.metrics, "app-1": leaking})


def saturation(seed: int = 1, *, at_users: int = 22, most_users: int = 60, level_s: int = 60) -> Scenario:
    """Users in twelve steps and a think time of a second: beyond `at_users` there is more waiting and no more work."""
    rng = np.random.default_rng(seed)
    levels = np.linspace(most_users / 12, most_users, 12).round()
    users = np.repeat(levels, level_s)
    think_s, served_s = 1.0, SERVED_MS / 1000
    most_per_s = at_users / (think_s + served_s)
    per_s = np.minimum(users / (think_s + served_s), most_per_s)
    median = np.maximum(SERVED_MS, (users / per_s - think_s) * 1000)
    busy = percent(95 * per_interval(per_s) / most_per_s + ar1(rng, len(users) // INTERVAL_S, 0.3, 1.0))
    metrics = {"db-1": calm_host(rng, len(users)) | {"cpu_util_pct": busy}, "web-1": calm_host(rng, len(users))}
    truth = Truth(
        steady_from_s=None, saturates_at_users=at_users, saturated_host="db-1", causes=(("db-1", "cpu_util_pct"),)
    )
    # The queue of a saturated service makes response times alike: they hold the same waiting.
    return Scenario(traffic(rng, users, per_s, median / 1.25, sigma=0.1), len(users), truth, metrics)


def unsaturated(seed: int = 1, *, most_users: int = 18) -> Scenario:
    """The same, below the point at which it saturates."""
    found = saturation(seed, at_users=most_users * 4, most_users=most_users)
    return replace(found, truth=Truth(steady_from_s=None))


def cause_and_follower(seed: int = 1, *, seconds: int = 1800, lag_s: int = 0, strength: float = 0.25) -> Scenario:
    """The load comes and goes. One metric moves the response times, after `lag_s`; another only follows the load."""
    rng = np.random.default_rng(seed)
    users = np.round(20 + 10 * np.sin(np.arange(seconds) / seconds * 6 * np.pi) + 5 * np.arange(seconds) / seconds)
    n = seconds // INTERVAL_S
    waits = ar1(rng, n + 50, 0.6, 1.0)[50:]
    late = round(lag_s / INTERVAL_S)
    felt = np.repeat(np.concatenate([np.zeros(late), waits[: n - late]]), INTERVAL_S)
    median = SERVED_MS * np.exp(strength * felt) * (1 + users / 200)
    metrics = {
        "db-1": calm_host(rng, seconds) | {"disk_wait_ms": 10 + 3 * waits},
        "web-1": calm_host(rng, seconds, users),
    }
    truth = Truth(
        steady_from_s=None,
        causes=(("db-1", "disk_wait_ms"),),
        followers=(("web-1", "cpu_util_pct"),),
        lag_s=float(late * INTERVAL_S),
    )
    return Scenario(traffic(rng, users, users * 0.6, median), seconds, truth, metrics)


def constant_load(seed: int = 1, *, seconds: int = 900) -> Scenario:
    """The same users all the time: throughput is flat because the load is."""
    return steady(seed, seconds=seconds)


def paced_load(seed: int = 1, *, seconds: int = 900, per_s: float = 12.0) -> Scenario:
    """Ever more users, and a timer in the script that holds the throughput: they wait for it, not for the service."""
    rng = np.random.default_rng(seed)
    users = np.round(np.linspace(5, 60, seconds))
    median = SERVED_MS * np.exp(ar1(rng, seconds, 0.95, 0.03))
    samples = traffic(rng, users, np.full(seconds, per_s), median)
    return Scenario(samples, seconds, Truth(steady_from_s=None), {"web-1": calm_host(rng, seconds)})


def error_storm(seed: int = 1, *, seconds: int = 900, at_s: int = 600, share: float = 0.3) -> Scenario:
    """From one moment on, a share of the requests fails, and quickly."""
    rng = np.random.default_rng(seed)
    level = ramp(seconds, 20, 0)
    stormy = np.arange(seconds) >= at_s
    samples = traffic(rng, level, level * 0.6, np.full(seconds, SERVED_MS), failing=np.where(stormy, share, 0.001))
    truth = Truth(steady_to_s=float(seconds), errors_from_s=float(at_s))
    return Scenario(samples, seconds, truth, {"web-1": calm_host(rng, seconds)})


def one_saturated_host(seed: int = 1, *, seconds: int = 900, hosts: int = 10, at_s: int = 450) -> Scenario:
    """One host of ten has no processor left from one moment on; a tenth of the requests goes there and waits."""
    rng = np.random.default_rng(seed)
    level = ramp(seconds, 30, 0)
    busy = np.arange(seconds) >= at_s
    calm, slow = level * 0.9, level * 0.1
    samples = pd.concat(
        [
            traffic(rng, level, calm, np.full(seconds, SERVED_MS)),
            traffic(rng, level, slow, SERVED_MS * np.where(busy, 6.0, 1.0)),
        ]
    ).sort_values("timeStamp", kind="stable")
    metrics = {f"app-{number}": calm_host(rng, seconds, 15.0) for number in range(1, hosts + 1)}
    saturated = f"app-{hosts - 2}"
    full = percent(np.where(per_interval(busy.astype(float)) > 0.5, 98.0, 35.0) + ar1(rng, seconds // INTERVAL_S, 0.3))
    metrics[saturated] = metrics[saturated] | {"cpu_util_pct": full}
    truth = Truth(steady_to_s=float(seconds), saturated_host=saturated, causes=((saturated, "cpu_util_pct"),))
    return Scenario(samples, seconds, truth, metrics)


def two_engines(seed: int = 1, *, seconds: int = 600, users: int = 10) -> Scenario:
    """Two engines with as many users each: there are twice as many as a row says."""
    rng = np.random.default_rng(seed)
    level = ramp(seconds, users, 60)
    each = [
        traffic(rng, level, level * 0.6, np.full(seconds, SERVED_MS), engine=f"engine-{number}") for number in (1, 2)
    ]
    samples = pd.concat(each).sort_values("timeStamp", kind="stable")
    return Scenario(samples, seconds, Truth(steady_from_s=60.0, steady_to_s=float(seconds)))


def with_gap(seed: int = 1, *, seconds: int = 900, gap_s: tuple[int, int] = (400, 460)) -> Scenario:
    """For a while nothing runs, and no metric is reported."""
    found = steady(seed, seconds=seconds)
    second = (found.samples["timeStamp"] - START_MS) / 1000
    ended = second + found.samples["elapsed"] / 1000
    kept = found.samples[(ended < gap_s[0]) | (second >= gap_s[1])]
    n = seconds // INTERVAL_S
    absent = np.zeros(n, dtype=bool)
    absent[gap_s[0] // INTERVAL_S : gap_s[1] // INTERVAL_S] = True
    metrics = {
        host: {name: np.where(absent, np.nan, values) for name, values in series.items()}
        for host, series in found.metrics.items()
    }
    truth = replace(found.truth, gap_s=(float(gap_s[0]), float(gap_s[1])))
    return replace(found, samples=kept, metrics=metrics, truth=truth)


SCENARIOS = {
    "steady": steady,
    "step": with_step,
    "slow_drift": slow_drift,
    "leak": leak,
    "saturation": saturation,
    "unsaturated": unsaturated,
    "cause_and_follower": cause_and_follower,
    "constant_load": constant_load,
    "paced_load": paced_load,
    "error_storm": error_storm,
    "one_saturated_host": one_saturated_host,
    "two_engines": two_engines,
    "gap": with_gap,
}


def write_run(store: RunStore, scenario: Scenario, /, run_id: str = "run-1", **facts: Any) -> RunFolder:
    """Make a run folder of a scenario: import its samples, and leave its metrics as Datadog's stage does."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "results.jtl"
        scenario.samples.to_csv(file, index=False)
        import_results(store, run_id, ImportRequest((file,)), RunFacts(**facts) if facts else None)
    run = store.open(run_id)
    for host, series in scenario.metrics.items():
        write_metrics(run, host, series, scenario.interval_s)
    return run


def write_metrics(run: RunFolder, host: str, series: dict[str, Series], interval_s: int = INTERVAL_S) -> None:
    """Leave the metrics of a host, and say so in the ledger. What is no number stays empty."""
    rows = pd.concat([_long_form(host, name, values, interval_s) for name, values in series.items()])
    with Ledger(run).step("datadog", "metrics", tool="get_host_metrics", part=host) as step:
        with run.staged(layout.HOST_METRICS, host=host) as target:
            rows.to_csv(target, index=False, columns=list(METRIC_COLUMNS))
        step.produced(run.path(layout.HOST_METRICS, host=host))


def _long_form(host: str, metric: str, values: Series, interval_s: int) -> pd.DataFrame:
    starts = pd.to_datetime(START_MS + np.arange(len(values)) * interval_s * 1000, unit="ms", utc=True)
    return pd.DataFrame(
        {
            "env_name": "shop",
            "env_tag": "env:shop",
            "scope": "host",
            "hostname": host,
            "filter": "",
            "container_or_pod": "",
            "timestamp_utc": starts.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "metric": metric,
            "value": np.round(values, 4),
            "unit": "percent" if metric.endswith("_pct") else "millisecond",
        }
    )
