"""BlazeMeter's reports about a run, as they arrive. What is missing is None: nothing stands in for it."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from perfsuite_blazemeter.models.values import Count, Key, Label, Listed, Moment, Number, Received, Text

ALL = "ALL"
INCONSISTENCY = "err_inconsistency"


def _code(value: Any) -> Any:
    return None if value is None else str(value)


class SummaryRow(Received):
    """A row of the summary: milliseconds, hits per second, seconds."""

    id: Text = None
    lb: Text = None
    hits: Count | None = None
    failed: Count | None = None
    avg: Number | None = None
    min: Number | None = None
    max: Number | None = None
    median: Number | None = None
    tp90: Number | None = None
    tp95: Number | None = None
    tp99: Number | None = None
    std: Number | None = None
    hits_avg: Annotated[Number | None, Field(alias="hits_avg")] = None
    latency_avg: Number | None = None
    first: Moment = None
    last: Moment = None
    duration: Number | None = None
    bytes: Number | None = None
    size_avg: Annotated[Number | None, Field(alias="size_avg")] = None
    concurrency: Count | None = None
    max_users: Count | None = None


class Summary(Received):
    """The summary of a run, of which only the row of all labels counts."""

    max_users: Count | None = None
    summary: Listed[SummaryRow] = ()

    @property
    def overall(self) -> SummaryRow | None:
        """The row ALL, wherever in the list it stands."""
        return next((row for row in self.summary if ALL in (row.id, row.lb)), None)


class AggregateRow(Received):
    """A row of the request statistics: milliseconds, seconds, hits per second; errors_rate in percent."""

    label_id: Text = None
    label_name: Label = None
    samples: Count | None = None
    avg_response_time: Number | None = None
    min_response_time: Number | None = None
    max_response_time: Number | None = None
    median_response_time: Number | None = None
    line_90: Annotated[Number | None, Field(alias="90line")] = None
    line_95: Annotated[Number | None, Field(alias="95line")] = None
    line_99: Annotated[Number | None, Field(alias="99line")] = None
    geo_mean_response_time: Number | None = None
    st_dev: Number | None = None
    avg_latency: Number | None = None
    errors_count: Count | None = None
    errors_rate: Number | None = None
    avg_throughput: Number | None = None
    avg_bytes: Number | None = None
    duration: Number | None = None
    concurrency: Number | None = None
    has_label_passed_thresholds: bool | None = None

    @property
    def is_all(self) -> bool:
        return ALL in (self.label_id, self.label_name)


class ReportedError(Received):
    """Samples that failed with this code and message."""

    rc: Annotated[Text, BeforeValidator(_code)] = None
    m: Text = None
    count: Count = 0


class ReportedAssertion(Received):
    """Assertions that failed with this message."""

    name: Text = None
    failure_message: Text = None
    failures: Count = 0


class ReportedUrl(Received):
    """How often this address failed."""

    url: Text = None
    count: Count = 0


class FailedResource(Received):
    """Embedded resources that failed."""

    rc: Annotated[Text, BeforeValidator(_code)] = None
    rm: Text = None
    count: Count = 0


class ErrorRow(Received):
    """The errors of one label; those of ALL are the same errors once more."""

    id: Annotated[Text, Field(alias="_id")] = None
    label_id: Text = None
    name: Text = None
    errors: Listed[ReportedError] = ()
    assertions: Listed[ReportedAssertion] = ()
    urls: Listed[ReportedUrl] = ()
    failed_embedded_resources: Listed[FailedResource] = ()
    samples_not_counted: Count | None = None
    assertions_not_counted: Count | None = None
    other_errors_count: Count | None = None

    @property
    def names(self) -> tuple[str | None, ...]:
        return self.id, self.label_id, self.name


class Threshold(Received):
    """A criterion. `op` is when it FAILS: errors.percent gt 1 fails above one percent."""

    field: Text = None
    label_id: Text = None
    op: Text = None
    threshold: float | None = None
    value: float | None = None
    success: bool | None = None
    assertions: tuple[Any, ...] | None = None
    """Only in what `source=default` gives, which is not asked for: it says success whatever happened."""


class Thresholds(Received):
    """The criteria of a run and what became of them."""

    data: Listed[Threshold] = ()


class CiProblem(Received):
    """An error or a failure of the run as a build server sees it."""

    code: int | None = None
    message: Text = None


class CiStatus(Received):
    """The run as a build server sees it."""

    errors: Listed[CiProblem] = ()
    failures: Listed[CiProblem] = ()


class LogFile(Received):
    """A file that a session left. Without `data_url` it is not ready yet, or never will be."""

    title: Text = None
    filename: Text = None
    data_url: Annotated[str | None, Field(repr=False)] = None


class SessionLogs(Received):
    """The files of a session."""

    session_id: Text = None
    data: Listed[LogFile] = ()


class LabelName(Received):
    """A label and its key in BlazeMeter."""

    id: Key
    name: Text = None
