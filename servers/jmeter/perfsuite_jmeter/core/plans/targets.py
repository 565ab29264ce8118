"""The hosts that a plan reaches."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from perfsuite_jmeter.core.jmx import Element, Located, Record
from perfsuite_jmeter.core.plans.addresses import host_of_url
from perfsuite_jmeter.core.plans.endpoints import (
    CONNECTED,
    ELSEWHERE,
    HARMLESS_JAVA,
    SAMPLERS,
    TELLING,
    Endpoint,
    hosts_of,
)
from perfsuite_jmeter.core.plans.running import Plan, Running, is_sampler
from perfsuite_jmeter.core.plans.scope import texts
from perfsuite_jmeter.core.properties import Resolved, Scope, Unresolved, resolve
from perfsuite_jmeter.models.plan import Role, Target

_HTTP: Final = frozenset({"HTTPSamplerProxy", "HTTPSampler", "AjpSampler"})
_READS_TARGETS: Final = frozenset({"AccessLogSampler"})
_LIKE_HTTP: Final = ("HTTPSampler.domain", "HTTPSampler.path")
# The configuration elements that JMeter lets an HTTP request inherit from, by their panel.
_INHERITED_FROM: Final = frozenset({"HttpDefaultsGui", "SimpleConfigGui", "LoginConfigGui"})
_CONFIGURATION: Final = frozenset({"ConfigTestElement", "LoginConfig"})
_NOT_A_HOST: Final = "this is no plain host name or address, or different readers would take it for different ones"
_EMPTY: Final = "it is empty"


@dataclass(frozen=True)
class Reached:
    """One host in one element."""

    host: str | None
    given_as: str
    role: Role
    located: Located
    reason: str | None = None


def is_http(element: Element) -> bool:
    """Whether it is an HTTP request, or a plugin's that is built on one."""
    return element.kind in _HTTP or (is_sampler(element) and any(one in element.properties for one in _LIKE_HTTP))


def reached(plan: Plan, scope: Scope) -> Iterator[Reached]:
    """Every host of every element that acts."""
    for running in plan.samplers:
        yield from _of_sampler(running, scope)
    for one in plan.active:
        if not is_sampler(one.element):
            yield from _of_other(one, scope)


def grouped(found: Iterable[Reached]) -> list[Target]:
    """The same host in the same role once."""
    first: dict[tuple[object, ...], Reached] = {}
    elements: dict[tuple[object, ...], set[int]] = {}
    for one in found:
        # What is not known is told apart by what stands in the plan.
        key = (one.host, one.role) if one.host is not None else (None, one.role, one.given_as, one.reason)
        first.setdefault(key, one)
        elements.setdefault(key, set()).add(id(one.located.element))
    return [
        Target(
            host=one.host,
            given_as=one.given_as,
            role=one.role,
            reason=one.reason,
            where=one.located.where,
            elements=len(elements[key]),
        )
        for key, one in first.items()
    ]


def inherited(running: Running, name: str) -> str:
    """A property of a request: its own, or that of the nearest configuration element which has it."""
    if own := running.located.element.text(name):
        return own
    applies = (one for one in running.around if one.kind in _CONFIGURATION and _applies(running, one))
    return next((text for one in applies if (text := one.text(name))), "")


def _applies(running: Running, configuration: Element) -> bool:
    # Samplers of other protocols take what any configuration element has.
    return not is_http(running.located.element) or configuration.gui in _INHERITED_FROM


def _of_sampler(running: Running, scope: Scope) -> Iterator[Reached]:
    element = running.located.element
    if is_http(element) and element.kind not in _READS_TARGETS:
        yield from _of_http(running, scope)
    elif element.kind in _READS_TARGETS:
        yield Reached(None, element.kind, "load", running.located, "the log that it replays may name any host")
    elif element.kind in SAMPLERS:
        for endpoint in SAMPLERS[element.kind]:
            yield from _hosts(running.located, inherited(running, endpoint.property), endpoint.role, scope)
    elif element.kind not in ELSEWHERE and not _is_harmless_java(element):
        yield from _of_unknown(running.located, scope)


def _is_harmless_java(element: Element) -> bool:
    return element.kind == "JavaSampler" and element.text("classname") in HARMLESS_JAVA


