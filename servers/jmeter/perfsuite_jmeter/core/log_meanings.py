"""What lines of a JMeter log that are well known mean, and what to do about them."""

import re
from typing import Final, NamedTuple


class Meaning(NamedTuple):
    """What a line means, and what to do next."""

    text: str
    next_step: str


_KNOWN: Final[tuple[tuple[str, str, str], ...]] = (
    (
        r"OutOfMemoryError: unable to create (?:new )?native thread|unable to create native thread",
        "The system gave JMeter no further thread: some users never started.",
        "Use fewer users on this machine, raise its limit of processes (ulimit -u), or use `remote_hosts`.",
    ),
    (
        r"OutOfMemoryError: Metaspace",
        "The JVM ran out of room for classes, usually because scripts are compiled again for every sample.",
        "Cache compiled scripts in the plan's JSR223 elements, then run again.",
    ),
    (
        r"GC overhead limit exceeded",
        "JMeter spent nearly all its time in garbage collections: the measured times are not the service's.",
        "Raise PERFSUITE_JMETER_HEAP, remove listeners that keep results, then run again with `rerun`.",
    ),
    (
        r"OutOfMemoryError",
        "JMeter ran out of memory: users died, and the times before it are not to be trusted.",
        "Raise PERFSUITE_JMETER_HEAP, use fewer users, or remove listeners and large responses from the plan.",
    ),
    (
        r"No space left on device|Disk quota exceeded|There is not enough space on the disk",
        "The disk is full: results after this are missing.",
        "Free space on the disk of the artifacts folder, then run again with `rerun`.",
    ),
    (
        r"Too many open files",
        "JMeter may not open further connections or files: samples failed here, not at the service.",
        "Raise the limit of open files (ulimit -n), or use keep-alive and fewer users.",
    ),
    (
        r"Cannot assign requested address|Address already in use",
        "The machine has no free port left for a new connection, or one that JMeter needs is taken.",
        "Use keep-alive in the plan, fewer users or a second machine; for remote engines, give each its own port.",
    ),
    (
        r"CannotResolveClassException|missing class|ClassNotFoundException|NoClassDefFoundError|Could not find.*class",
        "The plan uses a class that this JMeter does not have: a plug-in is missing.",
        "Call `validate_test_plan`: it names the plug-in and the command that installs it.",
    ),
    (
        r"rmi_keystore\.jks|RMI.*(?:SSL|keystore)",
        "The connection to a remote engine wants certificates that are not there.",
        "Make rmi_keystore.jks and put it on every machine, or set server.rmi.ssl.disable=true on all of them.",
    ),
    (
        r"Failed to (?:configure|initialise|create engine)|Error in rconfigure|rmi\.|RemoteException|remote engine",
        "A remote engine could not be reached or did not do what it was told.",
        "See that jmeter-server of the same version runs on each of `remote_hosts` and that its ports are open.",
    ),
    (
        r"(?:CSV|\.csv\b|FileServer).*(?:not exist|not found|must exist|No such file|Could not read|unable)"
        r"|must exist and be readable|FileNotFoundException|NoSuchFileException",
        "A file that the plan reads is not there, so users ran without its data or stopped.",
        "Call `validate_test_plan` for the files that are missing, and put them where the plan looks for them.",
    ),
    (
        r"UnknownHostException|Name or service not known|nodename nor servname",
        "The name of a host could not be resolved.",
        "Check the host in the plan and its properties, and the name service of the load generator.",
    ),
    (
        r"NoHttpResponseException|failed to respond",
        "The service or a balancer closed a connection that JMeter was about to use again.",
        "Compare the keep-alive times of service, balancer and httpclient4.idletimeout; see whether it was overloaded.",
    ),
    (
        r"ConnectTimeoutException|connect timed out|Connection timed out",
        "No connection was made in time: the service took none, or a firewall swallowed them.",
        "See the service's queue of connections and the network between; then look when it began.",
    ),
    (
        r"SocketTimeoutException|Read timed out",
        "The service took a request and did not answer in time.",
        "Look at the service at the time of the onset; `query_samples` shows which labels grew slow before.",
    ),
    (
        r"Connection refused",
        "Nothing took connections at the address: the service was down, or the address is wrong.",
        "Check that the service runs and the plan's host and port; then run again with `rerun`.",
    ),
    (
        r"Connection reset|Broken pipe|SocketException: Socket closed",
        "The other side cut connections in use: overload, a restart or a balancer's limit.",
        "Look at the logs of service and balancer at the time of the onset.",
    ),
    (
        r"SSLHandshakeException|SSLException|PKIX path",
        "No secure connection could be made: certificate, protocol or name do not fit.",
        "Check the certificate of the service and the trust store of the JVM.",
    ),
    (
        r"Error in NonGUIDriver",
        "JMeter gave up before the test began. The rest of the message says why.",
        "Call `validate_test_plan`, mend what it names, then start again with `rerun`.",
    ),
    (
        r"Uncaught Exception",
        "A thread of JMeter died of an error that nobody handled: users may be missing from then on.",
        "Read the root cause; plug-ins and scripts are the usual authors.",
    ),
    (
        r"Problem in JSR223|BeanShell|groovy\.lang|ScriptException",
        "A script of the plan failed; what it should have set is missing in the samples after it.",
        "Mend the script that the message names.",
    ),
    (
        r"BackendListener|Backend Listener|InfluxD[Bb]|GraphiteMetricsSender",
        "Live metrics could not be sent. The results of the test are not touched by that.",
        "Check the address in the plan's backend listener, or switch it off.",
    ),
)
_EVENTS: Final[tuple[tuple[str, str, str], ...]] = (
    (
        r"Command: (?:Shutdown|StopTestNow)|(?:Shutdown|StopTestNow).*received",
        "Somebody asked the test to stop.",
        "It was `stop_jmeter_test`, the limit of its duration, or a person; `get_jmeter_run_status` says which.",
    ),
    (
        r"Stop(?:ping)? ?(?:Test|Thread)(?: Now)?.*(?:detected|seen|requested)|Shutdown Test detected",
        "The plan itself ended a user or the test: 'action to be taken after a sampler error', or a script.",
        "Look at the first errors before it, and at the setting in the plan's thread groups.",
    ),
    (
        r"No enabled thread groups? found",
        "The plan has no thread group that is switched on: nothing was tested.",
        "Enable one in the plan, then start again with `rerun`.",
    ),
)
"""What JMeter tells as a matter of course, and yet matters."""


class _Table:
    def __init__(self, known: tuple[tuple[str, str, str], ...]) -> None:
        self._patterns = [(re.compile(pattern), Meaning(text, step)) for pattern, text, step in known]
        # One look tells most lines from all of these.
        self._any = re.compile("|".join(f"(?:{pattern})" for pattern, _, _ in known))

    def find(self, text: str) -> Meaning | None:
        if not self._any.search(text):
            return None
        return next((meaning for pattern, meaning in self._patterns if pattern.search(text)), None)


_OF_FAILURES: Final = _Table(_KNOWN + _EVENTS)
_OF_EVENTS: Final = _Table(_EVENTS)


def meaning_of(text: str, *, is_serious: bool) -> Meaning | None:
    """What is known about a line with its stack trace. What is not serious may only be an event."""
    return (_OF_FAILURES if is_serious else _OF_EVENTS).find(text)
