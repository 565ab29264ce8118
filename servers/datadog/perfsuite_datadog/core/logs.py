"""Searches over logs and spans, and the rows that events become."""

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from perfsuite.errors import BadInput
from perfsuite.samples.rows import printable
from perfsuite_datadog.core.templates import filled, placeholders, refuse_other_environment, told, whereabouts
from perfsuite_datadog.models.environments import Environment, Filter
from perfsuite_datadog.models.logs import Event, EventKind

DEFAULT_TYPE: Final = "errors"
TYPES: Final[dict[EventKind, dict[str, str]]] = {
    "logs": {
        "errors": "status:(error OR critical OR alert OR emergency)",
        "warnings": "status:warn",
        "http_errors": "@http.status_code:[400 TO 599]",
        "exceptions": "@error.kind:*",
        "all": "*",
    },
    "spans": {
        "errors": "status:error",
        "http_errors": "@http.status_code:[400 TO 599]",
        "slow": "@duration:>=1000000000",
        "all": "*",
    },
}
_ESCAPED: Final = re.compile(r"\\.", re.DOTALL)
_QUOTED: Final = re.compile(r'"[^"]*"')
_SIGNS: Final = re.compile(r'[()"]')
_LONGEST: Final = {"message": 4_000, "error_message": 4_000, "error_stack": 8_000, "tags": 2_000, "attributes": 8_000}
_LONGEST_CELL: Final = 1_000
FACETS: Final[dict[EventKind, dict[str, str]]] = {
    "logs": {"status": "status", "service": "service", "error_kind": "@error.kind"},
    "spans": {"status": "status", "service": "service", "error_kind": "@error.type"},
}
"""What is counted, under the names that answers give it."""
_COMMON: Final[dict[str, tuple[str, ...]]] = {
    "http_method": ("http.method",),
    "http_status_code": ("http.status_code",),
    "http_url": ("http.url",),
    "http_path": ("http.url_details.path", "http.route"),
    "duration_ns": ("duration",),
    "error_kind": ("error.kind", "error.type"),
    "error_message": ("error.message", "error.msg"),
    "error_stack": ("error.stack",),
}
COLUMNS: Final[dict[EventKind, tuple[str, ...]]] = {
    "logs": (
        "env_name", "env_tag", "timestamp_utc", "id", "service", "host", "status", "message", *_COMMON, "logger",
        "trace_id", "tags", "attributes",
    ),
    "spans": (
        "env_name", "env_tag", "timestamp_utc", "end_utc", "id", "service", "host", "status", "operation", "resource",
        *_COMMON, "type", "trace_id", "span_id", "parent_id", "tags", "attributes",
    ),
}  # fmt: skip


def scoped(query: str, environment: Environment, name: str) -> str:
    """The query with its placeholders filled, within the environment whatever else it says. `name` as it is written."""
    needed = placeholders(query)
    text = filled(query, {key: value for key, value in _values(environment).items() if value or key in needed}).strip()
    refuse_other_environment(text, environment.env_tag, name)
    # What closes more than it opened would end the parentheses below, and look into every environment.
    if not _is_closed(text):
        raise BadInput(
            f"{told(name)} has parentheses or quotes that are not closed as they were opened: {printable(text)!r}.",
            next_step=f"Correct {whereabouts(name)}.",
        )
    scope = " ".join([f"env:{environment.env_tag}", *environment.tags])
    return scope if text == "*" else f"{scope} ({text})"


def _is_closed(text: str) -> bool:
    depth = 0
    for sign in _SIGNS.findall(_QUOTED.sub("", _ESCAPED.sub("", text))):
        depth += 1 if sign == "(" else -1
        if depth < 0 or sign == '"':
            return False
    return depth == 0


def _values(environment: Environment) -> dict[str, str | None]:
    kubernetes = environment.kubernetes
    return {
        "env_tag": environment.env_tag,
        "namespace": environment.namespace,
        "hostname": _any_of(environment.hostnames),
        "service_filter": _any_of(map(_bare, kubernetes.services)),
        "pod_filter": _any_of(map(_bare, kubernetes.pods)),
    }


