"""What stands in the data centre that the stand-in tells of."""

from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from perfsuite.errors import BadInput
from perfsuite.sandbox.datadog.curves import Corner

API_KEY: Final = "sandbox-api-key"
APPLICATION_KEY: Final = "sandbox-application-key"

Scope = Literal["timeseries_query", "metrics_read", "hosts_read", "logs_read_data", "apm_read"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class HostSpec(_Part):
    """A host, and what one user costs it."""

    name: str = Field(max_length=200)
    env: str = "perf"
    cores: int = Field(default=4, ge=1, le=1024)
    memory_mib: float = Field(default=8_192, ge=64)
    idle_cpu_pct: float = Field(default=6, ge=0, le=100)
    cpu_pct_per_user: float = Field(default=0.5, ge=0)
    iowait_share: float = Field(default=0.08, ge=0, le=0.5, description="of the busy time")
    stolen_share: float = Field(default=0.04, ge=0, le=0.4, description="of the busy time")
    idle_memory_mib: float = Field(default=1_500, ge=0)
    memory_mib_per_user: float = Field(default=6, ge=0)
    leak_mib_per_hour: float = Field(default=0, ge=0, description="from the beginning of the load on")
    page_cache_share: float = Field(default=0.35, ge=0, le=1, description="of the memory that programs leave")
    tags: tuple[str, ...] = ()
    silent_from: float | None = Field(default=None, description="seconds since the epoch from which it is not heard of")


class ContainerSpec(_Part):
    """A container of every pod of a service. A limit or request of null was never set."""

    name: str = "app"
    cpu_limit: float | None = Field(default=1.0, gt=0, description="cores")
    cpu_request: float | None = Field(default=0.5, gt=0, description="cores")
    memory_limit_mib: float | None = Field(default=1_024, gt=0)
    memory_request_mib: float | None = Field(default=512, gt=0)
    idle_cores: float = Field(default=0.03, ge=0)
    cores_per_user: float = Field(default=0.02, ge=0, description="over all pods of the service")
    idle_memory_mib: float = Field(default=300, ge=0)
    memory_mib_per_user: float = Field(default=4, ge=0, description="over all pods of the service")
    leak_mib_per_hour: float = Field(default=0, ge=0)
    heap_share: float = Field(default=0.0, ge=0, le=0.9, description="of the memory that is Java's heap; 0: no Java")


class ServiceSpec(_Part):
    """A deployment on Kubernetes."""

    name: str = Field(max_length=200)
    env: str = "perf"
    namespace: str = "shop"
    pods: int = Field(default=3, ge=1, le=500)
    containers: tuple[ContainerSpec, ...] = (ContainerSpec(),)
    hot_pod_factor: float = Field(default=1.4, ge=1, le=20, description="how much more the first pod gets")
    base_ms: float = Field(default=40, gt=0)
    restarts_at: tuple[float, ...] = Field(default=(), description="seconds since the epoch, of the first pod")
    tags: tuple[str, ...] = ()


class LimitSpec(_Part):
    """So many requests in so many seconds."""

    limit: int = Field(ge=1)
    period_s: int = Field(ge=1)


class LogSpec(_Part):
    """How much is logged and traced."""

    lines_per_request: float = Field(default=0.2, ge=0, le=100)
    spans_per_request: float = Field(default=0.2, ge=0, le=100)
    lines_per_idle_minute: float = Field(default=6, ge=0)


class Row(_Part):
    """A measured value. Rows of a metric take the place of what the model would say about it."""

    metric: str
    timestamp: float = Field(description="seconds since the epoch")
    value: float | None
    tags: tuple[str, ...] = ()
    unit: str | None = None
    kind: Literal["gauge", "count", "rate"] = "gauge"


class LogRow(_Part):
    """A log line that somebody wrote, beside those of the model."""

    timestamp: float = Field(description="seconds since the epoch")
    message: str
    service: str = "checkout"
    host: str = "given-1"
    status: str = "info"
    tags: tuple[str, ...] = ()
    attributes: dict[str, Any] = Field(default_factory=dict)


LIMITS: Final = {
    "query": LimitSpec(limit=1600, period_s=3600),
    "metrics": LimitSpec(limit=1000, period_s=3600),
    "logs_public_search_api": LimitSpec(limit=10, period_s=10),
    "logs_public_aggregate_api": LimitSpec(limit=300, period_s=3600),
    "spans_public_search_api": LimitSpec(limit=300, period_s=3600),
    "global_org": LimitSpec(limit=12_000, period_s=60),
}


class DatadogSpec(_Part):
    """The whole data centre."""

    hosts: tuple[HostSpec, ...] = (HostSpec(name="shop-db-1"), HostSpec(name="shop-web-1"))
    services: tuple[ServiceSpec, ...] = (
        ServiceSpec(name="checkout", containers=(ContainerSpec(heap_share=0.6),)),
        ServiceSpec(
            name="catalog", pods=2, containers=(ContainerSpec(), ContainerSpec(name="sidecar", cpu_limit=None))
        ),
    )
    corners: tuple[Corner, ...] = Field(default=(), description="users over time")
    run_folder: str | None = Field(default=None, description="a run whose samples are the load, in place of `corners`")
    shop_control_url: str | None = Field(default=None, description="a shop whose published metrics become hosts")
    machine: str | None = Field(default=None, description="a host that is this machine itself, as it is measured")
    rows: tuple[Row, ...] = ()
    log_rows: tuple[LogRow, ...] = ()
    requests_per_user_s: float = Field(default=1.0, ge=0)
    capacity_per_s: float = Field(default=1e6, gt=0)
    log: LogSpec = LogSpec()
    limits: dict[str, LimitSpec] = Field(default_factory=dict, description=f"any of {', '.join(LIMITS)}")
    memory_unit: Literal["mebibyte", "byte"] = "mebibyte"
    missing_scopes: tuple[Scope, ...] = ()
    api_key: str = API_KEY
    application_key: str = APPLICATION_KEY
    seed: int = Field(default=1, ge=0)

    @classmethod
    def of(cls, values: object) -> Self:
        """The spec of these values, or an error that names the wrong one."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            found = "; ".join(f"{'.'.join(map(str, p['loc'])) or 'spec'}: {p['msg']}" for p in error.errors())
            raise BadInput(
                f"There is no such Datadog stand-in: {found[:1000]}.", next_step="Correct these values."
            ) from None

    def limit(self, name: str) -> LimitSpec:
        return self.limits.get(name, LIMITS[name])
