"""Runs with one bottleneck each, or none, beyond those of `synthetic`, and what must be found first in each."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from perfsuite.artifacts import RunFolder, RunStore, layout

from .synthetic import (
    LABELS,
    START_MS,
    Scenario,
    calm_host,
    constant_load,
    error_storm,
    leak,
    one_saturated_host,
    paced_load,
    saturation,
    slow_drift,
    steady,
    two_engines,
    unsaturated,
    with_gap,
    with_step,
    write_run,
)

HEALTH_HEADER = "timestamp_utc,java_cpu_pct,machine_cpu_pct,rss_mb,threads,load1,gc_pct,heap_used_mb\n"
AT_S = 450


def full_pool(seed: int = 1) -> Scenario:
    """Saturated like `saturation`, while no host is busy."""
    found = saturation(seed)
    rng = np.random.default_rng(seed + 2000)
    return replace(found, metrics={host: calm_host(rng, found.seconds) for host in ("db-1", "web-1")})


def slow_network(seed: int = 1) -> Scenario:
    """From one moment on, answers take 150 ms more to arrive after their first byte."""
    found = steady(seed)
    samples = found.samples.copy()
    late = samples["timeStamp"] >= START_MS + AT_S * 1000
    samples.loc[late, "elapsed"] += 150
    return replace(found, samples=samples)


def slow_dependency(seed: int = 1) -> Scenario:
    """From one moment on, one label of three takes three times as long."""
    found = steady(seed)
    samples = found.samples.copy()
    late = (samples["timeStamp"] >= START_MS + AT_S * 1000) & (samples["label"] == LABELS[1])
    for column in ("elapsed", "Latency"):
        samples.loc[late, column] *= 3
    return replace(found, samples=samples)


def quick_failures(seed: int = 1) -> Scenario:
    """A fifth of the requests fails all the time, and comes back at once."""
    found = steady(seed)
    samples = found.samples.copy()
    failed = np.random.default_rng(seed + 3000).random(len(samples)) < 0.2
    samples.loc[failed, ["elapsed", "Latency"]] = 5
    samples.loc[failed, "success"] = "false"
    samples.loc[failed, "responseCode"] = "500"
    return replace(found, samples=samples)


def written(runs: RunStore, name: str, seed: int, run_id: str) -> RunFolder:
    """The run folder of one of these."""
    make, _ = RUNS[name]
    run = write_run(runs, make(seed), run_id)
    write_health(run, 97.0 if name == "busy generator" else 35.0)
    return run


def write_health(run: RunFolder, cpu_pct: float, seconds: int = 900) -> None:
    """Leave the readings of a generator that was so busy all the time."""
    moments = np.datetime64(START_MS, "ms") + np.arange(0, seconds, 5) * np.timedelta64(1000, "ms")
    rows = [f"{moment}Z,{cpu_pct - 5},{cpu_pct},500,40,1.5,1.0,300\n" for moment in moments]
    with run.staged(layout.JMETER_HEALTH) as target:
        target.write_text(HEALTH_HEADER + "".join(rows), encoding="utf-8")


RUNS: dict[str, tuple[Callable[[int], Scenario], str]] = {
    "steady": (steady, "none"),
    "constant load": (constant_load, "none"),
    "unsaturated steps": (unsaturated, "none"),
    "paced load": (paced_load, "none"),
    "two engines": (two_engines, "none"),
    "gap": (with_gap, "none"),
    "busy generator": (steady, "load_generator"),
    "saturated host": (saturation, "cpu"),
    "one host of ten": (one_saturated_host, "cpu"),
    "leak": (leak, "memory"),
    "full pool": (full_pool, "pool"),
    "slow network": (slow_network, "network"),
    "slow dependency": (slow_dependency, "downstream"),
    "error storm": (error_storm, "error_onset"),
    "quick failures": (quick_failures, "error_onset"),
    "slow drift": (slow_drift, "drift"),
    "jump": (with_step, "drift"),
}
"""How each is made, and what must come first."""
