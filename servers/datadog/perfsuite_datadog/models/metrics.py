"""The answers of the tools. Percentages are of 100; null means unknown, never zero."""

from pydantic import BaseModel, ConfigDict, Field

Row = dict[str, object]


class Result(BaseModel):
    model_config = ConfigDict(frozen=True)


class Collected(Result):
    """What was collected: a row for each host, filter or series. The values over time are in the files."""

    environment: str
    window: str
    interval_s: float | None
    complete: bool
    rows: list[Row]
    total: int
    has_more: bool
    notes: list[str]
    next_step: str


class HostLoad(Result):
    """A row about a host: averages over the window, and the worst bucket."""

    host: str
    cpu_avg_pct: float | None = None
    cpu_max_pct: float | None = None
    iowait_max_pct: float | None = None
    stolen_max_pct: float | None = None
    mem_avg_pct: float | None = None
    mem_max_pct: float | None = None
    file: str | None = None
    silent: bool = Field(default=False, exclude=True)


class FilterLoad(Result):
    """A row about a filter. The averages are of the limits of those containers that have one."""

    filter: str
    containers: int
    without_cpu_limit: int
    without_mem_limit: int
    cpu_avg_pct_of_limit: float | None
    mem_avg_pct_of_limit: float | None
    hottest_cpu: str | None
    hottest_cpu_avg_pct: float | None
    hottest_cpu_max_pct: float | None
    hottest_mem: str | None
    hottest_mem_avg_pct: float | None
    hottest_mem_max_pct: float | None
    throttled_max_pct: float | None
    restarts: int | None
    file: str | None
    note: str | None = None


class KpiSeries(Result):
    """A row about one series of one host, service or environment."""

    entity: str
    metric: str
    group: str = ""
    unit: str | None = None
    min: float | None = None
    avg: float | None = None
    max: float | None = None
    points: int = 0
    file: str | None = None
    note: str | None = None


class LoadedEnvironment(Result):
    """An environment. `names` are those of hosts, services, pods and custom queries."""

    environment: str
    env_tag: str
    namespace: str | None
    names: dict[str, list[str]]
    window: str | None
    notes: list[str]
    next_step: str


class AccessCheck(Result):
    """What the credentials are good for. null means that it could not be tried."""

    url: str
    allowed: dict[str, bool | None]
    problems: list[str]
    next_step: str
