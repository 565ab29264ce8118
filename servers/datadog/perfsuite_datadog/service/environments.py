"""What `load_environment` does."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from perfsuite.artifacts import RunFolder, RunStore
from perfsuite.artifacts.schemas import RunRecord
from perfsuite.errors import Conflict
from perfsuite.settings import SuiteSettings
from perfsuite.workflow.ledger import Ledger
from perfsuite_datadog.core.windows import Span
from perfsuite_datadog.models.environments import Environment
from perfsuite_datadog.models.metrics import LoadedEnvironment
from perfsuite_datadog.service.configured import NamedEnvironment, custom_queries, find_environment
from perfsuite_datadog.service.desk import environment_name

TOOL: Final = "load_environment"
_MOST_NAMED: Final = 40


def load_environment(runs: RunStore, settings: SuiteSettings, name: str, run_id: str) -> LoadedEnvironment:
    """Say what an environment holds, and make it the one of the run. Nothing is asked of Datadog."""
    run = runs.open(run_id) if run_id else None
    found = find_environment(settings, environment_name(run, name))
    if run is not None:
        with Ledger(run).step("datadog", TOOL, tool=TOOL, inputs=[found.path]):
            _remember(run, found.name)
    return _told(settings, found, run)


def _remember(run: RunFolder, name: str) -> None:
    def changed(record: RunRecord) -> RunRecord:
        if record.request.environment not in (None, name):
            raise Conflict(
                f"Run {run.run_id!r} was made for the environment {record.request.environment!r}, not for {name!r}.",
                next_step=f"Name {record.request.environment!r}, or take another run.",
            )
        request = record.request.model_copy(update={"environment": name})
        return record.model_copy(update={"request": request})

    run.update(changed)


def _told(settings: SuiteSettings, found: NamedEnvironment, run: RunFolder | None) -> LoadedEnvironment:
    environment = found.environment
    queries = custom_queries(settings).value
    names: dict[str, Collection[str]] = {
        "hosts": environment.hostnames,
        "services": [one.filter for one in environment.kubernetes.services],
        "pods": [one.filter for one in environment.kubernetes.pods],
        "kpi_queries": queries.kpi_queries,
        "log_queries": queries.log_queries,
        "apm_queries": queries.apm_queries,
    }
    cut = [
        f"{len(found)} {kind}, of which {_MOST_NAMED} are listed."
        for kind, found in names.items()
        if len(found) > _MOST_NAMED
    ]
    load = run.record().window if run else None
    return LoadedEnvironment(
        environment=found.name,
        env_tag=environment.env_tag,
        namespace=environment.namespace,
        names={kind: list(found)[:_MOST_NAMED] for kind, found in names.items() if found},
        window=_shown(load.first_sample_at, load.last_sample_at) if load else None,
        notes=[*_notes(environment, run, has_window=load is not None), *cut],
        next_step=_next_step(environment, has_kpis=bool(queries.kpi_queries)),
    )


def _shown(first: datetime, last: datetime) -> str:
    return Span(first, last).shown


def _notes(environment: Environment, run: RunFolder | None, *, has_window: bool) -> list[str]:
    notes = []
    if not environment.hosts and not environment.kubernetes.services and not environment.kubernetes.pods:
        notes.append("It names no hosts, services or pods: there are logs and traces to collect, but no metrics.")
    if run is not None and not has_window:
        notes.append("The run has no samples yet, so `from_time` and `to_time` must be given.")
    return notes


def _next_step(environment: Environment, *, has_kpis: bool) -> str:
    kubernetes = environment.kubernetes.services or environment.kubernetes.pods
    tools = [
        ("get_host_metrics", environment.hosts),
        ("get_kubernetes_metrics", kubernetes),
        ("get_kpi_timeseries", has_kpis),
        ("get_logs", True),
    ]
    return f"Call {', '.join(f'`{tool}`' for tool, wanted in tools if wanted)}."
