"""The clock of Datadog and the one here may differ: what is over, or lies in the future, is for Datadog to say."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from datadog.tables import BEGIN, HOUR, queries, rows, values
from perfsuite.artifacts import RunFolder
from perfsuite.artifacts.schemas import Window
from perfsuite_datadog.core.windows import utc_text

QA = {"QA": {"env_tag": "perf", "hosts": [{"hostname": "shop-web-1"}]}}
WEB = "datadog/host_metrics_shop-web-1.csv"


def text(seconds: float) -> str:
    return utc_text(datetime.fromtimestamp(int(seconds), UTC))


def told_s(notes: list[str], way: str) -> float:
    """By how much they differ, as an answer says."""
    [found] = [match for one in notes if (match := re.match(rf"Datadog's clock is (\d+) s {way} the one here\.", one))]
    return float(found[1])


async def test_a_bucket_that_is_over_here_and_not_there_is_left_out(
    datadog: Callable[..., Any], configure: Callable[..., None], connect: Callable[[], Any], run: RunFolder
) -> None:
    datadog(ahead_s=-600)
    configure(QA)
    until = time.time() - 300
    window = {"from_time": (BEGIN + HOUR / 2).timestamp(), "to_time": until}
    async with connect() as caller:
        result = await caller.collect("get_host_metrics", environment="QA", run_id=run.run_id, **window)
    last = max(values(rows(run, WEB), "cpu_util_pct"))
    # Buckets of a minute: the newest whole one had ended when it was asked for, ten minutes ago by the clock here.
    assert text(time.time() - 600 - 240) < last <= text(time.time() - 600 - 60)
    assert any("cuts through are left out" in one for one in result["notes"])
    assert told_s(result["notes"], "behind") == pytest.approx(600, abs=3)


async def test_now_is_what_datadog_calls_so(
    datadog: Callable[..., Any], configure: Callable[..., None], connect: Callable[[], Any], run: RunFolder
) -> None:
    standin = datadog(ahead_s=-1800)
    configure(QA)
    async with connect() as caller:
        began = time.time()
        window = {"from_time": "now-20m", "to_time": "now"}
        result = await caller.collect("get_host_metrics", environment="QA", run_id=run.run_id, **window)
        logs = await caller.collect("get_logs", environment="QA", run_id=run.run_id, **window)
    start, end = result["window"].split(" to ")
    assert text(began - 1800 - 3) <= end[:19] + "Z" <= text(time.time() - 1800 + 3)
    assert text(began - 3000 - 3) <= start[:19] + "Z" <= text(time.time() - 3000 + 3)
    assert told_s(logs["notes"], "behind") == pytest.approx(1800, abs=3)
    assert standin.journal.received()[0].route == "datadog.validate"


async def test_a_run_that_is_over_there_is_not_refused_because_the_clock_here_is_late(
    datadog: Callable[..., Any], configure: Callable[..., None], connect: Callable[[], Any], run: RunFolder
) -> None:
    datadog(ahead_s=3600)
    configure(QA)
    begin = datetime.now(UTC) + timedelta(minutes=10)
    load = Window(first_sample_at=begin, last_sample_at=begin + timedelta(minutes=30))
    run.update(lambda record: record.model_copy(update={"window": load}))
    async with connect() as caller:
        result = await caller.collect("get_host_metrics", environment="QA", run_id=run.run_id)
        future = {"from_time": text(time.time() + 7200), "to_time": text(time.time() + 9000)}
        refused = await caller.refused("get_host_metrics", environment="QA", **future)
    assert result["complete"]
    assert told_s(result["notes"], "ahead of") == pytest.approx(3600, abs=3)
    assert all(one["rows"] > 0 for one in queries(run))
    assert "lies in the future. It is" in refused
    assert text(time.time() + 3600)[:13] in refused.split("It is")[1] or text(time.time() + 3590)[:13] in refused


async def test_clocks_that_agree_are_not_spoken_of(
    datadog: Callable[..., Any], configure: Callable[..., None], connect: Callable[[], Any], run: RunFolder
) -> None:
    standin = datadog(ahead_s=1)
    configure(QA)
    async with connect() as caller:
        result = await caller.collect("get_host_metrics", environment="QA", run_id=run.run_id)
    assert not any("clock" in one for one in result["notes"])
    # A window in the past is the same whatever time it is, so nothing is asked for that.
    assert "datadog.validate" not in {one.route for one in standin.journal.received()}


async def test_the_check_of_the_access_tells_of_the_clocks(
    datadog: Callable[..., Any], configure: Callable[..., None], connect: Callable[[], Any]
) -> None:
    datadog(ahead_s=900)
    configure(QA)
    async with connect() as caller:
        found = await caller.call("check_datadog_access")
    assert all(found["allowed"].values())
    assert told_s(found["problems"], "ahead of") == pytest.approx(900, abs=3)


def night_of_two_hours() -> datetime:
    """Midnight before the latest night in which clocks were put back in Berlin."""
    now = datetime.now(UTC)
    days = (datetime(year, 10, day, tzinfo=UTC) for year in (now.year, now.year - 1) for day in range(31, 24, -1))
    return next(day for day in days if day.weekday() == 6 and day + timedelta(days=1) < now)


async def test_in_the_night_when_clocks_are_put_back_no_hour_is_lost_or_comes_twice(
    datadog: Callable[..., Any], configure: Callable[..., None], connect: Callable[[], Any], run: RunFolder
) -> None:
    standin = datadog()
    configure(QA)
    night = f"{night_of_two_hours():%Y-%m-%d}"
    window = {"from_time": f"{night}T01:30 Europe/Berlin", "to_time": f"{night}T03:30 Europe/Berlin"}
    async with connect() as caller:
        twice = {**window, "to_time": f"{night}T02:30 Europe/Berlin"}
        refused = await caller.refused("get_host_metrics", environment="QA", **twice)
        assert standin.journal.received() == []
        result = await caller.collect("get_host_metrics", environment="QA", run_id=run.run_id, **window)
    assert "happened twice in Europe/Berlin" in refused
    assert result["window"].endswith(f" to {night}T02:30:00Z")
    times = [datetime.fromisoformat(one) for one in values(rows(run, WEB), "cpu_util_pct")]
    assert len(times) == 180
    assert {later - earlier for earlier, later in pairwise(times)} == {timedelta(minutes=1)}
