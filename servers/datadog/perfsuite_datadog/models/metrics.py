"""The answers of the tools about hosts and containers. Percentages are of 100; null means unknown, never zero."""

from pydantic import BaseModel, ConfigDict, Field


class Result(BaseModel):
    model_config = ConfigDict(frozen=True)


class HostLoad(Result):
    """Averages over the window, and the worst bucket."""

    host: str
    cpu_avg_pct: float | None = None
    cpu_max_pct: float | None = None
    iowait_max_pct: float | None = None
    stolen_max_pct: float | None = None
    mem_avg_pct: float | None = None
    mem_max_pct: float | None = None
    file: str | None = None
    answered: bool = Field(default=False, exclude=True)


class Collected(Result):
    """What every answer about metrics begins with."""

    environment: str
    window: str
    interval_s: float | None
    complete: bool
    requests: int
    total: int
    has_more: bool
    notes: list[str]
    next_step: str


class HostMetrics(Collected):
    """The hottest hosts first. `silent` are hosts of the environment that answered nothing."""

    hosts: list[HostLoad]
    silent: list[str]


class Hottest(Result):
    """The container that comes closest to its limit."""

    name: str
    avg_pct: float | None
    max_pct: float | None


class FilterLoad(Result):
    """One filter. cpu and mem are of the limits of those containers that have one."""

    filter: str
    containers: int
    without_cpu_limit: int
    without_mem_limit: int
    cpu_avg_pct: float | None
    mem_avg_pct: float | None
    hottest_cpu: Hottest | None
    hottest_mem: Hottest | None
    throttled_max_pct: float | None
    restarts: int | None
    file: str | None
    note: str | None = None


class KubernetesMetrics(Collected):
    filters: list[FilterLoad]


class KpiSeries(Result):
    metric: str
    group: str
    unit: str | None
    min: float | None
    avg: float | None
    max: float | None
    points: int


class KpiEntity(Result):
    entity: str
    file: str | None
    series: list[KpiSeries]
    series_total: int
    note: str | None = None


class KpiMetrics(Collected):
    entities: list[KpiEntity]


class LoadedEnvironment(Result):
    environment: str
    env_tag: str
    namespace: str | None
    hosts: list[str]
    hosts_total: int
    services: list[str]
    pods: list[str]
    kpi_queries: list[str]
    log_queries: list[str]
    apm_queries: list[str]
    window: str | None
    notes: list[str]
    next_step: str


class AccessCheck(Result):
    """What the credentials are good for. null means that it could not be tried."""

    site: str
    url: str
    api_key_valid: bool
    metrics: bool | None
    hosts: bool | None
    logs: bool | None
    spans: bool | None
    problems: list[str]
    next_step: str
