"""environments.yaml: what is observed, and under which tags Datadog knows it."""

from typing import Annotated

from pydantic import Field, StringConstraints

from perfsuite.configuration import Configuration

# These are put into queries, so nothing in them may end a tag or begin another one.
TagValue = Annotated[str, StringConstraints(pattern=r"^[\w][\w./:-]{0,199}$")]
HostName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,252}$")]
TagFilter = Annotated[str, StringConstraints(pattern=r"^[\w*][\w.*/:-]{0,199}$")]


class Host(Configuration):
    """A machine, by the name that Datadog shows for it."""

    hostname: HostName
    description: str | None = None


class Filter(Configuration):
    """Containers or pods: a bare name, `*` for any text, or a whole `tag:value`."""

    filter: TagFilter
    description: str | None = None


class Kubernetes(Configuration):
    services: tuple[Filter, ...] = ()
    pods: tuple[Filter, ...] = ()


class Environment(Configuration):
    """One system under test. It may have hosts, Kubernetes services, or both."""

    env_tag: TagValue
    namespace: TagFilter | None = None
    tags: tuple[TagFilter, ...] = ()
    metadata: dict[str, object] = Field(default_factory=dict)
    hosts: tuple[Host, ...] = ()
    kubernetes: Kubernetes = Kubernetes()

    @property
    def hostnames(self) -> tuple[str, ...]:
        """Each once, in the order of the file."""
        return tuple(dict.fromkeys(host.hostname for host in self.hosts))


class Environments(Configuration):
    """The whole file."""

    environments: dict[Annotated[str, Field(max_length=100)], Environment] = Field(default_factory=dict)