def _bare(one: Filter) -> str:
    """The value of a whole `tag:value`, because the query names the tag itself."""
    return one.filter.rpartition(":")[2]


def _any_of(values: Any) -> str | None:
    found = list(dict.fromkeys(values))
    if len(found) < 2:
        return found[0] if found else None
    return f"({' OR '.join(found)})"


def known_type(kind: EventKind, name: str, custom: Mapping[str, str]) -> str:
    """The query of a type; one of custom_queries.yaml goes before a built-in one of the same name."""
    if query := custom.get(name) or TYPES[kind].get(name):
        return query
    known = ", ".join(map(repr, [*TYPES[kind], *custom]))
    raise BadInput(
        f"There is no type of {kind} {printable(name, 80)!r}.",
        next_step=f"Name one of {known}, add it to custom_queries.yaml, or give `query`.",
    )


def own_name(query: str) -> str:
    """The type of a query that has no name: the same for the same query, so that another one leaves its file alone."""
    return f"custom-{sha256(query.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def row(kind: EventKind, event: Event, env_name: str, env_tag: str) -> list[str]:
    """The cells of an event, in the order of its columns, each on one line and cut to length."""
    cells = _log(event.attributes) if kind == "logs" else _span(event.attributes)
    cells |= {"env_name": env_name, "env_tag": env_tag, "id": event.id}
    return [_cell(column, cells.get(column)) for column in COLUMNS[kind]]


def _log(shown: Mapping[str, Any]) -> dict[str, Any]:
    inner = shown.get("attributes")
    attributes = inner if isinstance(inner, dict) else {}
    return {
        **_common(attributes),
        "timestamp_utc": shown.get("timestamp"),
        "service": shown.get("service"),
        "host": shown.get("host"),
        "status": shown.get("status"),
        "message": shown.get("message"),
        "logger": _first(attributes, ("logger.name", "logger")),
        "trace_id": _first(attributes, ("dd.trace_id", "trace_id")),
        "tags": shown.get("tags"),
        "attributes": attributes,
    }


def _span(shown: Mapping[str, Any]) -> dict[str, Any]:
    """Custom attributes stand in `custom` or in `attributes`, depending on who sent them."""
    parts = [part for name in ("attributes", "custom") if isinstance(part := shown.get(name), dict)]
    attributes = {key: value for part in parts for key, value in part.items()}
    started, ended = shown.get("start_timestamp"), shown.get("end_timestamp")
    named = {name: shown.get(name) for name in ("service", "host", "type", "trace_id", "span_id", "parent_id", "tags")}
    failed = attributes.get("error") not in (None, 0, "0", False, {})
    return {
        **_common(attributes),
        **named,
        "timestamp_utc": started,
        "end_utc": ended,
        "status": shown.get("status") or ("error" if failed else "ok"),
        "operation": shown.get("operation_name") or attributes.get("operation_name"),
        "resource": shown.get("resource_name"),
        "attributes": attributes,
    }


def _common(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {column: _first(attributes, paths) for column, paths in _COMMON.items()}


def _first(attributes: Mapping[str, Any], paths: tuple[str, ...]) -> Any:
    """The first of these that is there, nested or under a key with dots in it."""
    for path in paths:
        found = look_up(attributes, path)
        if found is not None and not isinstance(found, dict):
            return found
    return None


def look_up(attributes: Mapping[str, Any], path: str) -> Any:
    """What lies at a path, whichever of its dots are levels and whichever belong to keys."""
    if path in attributes:
        return attributes[path]
    parts = path.split(".")
    for place in range(len(parts) - 1, 0, -1):
        inner = attributes.get(".".join(parts[:place]))
        if isinstance(inner, Mapping) and (found := look_up(inner, ".".join(parts[place:]))) is not None:
            return found
    return None


def _cell(column: str, value: Any) -> str:
    if value is None or value in ([], {}):
        return ""
    if column == "tags" and isinstance(value, list):
        value = " ".join(dict.fromkeys(str(tag) for tag in value))
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False, sort_keys=True)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return printable(str(value), _LONGEST.get(column, _LONGEST_CELL))
