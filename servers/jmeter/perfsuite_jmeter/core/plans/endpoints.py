"""Where elements that are not HTTP requests say which host they reach."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from perfsuite_jmeter.core.plans.addresses import host_of_authority, host_of_url
from perfsuite_jmeter.models.plan import Role


class Endpoint(NamedTuple):
    """A property, and what stands in it."""

    property: str
    role: Role = "load"


# Samplers whose host may also come from a configuration element around them, by the property of both.
SAMPLERS: Final[dict[str, tuple[Endpoint, ...]]] = {
    "TCPSampler": (Endpoint("TCPSampler.server"),),
    "FTPSampler": (Endpoint("FTPSampler.server"),),
    "LDAPSampler": (Endpoint("servername"),),
    "LDAPExtSampler": (Endpoint("servername"),),
    "SmtpSampler": (Endpoint("SMTPSampler.server", "mail"),),
    "MailReaderSampler": (Endpoint("host", "mail"),),
}
# Samplers that reach what an element around them is connected to, or nothing at all.
ELSEWHERE: Final = frozenset(
    {
        "DebugSampler", "TestAction", "JDBCSampler", "MongoScriptSampler", "BoltSampler", "SystemSampler",
        "BeanShellSampler", "BSFSampler", "JSR223Sampler", "kg.apc.jmeter.samplers.DummySampler",
        "kg.apc.jmeter.control.sampler.SetVariablesAction",
    }
)  # fmt: skip
# Elements that are no samplers and connect to something.
CONNECTED: Final[dict[str, tuple[Endpoint, ...]]] = {
    "DataSourceElement": (Endpoint("dbUrl", "database"), Endpoint("JDBCSampler.url", "database")),
    "MongoSourceElement": (Endpoint("connection", "database"),),
    "BoltConnectionElement": (Endpoint("boltUri", "database"),),
}
# Values that name a host, in elements of which nothing is known.
TELLING: Final = re.compile(
    r"(?i)(?:^|[._ ])(?:server|hosts?|hostname|servername|smtphost|domain|url|uri|address|endpoint|brokers?)$"
    r"|(?:provider_?url|dburl|serverurl|brokerurl|influxdburl|graphitehost|hostname|bootstrap\.servers|smtphost)$"
)
# Java requests that JMeter itself brings, and that stay on the machine.
HARMLESS_JAVA: Final = frozenset(
    {"org.apache.jmeter.protocol.java.test.JavaTest", "org.apache.jmeter.protocol.java.test.SleepTest"}
)
_LOCAL_DATABASES: Final = re.compile(r"jdbc:(?:h2:(?:mem|file|~|\.|/)|hsqldb:(?:mem|file|res)|sqlite:|derby:(?!//))")
_DESCRIBED: Final = re.compile(r"(?i)\(\s*host\s*=\s*([^)]*?)\s*\)")
_AFTER_SLASHES: Final = re.compile(r"//([^/;?#]*)")
_ORACLE: Final = re.compile(r"@(?://)?([^/:;?\s]+)")


def hosts_of(text: str) -> Iterator[str | None]:
    """The hosts that a value names: a JDBC or other URL, or one or more hosts with or without a port. None: one that
    cannot be told."""
    if text.startswith("jdbc:"):
        yield from _database_hosts(text)
    elif "://" in text:
        yield host_of_url(text)
    else:
        yield from (host_of_authority(one) for one in re.split(r"[,;\s]+", text.strip()) if one)


def _database_hosts(url: str) -> Iterator[str | None]:
    if _LOCAL_DATABASES.match(url):
        return
    if described := _DESCRIBED.findall(url):
        yield from described
    elif slashes := _AFTER_SLASHES.search(url):
        # Failover lists name several hosts; SQL Server puts an instance behind a backslash.
        for one in slashes[1].split(","):
            yield host_of_authority(one.rpartition("@")[2].partition("\\")[0])
    else:
        oracle = _ORACLE.search(url)
        yield oracle[1] if oracle else None