def _of_http(running: Running, scope: Scope) -> Iterator[Reached]:
    located = running.located
    path = inherited(running, "HTTPSampler.path")
    resolved = resolve(path, scope)
    if isinstance(resolved, Unresolved) and _may_be_url(path):
        yield Reached(None, path, "load", located, resolved.reason)
    elif path.startswith(("http://", "https://")) or _is_url(resolved):
        yield from _of_url(located, path, resolved)
    elif str(resolve(inherited(running, "HTTPSampler.protocol"), scope)).lower() != "file":
        yield from _hosts(located, inherited(running, "HTTPSampler.domain"), "load", scope)
    if proxy := inherited(running, "HTTPSampler.proxyHost"):
        yield from _hosts(located, proxy, "proxy", scope)


def _may_be_url(path: str) -> bool:
    """Whether what stands before the first reference leaves room for a whole URL."""
    beginning = path.partition("${")[0]
    return "https://".startswith(beginning) or "http://".startswith(beginning)


def _is_url(path: Resolved) -> bool:
    return isinstance(path, str) and path.startswith(("http://", "https://"))


def _of_url(located: Located, given: str, url: Resolved) -> Iterator[Reached]:
    if isinstance(url, Unresolved):
        # What follows the host may be unknown.
        known = host_of_url(given) if "${" not in given.split("//", 1)[1].partition("/")[0] else None
        yield Reached(known, given, "load", located, None if known else url.reason)
    else:
        host = host_of_url(url)
        yield Reached(host, given, "load", located, None if host else _NOT_A_HOST)


def _hosts(located: Located, text: str, role: Role, scope: Scope) -> Iterator[Reached]:
    value = resolve(text, scope)
    if isinstance(value, Unresolved):
        yield Reached(None, text, role, located, value.reason)
    elif not value.strip():
        yield Reached(None, text, role, located, _EMPTY)
    elif is_http(located.element) or role == "proxy":
        yield Reached(value.strip(), text, role, located)
    else:
        for host in hosts_of(value):
            yield Reached(host, text, role, located, None if host else _NOT_A_HOST)


def _of_unknown(located: Located, scope: Scope) -> Iterator[Reached]:
    """A sampler of which nothing is known: what its properties tell, and if they tell nothing, that."""
    found = list(_telling(located, located.element, "load", scope))
    yield from found
    if not found:
        reason = "no property says what a sampler of this class reaches"
        yield Reached(None, located.element.class_name, "load", located, reason)


def _of_other(located: Located, scope: Scope) -> Iterator[Reached]:
    element = located.element
    if element.kind in CONNECTED:
        for endpoint in CONNECTED[element.kind]:
            yield from _connected(located, endpoint, scope)
    elif element.kind == "DNSCacheManager":
        yield from _dns(located, scope)
    elif element.kind == "BackendListener":
        yield from _backend(located, scope)
    elif element.kind.startswith("Mailer") or "." in element.kind:
        yield from _telling(located, element, "mail" if element.kind.startswith("Mailer") else "metrics", scope)


def _connected(located: Located, endpoint: Endpoint, scope: Scope) -> Iterator[Reached]:
    if text := located.element.text(endpoint.property):
        yield from _hosts(located, text, endpoint.role, scope)


def _dns(located: Located, scope: Scope) -> Iterator[Reached]:
    """An address that stands in for an allowed name is reached in its place, and a name server may name any."""
    for name, text in texts(located.element):
        if name == "StaticHost.Address" or name == "DNSCacheManager.servers":
            yield from _hosts(located, text, "dns", scope)


def _backend(located: Located, scope: Scope) -> Iterator[Reached]:
    arguments = located.element.properties.get("arguments")
    values = arguments.properties.get("Arguments.arguments") if isinstance(arguments, Record) else ()
    for one in values if isinstance(values, tuple) else ():
        if isinstance(one, Record):
            name, text = one.properties.get("Argument.name"), one.properties.get("Argument.value")
            if isinstance(name, str) and isinstance(text, str) and TELLING.search(name) and text.strip():
                yield from _hosts(located, text, "metrics", scope)


def _telling(located: Located, element: Record, role: Role, scope: Scope) -> Iterator[Reached]:
    for name, text in texts(element):
        if TELLING.search(name) and text.strip():
            yield from _hosts(located, text, role, scope)
