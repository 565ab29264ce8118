"""Plans are read as JMeter reads them, and those that could be two things at once are not read at all."""

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures import fixture
from jmeter import jmx
from perfsuite.errors import BadFile, LimitExceeded, PerfsuiteError
from perfsuite_jmeter.core.jmx import LARGEST_PLAN, Element, read_plan
from perfsuite_jmeter.core.validation import Surroundings, examine

GOOD = jmx.plan(jmx.group(jmx.http(domain="localhost"), jmx.timer("5"), jmx.csv("a.csv")), variables={"a": "1"})


def first(*children: str) -> Element:
    return jmx.tree(*children).plan.children[0]


def test_an_element_has_its_name_class_line_and_properties() -> None:
    element = first("\n\n" + jmx.http("Home", domain="localhost", path="/"))
    assert (element.kind, element.name, element.line) == ("HTTPSamplerProxy", "Home", 3)
    assert element.class_name == "org.apache.jmeter.protocol.http.sampler.HTTPSamplerProxy"
    assert element.text("HTTPSampler.domain") == "localhost"
    assert element.text("absent", "instead") == "instead"


def test_a_short_and_a_long_name_are_the_same_class() -> None:
    long = first(jmx.element("org.apache.jmeter.protocol.http.sampler.HTTPSamplerProxy", "Home"))
    assert long.kind == first(jmx.element("HTTPSampler", "Home")).kind == "HTTPSamplerProxy"


def test_underscores_in_a_tag_are_written_twice() -> None:
    assert first(jmx.element("com.example.My__Thing_-Inner")).kind == "com.example.My_Thing$Inner"


@pytest.mark.parametrize(
    ("attributes", "properties", "enabled"),
    [
        ({}, "", True),
        ({"enabled": "true"}, "", True),
        ({"enabled": "TRUE"}, "", True),
        ({"enabled": "false"}, "", False),
        ({"enabled": ""}, "", False),
        ({"enabled": "${__P(on,true)}"}, "", False),
        # A property inside wins over the attribute that editors show.
        ({"enabled": "false"}, jmx.text("TestElement.enabled", "true", "boolProp"), True),
    ],
)
def test_an_element_is_enabled_when_jmeter_says_so(attributes: dict[str, str], properties: str, enabled: bool) -> None:
    assert first(jmx.element("DebugSampler", "x", properties, **attributes)).enabled is enabled


def test_what_stands_below_a_disabled_element_is_disabled() -> None:
    located = {one.element.name: one for one in jmx.tree(jmx.controller(jmx.debug("in"), enabled="false"))}
    assert not located["in"].active
    assert located["Plan"].active


def test_of_two_properties_with_one_name_the_last_counts() -> None:
    twice = jmx.texts(HTTPSampler__domain="first") + jmx.texts(HTTPSampler__domain="last")
    assert first(jmx.element("HTTPSamplerProxy", "x", twice)).text("HTTPSampler.domain") == "last"


def test_comments_do_not_cut_a_value() -> None:
    split = '<stringProp name="HTTPSampler.domain">127.0.0.1<!-- x -->.evil.example</stringProp>'
    assert first(jmx.element("HTTPSamplerProxy", "x", split)).text("HTTPSampler.domain") == "127.0.0.1.evil.example"


def test_numbers_come_with_their_name_inside() -> None:
    number = "<doubleProp><name>throughput</name><value>60.0</value><savedValue>0.0</savedValue></doubleProp>"
    assert first(jmx.element("ConstantThroughputTimer", "x", number)).text("throughput") == "60.0"


def test_the_settings_of_a_listener_are_not_looked_into() -> None:
    saved = '<objProp><name>saveConfig</name><value class="SampleSaveConfiguration"><time>true</time></value></objProp>'
    assert first(jmx.element("ResultCollector", "x", saved)).kind == "ResultCollector"


def test_a_mark_at_the_beginning_and_another_declared_encoding_change_nothing() -> None:
    text = jmx.plan(jmx.debug("Größe")).replace(b"UTF-8", b"ISO-8859-1")
    assert read_plan(b"\xef\xbb\xbf" + text).plan.children[0].name == "Größe"


