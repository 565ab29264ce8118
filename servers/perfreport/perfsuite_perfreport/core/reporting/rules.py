"""The rule table of recommendations: what to do about a class of findings, and how to check that it worked.

A rule speaks only where an analysis found something of its kinds; a class without a rule gets no recommendation. The
order of the table is the order of the report: whoever mends the generator last has measured nothing before.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Rule:
    """`slots` are the keys of a finding's evidence that the recommendation shows, where the finding has them."""

    kinds: tuple[str, ...]
    title: str
    slots: tuple[str, ...]
    what: str
    check: str


RULES: Final = (
    Rule(
        ("load_generator", "generator_saturated"), "Load generator",
        ("java_cpu_pct", "machine_cpu_pct", "gc_pct"),
        "Repeat the test with a larger generator, or with several, before judging any response time.",
        "The generator is `healthy` in the next analysis, and the same load gives the same or shorter times.",
    ),
    Rule(
        ("rejected_rows", "gap", "clock"), "Data of the test", ("rows", "share", "from_s", "to_s", "seconds", "engine"),
        "Find out why rows, times or stretches of the run are missing or wrong, and collect the results again.",
        "The section on data quality of the next report no longer names it.",
    ),
    Rule(
        ("no_steady_state", "short_steady_state"), "Length of the test", ("seconds",),
        "Hold the load constant for at least five minutes after the ramp, longer if leaks are the question.",
        "The next report names a steady state and gives its numbers.",
    ),
    Rule(
        ("only_transactions", "labels_folded"), "Labels of the test plan", ("labels",),
        "Name requests without ids, and let the plan write its samplers as well as its transactions.",
        "The table of transactions lists every request by itself.",
    ),
    Rule(
        ("errors", "error_onset"), "Failures", ("count", "share", "first_seen", "calm", "then", "code"),
        "Find the cause of the most frequent failures first: start at the time when they were first seen, in the logs "
        "of the service that answers these requests.",
        "A run at the same load has none of these causes among its failures.",
    ),
    Rule(
        ("quick_failures", "fast_failures"), "Failures that are quick",
        ("p50_ms", "success_p50_ms", "failed_ms", "succeeded_ms", "errors"),
        "Judge response times by successes alone until the failures are gone: they make the others look good.",
        "The medians of all samples and of successes are about the same in the next run.",
    ),
    Rule(
        ("cpu",), "Processors", ("maximum", "seconds", "users", "throughput_per_s"),
        "Profile what runs on this machine at that load; then make it cheaper, or give it more processors.",
        "At the same load the processors stay below the threshold, and the response times do not rise.",
    ),
    Rule(
        ("memory", "leak_suspect", "restarts"), "Memory", ("maximum", "restarts", "change", "per_hour", "p_value"),
        "Compare two heap dumps taken under load with some time between, and look at what was killed and restarted.",
        "Over a run of the same length, memory after garbage collection stays level, and nothing restarts.",
    ),
    Rule(
        ("saturated",), "Hosts and containers at their limit",
        ("p95", "maximum", "threshold", "longest_above_s", "from_s"),
        "See what uses it at that time; spread the load, or raise the limit.",
        "The metric stays below its threshold at the same load.",
    ),
    Rule(
        ("pool",), "Something that is counted", ("busiest", "pct", "users", "throughput_per_s"),
        "Collect used and waiting of connection and thread pools, and repeat the test with a larger one.",
        "Throughput grows beyond the users at which it stood still, or the pool is shown not to be full.",
    ),
    Rule(
        ("queueing", "throughput_plateau", "plateau", "bend"), "Capacity",
        ("users", "throughput_per_s", "more_users", "more_waiting"),
        "Treat this throughput as the most that the system gives today; find the queue before adding users.",
        "The plateau lies at more users and at a higher throughput in a run with the same steps.",
    ),
    Rule(
        ("downstream",), "What only some transactions use", ("calm_ms", "then_ms", "example", "partial"),
        "Trace the slow transactions, and look at what they use and the others do not: a table, a query, a service.",
        "These transactions take as long as the others do, compared with their own calm times.",
    ),
    Rule(
        ("network",), "Network", ("connecting_more_ms", "transfer_more_ms", "waiting_more_ms"),
        "Look at bytes per second of every link, at retransmits, TLS handshakes and keep-alive.",
        "The times to connect and to transfer are level over the run.",
    ),
    Rule(
        ("drift",), "Drift", ("change", "change_low", "change_high", "p_value", "step_at_s"),
        "Look at what fills up or happened during the run: memory, connections, tables, disks, jobs, deployments.",
        "A run of the same length and load is `steady`.",
    ),
    Rule(
        ("moves_with",), "What moves with the responses", ("partial", "p_adjusted", "lag_s", "n_effective"),
        "Change this alone, or hold it still, in an experiment: what moves together need not be cause and effect.",
        "With the change, the responses change as the experiment foretold, at the same load.",
    ),
    Rule(
        ("log",), "Log entries", ("count", "source", "first_seen", "per_minute_before", "per_minute_after"),
        "Read these entries with the team of the service: begin with those that came before, or with, the failures.",
        "The next run has none of them, or they are known to be harmless.",
    ),
    Rule(
        ("sla",), "Limits that are broken or at risk", ("limit", "actual", "low", "high"),
        "Take the findings above first, since they may be the cause; then trace the transactions furthest beyond their "
        "limits.",
        "These limits say PASS at the same load, with the whole interval inside.",
    ),
)  # fmt: skip
_CLASSES: Final = {kind: rule.title for rule in RULES for kind in rule.kinds}


def class_of(kind: str) -> str:
    """The class that a finding of this kind belongs to: itself where there is no rule for it."""
    return _CLASSES.get(kind, kind)
