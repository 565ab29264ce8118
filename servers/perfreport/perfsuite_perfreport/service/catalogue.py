"""The built-in charts: what each shows, and which tool leaves what it is made of."""

from typing import Final, NamedTuple

from perfsuite_perfreport.models.charts import ChartType


class Kind(NamedTuple):
    """A built-in chart."""

    title: str
    made_by: str
    of_metrics: bool = False


_SAMPLES: Final = "analyze_test_results"
_METRICS: Final = "get_host_metrics or get_kubernetes_metrics"
KINDS: Final[dict[ChartType, Kind]] = {
    "THROUGHPUT_USERS": Kind("Throughput and users", _SAMPLES),
    "PERCENTILES_OVER_TIME": Kind("Response time percentiles over time", _SAMPLES),
    "P90_USERS": Kind("90th percentile of response times, and users", _SAMPLES),
    "ERRORS_BY_CODE": Kind("Failed requests by response code", _SAMPLES),
    "LATENCY_VS_THROUGHPUT": Kind("Response times against throughput", _SAMPLES),
    "LATENCY_VS_USERS": Kind("Response times and throughput against users", "correlate_test_results"),
    "LATENCY_DISTRIBUTION": Kind("Distribution of response times", _SAMPLES),
    "CPU_UTILIZATION": Kind("Processor use of hosts and services", _METRICS, of_metrics=True),
    "MEMORY_UTILIZATION": Kind("Memory use of hosts and services", _METRICS, of_metrics=True),
    "CPU_USERS": Kind("Processor use of hosts and services, and users", _METRICS, of_metrics=True),
    "MEMORY_USERS": Kind("Memory use of hosts and services, and users", _METRICS, of_metrics=True),
    "TOP_SLOWEST": Kind("Slowest requests", _SAMPLES),
    "SLA_MARGINS": Kind("What is left to the limits", f"{_SAMPLES} with slas.yaml"),
    "CORRELATION_HEATMAP": Kind("What moves with the response times", "correlate_test_results"),
    "GENERATOR_HEALTH": Kind("Health of the load generator", "start_jmeter_test"),
}
DEFAULT_CHARTS: Final[tuple[ChartType, ...]] = (
    "THROUGHPUT_USERS", "PERCENTILES_OVER_TIME", "P90_USERS", "ERRORS_BY_CODE", "CPU_UTILIZATION",
    "MEMORY_UTILIZATION",
)  # fmt: skip
