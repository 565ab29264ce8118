"""What the all-in-one server carries: the servers there are, and the tools that clients with little room get."""

from typing import Final, Literal

Preset = Literal["all", "core"]

# In the order of a run, and what each is for, in its own first words: it is said before any of them is imported.
PURPOSES: Final = {
    "perfreport": "PerfReport: Reports, charts and summaries of analysed runs",
    "blazemeter": "BlazeMeter: Load tests that ran on BlazeMeter",
    "jmeter": "JMeter: Load tests by the real JMeter that outlive this server",
    "datadog": "Datadog: Metrics, logs and traces of a load test from Datadog",
    "perfanalysis": "PerfAnalysis: Exact numbers about load-test runs, and findings that say how sure they are",
    "confluence": "Confluence: Reports of load tests, published as pages of Confluence Cloud or of a Confluence on "
    "premises",
}
SERVERS: Final = tuple(PURPOSES)

MOST_TOOLS_OF_CORE: Final = 40
# Every step of a workflow, starting and stopping a test, and the questions that come after. What is left out lists,
# explains or repeats, or is for few.
CORE: Final = frozenset(
    {
        "cancel_job",
        # perfreport
        "start_workflow", "get_workflow_status", "get_workflow_summary",
        "create_performance_test_report", "create_comparison_report", "create_chart", "list_chart_types",
        # blazemeter
        "get_workspaces", "get_tests", "get_test_runs", "start_test", "stop_test", "check_test_status",
        "get_run_results", "get_artifact_file_list", "process_session_artifacts", "get_aggregate_report",
        # jmeter
        "validate_test_plan", "start_jmeter_test", "get_jmeter_run_status", "stop_jmeter_test", "list_jmeter_runs",
        "collect_jmeter_results",
        # datadog
        "load_environment", "get_host_metrics", "get_kubernetes_metrics", "get_logs",
        # perfanalysis
        "analyze_test_results", "analyze_environment_metrics", "correlate_test_results", "identify_bottlenecks",
        "analyze_logs", "compare_test_runs", "query_samples",
        # confluence
        "list_spaces", "get_space_details", "list_pages", "get_available_reports", "publish_report",
    }
)  # fmt: skip
