"""The columns of the result files, pinned on every start: what user.properties says must not change them."""

from typing import Final

_COLUMNS: Final = {
    "assertion_results_failure_message": "true",
    "bytes": "true",
    "connect_time": "true",
    "data_type": "true",
    "default_delimiter": ",",
    "encoding": "false",
    "filename": "false",
    "idle_time": "true",
    "label": "true",
    "latency": "true",
    "output_format": "csv",
    "print_field_names": "true",
    "response_code": "true",
    "response_message": "true",
    "sample_count": "false",
    "sent_bytes": "true",
    "successful": "true",
    "thread_counts": "true",
    "thread_name": "true",
    "time": "true",
    "timestamp_format": "ms",
    "url": "true",
    # What is not flushed cannot be shown live, and is lost with the process.
    "autoflush": "true",
}

RESULT_HEADER: Final = (
    "timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,failureMessage,bytes,sentBytes,"
    "grpThreads,allThreads,URL,Latency,IdleTime,Connect"
)


def result_properties(*, with_hostname: bool = False) -> dict[str, str]:
    """The properties to pass by -J; `with_hostname` adds the column that tells the engines of a test apart."""
    columns = {**_COLUMNS, "hostname": str(with_hostname).lower()}
    return {f"jmeter.save.saveservice.{name}": value for name, value in columns.items()}
