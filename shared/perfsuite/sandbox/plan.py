"""The JMeter plan that drives the shop, as JMeter 5.5 and later read it.

Every number can be given when the test starts, such as -Jusers=50 -Jduration=600. Each user thinks before every step,
so the think time Z of the shop's model is `think_ms` plus half of `think_spread_ms`. A user whose step failed begins
anew: what would follow could only fail for want of a token or an item.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from perfsuite.errors import BadInput

_GUI: Final = {
    "Arguments": "ArgumentsPanel",
    "ConfigTestElement": "HttpDefaultsGui",
    "HTTPSamplerProxy": "HttpTestSampleGui",
    "HeaderManager": "HeaderPanel",
    "JSONPostProcessor": "JSONPostProcessorGui",
    "LoopController": "LoopControlPanel",
    "ResponseAssertion": "AssertionGui",
    "TestPlan": "TestPlanGui",
    "ThreadGroup": "ThreadGroupGui",
    "TransactionController": "TransactionControllerGui",
    "UniformRandomTimer": "UniformRandomTimerGui",
}
_SUBSTRING: Final = "16"
# A comma or a bracket would end the default of ${__P(name,default)}.
_HOST: Final = re.compile(r"[A-Za-z0-9._:\[\]-]+")


@dataclass(frozen=True)
class PlanDefaults:
    """What holds where no property says otherwise."""

    host: str = "127.0.0.1"
    port: int = 8080
    users: int = 5
    ramp_s: int = 1
    duration_s: int = 60
    think_ms: int = 200


@dataclass(frozen=True)
class _Item:
    """An element of a plan, or a property of one."""

    tag: str
    attributes: dict[str, str]
    text: str = ""
    properties: tuple["_Item", ...] = ()
    holds: tuple["_Item", ...] = ()


def shop_plan(defaults: PlanDefaults) -> bytes:
    """The plan: log in, list the items, look at one of them, buy it."""
    if not _HOST.fullmatch(defaults.host):
        raise BadInput(f"{defaults.host!r} is not the name of a host.", next_step="Give a name or an address alone.")
    transaction = _element(
        "TransactionController",
        "Shopping",
        _flag("TransactionController.includeTimers", False),
        _flag("TransactionController.parent", False),
        holds=tuple(_steps()),
    )
    users = _thread_group(defaults, (_think(defaults), transaction))
    plan = _element(
        "TestPlan",
        "Shop",
        _flag("TestPlan.functional_mode", False),
        _object("TestPlan.user_defined_variables", "Arguments", _list("Arguments.arguments")),
        holds=(_target(defaults), users),
    )
    root = Element("jmeterTestPlan", version="1.2", properties="5.0", jmeter="5.5")
    _write((plan,), SubElement(root, "hashTree"))
    indent(root)
    return bytes(tostring(root, encoding="UTF-8", xml_declaration=True)) + b"\n"


def _steps() -> Iterator[_Item]:
    yield _request(
        "POST /login", _sees('"token"'), _extracts("token", "$.token"), body='{"user":"user-${__threadNum}"}'
    )
    # Match number 0 takes any of the items, another one each time.
    yield _request("GET /items", _sees('"items"'), _extracts("item_id", "$.items[*].id", match="0"))
    yield _request("GET /items/{id}", _sees("${item_id}"), path="/items/${item_id}")
    yield _request("POST /checkout", _sees('"order_id"'), body='{"item_id":"${item_id}"}')


def _target(defaults: PlanDefaults) -> _Item:
    return _element(
        "ConfigTestElement",
        "The shop",
        _object("HTTPsampler.Arguments", "Arguments", _list("Arguments.arguments")),
        _text("HTTPSampler.domain", _property("host", defaults.host)),
        _text("HTTPSampler.port", _property("port", defaults.port)),
        _text("HTTPSampler.protocol", "http"),
        _text("HTTPSampler.contentEncoding", "UTF-8"),
        _text("HTTPSampler.connect_timeout", _property("connect_timeout_ms", 5_000)),
        _text("HTTPSampler.response_timeout", _property("response_timeout_ms", 30_000)),
    )


def _thread_group(defaults: PlanDefaults, holds: tuple[_Item, ...]) -> _Item:
    loop = _object(
        "ThreadGroup.main_controller",
        "LoopController",
        _flag("LoopController.continue_forever", False),
        _text("LoopController.loops", _property("loops", -1)),
    )
    return _element(
        "ThreadGroup",
        "Shoppers",
        _text("ThreadGroup.on_sample_error", "startnextloop"),
        loop,
        _text("ThreadGroup.num_threads", _property("users", defaults.users)),
        _text("ThreadGroup.ramp_time", _property("ramp", defaults.ramp_s)),
        _flag("ThreadGroup.scheduler", True),
        _text("ThreadGroup.duration", _property("duration", defaults.duration_s)),
        _text("ThreadGroup.delay", "0"),
        # Another user in each round would mean another connection in each round.
        _flag("ThreadGroup.same_user_on_next_iteration", True),
        holds=holds,
    )


def _think(defaults: PlanDefaults) -> _Item:
    return _element(
        "UniformRandomTimer",
        "Think before every step",
        _text("ConstantTimer.delay", _property("think_ms", defaults.think_ms)),
        _text("RandomTimer.range", _property("think_spread_ms", 0)),
    )


def _request(label: str, *holds: _Item, path: str = "", body: str = "") -> _Item:
    method, _, usual_path = label.partition(" ")
    value = _object(
        "", "HTTPArgument", _flag("HTTPArgument.always_encode", False), _text("Argument.value", body),
        _text("Argument.metadata", "="),
    )  # fmt: skip
    headers = {} if label == "POST /login" else {"Authorization": "Bearer ${token}"}
    if body:
        headers["Content-Type"] = "application/json"
    return _element(
        "HTTPSamplerProxy",
        label,
        _flag("HTTPSampler.postBodyRaw", bool(body)),
        _object("HTTPsampler.Arguments", "Arguments", _list("Arguments.arguments", *([value] if body else []))),
        _text("HTTPSampler.path", path or usual_path),
        _text("HTTPSampler.method", method),
        _flag("HTTPSampler.follow_redirects", False),
        _flag("HTTPSampler.use_keepalive", True),
        holds=(_headers(headers), *holds),
    )


def _headers(headers: dict[str, str]) -> _Item:
    entries = [
        _object("", "Header", _text("Header.name", name), _text("Header.value", value))
        for name, value in headers.items()
    ]
    return _element("HeaderManager", "Headers", _list("HeaderManager.headers", *entries))


def _sees(text: str) -> _Item:
    return _element(
        "ResponseAssertion",
        f"The answer holds {text}",
        # JMeter itself spells it so.
        _list("Asserion.test_strings", _text("1", text)),
        _text("Assertion.test_field", "Assertion.response_data"),
        _flag("Assertion.assume_success", False),
        _Item("intProp", {"name": "Assertion.test_type"}, _SUBSTRING),
    )


def _extracts(variable: str, where: str, match: str = "1") -> _Item:
    return _element(
        "JSONPostProcessor",
        f"Remember {variable}",
        _text("JSONPostProcessor.referenceNames", variable),
        _text("JSONPostProcessor.jsonPathExprs", where),
        _text("JSONPostProcessor.match_numbers", match),
        _text("JSONPostProcessor.defaultValues", "NOT_FOUND"),
    )


def _property(name: str, default: str | int) -> str:
    return f"${{__P({name},{default})}}"


def _element(kind: str, name: str, *properties: _Item, holds: tuple[_Item, ...] = ()) -> _Item:
    attributes = {"guiclass": _GUI[kind], "testclass": kind, "testname": name, "enabled": "true"}
    return _Item(kind, attributes, properties=properties, holds=holds)


def _object(name: str, kind: str, *properties: _Item) -> _Item:
    gui = {"guiclass": _GUI[kind], "testclass": kind} if kind in _GUI else {}
    return _Item("elementProp", {"name": name, "elementType": kind, **gui}, properties=properties)


def _list(name: str, *properties: _Item) -> _Item:
    return _Item("collectionProp", {"name": name}, properties=properties)


def _text(name: str, value: str) -> _Item:
    return _Item("stringProp", {"name": name}, value)


def _flag(name: str, value: bool) -> _Item:
    return _Item("boolProp", {"name": name}, str(value).lower())


def _write(items: tuple[_Item, ...], tree: Element) -> None:
    """Write elements into a tree, each followed by the tree of what it holds."""
    for item in items:
        _write_properties(item, tree)
        _write(item.holds, SubElement(tree, "hashTree"))


def _write_properties(item: _Item, into: Element) -> None:
    written = SubElement(into, item.tag, item.attributes)
    written.text = item.text or None
    for one in item.properties:
        _write_properties(one, written)