def test_bytes_that_are_not_utf8_are_said() -> None:
    found = read_plan(jmx.plan(jmx.debug("Größe")).decode().encode("latin-1"))
    assert found.plan.children[0].name == "Gr\ufffd\ufffde"[:2] + "\ufffd\ufffde"
    assert "not UTF-8" in found.notes[0]


def test_the_last_element_may_lack_its_tree() -> None:
    content = jmx.plan(jmx.debug("last")).replace(b"</DebugSampler><hashTree></hashTree>", b"</DebugSampler>")
    assert read_plan(content).plan.children[0].name == "last"


PAIRING = {
    "two elements": ("<DebugSampler/>\n<DebugSampler/><hashTree/>", "Line 1: 'DebugSampler' is followed by"),
    "two trees": ("<DebugSampler/><hashTree/>\n<hashTree/>", "Line 2: 'hashTree' follows no element"),
}
DISGUISES = {
    "a shared tree": ("<DebugSampler/><hashTree reference='../x'/>", "'reference'"),
    "another class": ("<ConstantTimer class='SystemSampler'/><hashTree/>", "loaded as a 'SystemSampler'"),
    "a resolved class": ("<ConstantTimer resolves-to='SystemSampler'/><hashTree/>", "'resolves-to'"),
    "a disguised value": ("<DebugSampler><stringProp name='a' class='elementProp'/></DebugSampler>", "'elementProp'"),
    "an object": (
        "<DebugSampler><objProp><name>x</name><value class='java.lang.ProcessBuilder'/></objProp></DebugSampler>",
        "'java.lang.ProcessBuilder' would be created",
    ),
    "an object in settings": (
        "<DebugSampler><objProp><name>x</name><value class='SampleSaveConfiguration'><a class='b'/></value></objProp>"
        "</DebugSampler>",
        "would be created",
    ),
    "an unknown value": ("<DebugSampler><java.lang.ProcessBuilder/></DebugSampler>", "no value that JMeter saves"),
    "elements in a text": ("<DebugSampler><stringProp name='a'>x<b/></stringProp></DebugSampler>", "holds 'b'"),
    "an instruction": ("<DebugSampler><?php x ?></DebugSampler>", "processing instruction"),
    "deep properties": (
        "<DebugSampler>" + "<collectionProp name='a'>" * 40 + "</collectionProp>" * 40 + "</DebugSampler>",
        "nested too deeply",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("body", "message"), [*PAIRING.values(), *DISGUISES.values()], ids=[*PAIRING, *DISGUISES])
def test_a_plan_that_could_be_two_things_is_not_read(body: str, message: str) -> None:
    with pytest.raises(BadFile, match=message):
        read_plan(jmx.plan(body))


ENTITY_BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
FILES = {
    "empty": (b"", "not well-formed"),
    "text": (b"hello", "not well-formed"),
    "torn": (GOOD[:-40], "not well-formed"),
    "other XML": (b"<html/>", "its root is 'html'"),
    "no tree": (b"<jmeterTestPlan version='1.2'/>", "holds no elements"),
    "an empty tree": (b"<jmeterTestPlan><hashTree/></jmeterTestPlan>", "not a Test Plan"),
    "no test plan": (jmx.document("<ThreadGroup/><hashTree/>"), "not a Test Plan"),
    "an old format": (jmx.document("<TestPlan/><hashTree/>", 'version="1.0"'), "format 1.0"),
    "entities": (GOOD.replace(b"?>", b"?>" + ENTITY_BOMB.encode(), 1), "document type"),
    "hidden entities": (GOOD.replace(b"?>", b"?><!-- <jmeterTestPlan -->" + ENTITY_BOMB.encode(), 1), "document type"),
    "an unknown entity": (GOOD.replace(b"localhost", b"&unknown;"), "not well-formed"),
    "NUL bytes": (GOOD.replace(b"localhost", b"local\0host"), "not well-formed"),
    "UTF-16": (GOOD.decode().encode("utf-16"), "not well-formed"),
    "very deep": (b"<jmeterTestPlan>" + b"<hashTree>" * 3_000, "not well-formed"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "message"), FILES.values(), ids=FILES)
def test_a_file_that_is_no_plan_is_told_from_one(content: bytes, message: str) -> None:
    with pytest.raises(BadFile, match=message):
        read_plan(content)


def test_a_plan_may_only_be_so_large() -> None:
    with pytest.raises(LimitExceeded, match="at most 20000000"):
        read_plan(b" " * (LARGEST_PLAN + 1))


def test_a_plan_as_deep_as_xml_allows_is_judged() -> None:
    depth = 240
    content = jmx.plan("<GenericController/><hashTree>" * depth + "</hashTree>" * depth)
    found = examine(read_plan(content), Surroundings({}))
    assert found.elements["GenericController"] == depth


@pytest.mark.parametrize(
    "name", ["jmx/golden.jmx", "jmx/t.jmx", "jmx/bl.jmx", "jmx/om2.jmx", "jmx/utg.jmx", "jtl/jmeter-5.6.3/plan.jmx"]
)
def test_plans_that_jmeter_saved_are_read(name: str) -> None:
    assert examine(read_plan(fixture(name).read_bytes()), Surroundings({})).targets


TOKENS = st.sampled_from(
    [b"<", b">", b"</", b"/>", b'"', b"'", b"&", b"&#0;", b"&amp;", b"]]>", b"<![CDATA[", b"<!--", b"-->", b"<?x?>",
     b"\0", b"\xff", b"\xef\xbb\xbf", b"<hashTree/>", b"</hashTree>", b"<hashTree>", b"${", b"${a", b"}", b"${__P(",
     b"\\", b",", b"${__P(a,${b})}", b"<stringProp", b' name="x"', b' enabled="false"', b"<!DOCTYPE x>",
     b"9" * 21, b"-1",
     b"ThreadGroup", b"TestFragmentController", b"ModuleController", b"IncludeController", b"SystemSampler"]
)  # fmt: skip
RICH = jmx.plan(
    jmx.variables({"host": "localhost", "other": "${host}"}),
    jmx.defaults(domain="${host}"),
    jmx.fragment(jmx.debug("borrowed"), name="F"),
    jmx.group(
        jmx.controller(jmx.http(path="/a", children=jmx.timer("${__P(think,10)}")), jmx.module("Plan", "F")),
        jmx.include("other.jmx"),
        jmx.element("JSR223Sampler", "script", jmx.texts(script="log.info('x')")),
        jmx.element("IfController", "if", jmx.texts(IfController__condition='"${a}" == "b"')),
        users="${__P(users,5)}",
        duration="${__P(duration,60)}",
    ),
    jmx.element(
        "OpenModelThreadGroup", "open", jmx.texts(OpenModelThreadGroup__schedule="rate(5/s) even_arrivals(1 min)")
    ),
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    content = draw(st.sampled_from([GOOD, RICH]))
    for _ in range(draw(st.integers(1, 4))):
        content = draw(st.sampled_from(CHANGES))(content, draw(st.integers(0, len(content))), draw)
    return content


def _cut(content: bytes, at: int, draw: st.DrawFn) -> bytes:
    return content[:at] + content[at + draw(st.integers(0, 60)) :]


def _put(content: bytes, at: int, draw: st.DrawFn) -> bytes:
    return content[:at] + draw(TOKENS) + content[at:]


def _repeat(content: bytes, at: int, draw: st.DrawFn) -> bytes:
    end = at + draw(st.integers(0, 200))
    return content[:end] + content[at:end] + content[end:]


def _swap(content: bytes, at: int, draw: st.DrawFn) -> bytes:
    parts = content.split(b"<")
    at %= len(parts)
    other = draw(st.integers(0, len(parts) - 1))
    parts[at], parts[other] = parts[other], parts[at]
    return b"<".join(parts)


def _replace(content: bytes, at: int, draw: st.DrawFn) -> bytes:
    return content.replace(draw(TOKENS), draw(TOKENS))


CHANGES: list[Callable[[bytes, int, st.DrawFn], bytes]] = [_cut, _put, _repeat, _swap, _replace]


@settings(max_examples=2_000)
@given(damaged())
def test_a_damaged_plan_gives_facts_or_an_error_of_ours(content: bytes) -> None:
    with suppress(PerfsuiteError):
        found = examine(read_plan(content), Surroundings({"users": "3"}))
        assert all(one.users is None or one.users >= 0 for one in found.groups)


@settings(max_examples=200)
@given(st.binary(max_size=400))
def test_any_bytes_give_an_error_of_ours(content: bytes) -> None:
    with pytest.raises(PerfsuiteError):
        read_plan(content)
