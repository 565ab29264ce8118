"""References resolve as JMeter 5.5 resolves them. What stands in the table was found by running it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jmeter import jmx
from perfsuite_jmeter.core.plans.running import Plan
from perfsuite_jmeter.core.plans.scope import plan_scope, settled
from perfsuite_jmeter.core.properties import Scope, Unresolved, calls, is_valid, resolve
from perfsuite_jmeter.core.property_files import read_properties

SCOPE = Scope(
    properties={"given": "GIVEN", "spaced": " G "},
    variables={"A": "udvA", "n": "given", "n2": "A", "EV": "<${A}>", "A_1": "a1", "one": "1"},
)
# A text, and the label that JMeter gave a sampler of this name.
TRUTH = {
    "plain": "plain",
    "${__P(nope)}": "1",
    "${__P(nope,)}": "",
    "[${__P(nope, b)}]": "[b]",
    "[${__P(nope,  )}]": "[]",
    "${__P( given ,d)}": "d",
    "${__P(given,d)}": "GIVEN",
    "[${__P(spaced)}]": "[G]",
    "[${__property(spaced)}]": "[G]",
    r"${__P(nope,a\,b)}": "a,b",
    "${__P(nope,a(b)c)}": "a(b)c",
    "${__P(nope,'q')}": "'q'",
    "${__P(nope,{})}": "{}",
    r"${__P(nope,\x)}": r"\x",
    r"${__P(nope,\\)}": "\\",
    "${__P(given) }": "GIVEN",
    "${__property(nope)}": "nope",
    "${__property(given)}": "GIVEN",
    "${__property(nope,v,dflt)}": "dflt",
    "${__P(${n},x)}": "GIVEN",
    "${__P(nope,${A})}": "udvA",
    r"${__P(nope,\${A})}": "${A}",
    "${__V(A)}": "udvA",
    "${__V(${n2})}": "udvA",
    "${__V(A_${one})}": "a1",
    "${__eval(${EV})}": "<udvA>",
    r"${__eval(\${A})}": "udvA",
    "${__evalVar(EV)}": "<udvA>",
    "${A}}": "udvA}",
    "$${A}": "$udvA",
    " ${A} ": " udvA ",
    "x${A": "xA",
    r"\${A}": r"\${A}",
    r"a\,b\$c\\d": r"a\,b\$c\\d",
    r"a\,b\$c\\d${A}": r"a,b$c\dudvA",
    "tail${A}\\": "tailudvA\\",
}
# A text that JMeter left as it was, or that only the running test knows.
UNKNOWN = [
    "${nobody}", "${ A }", "${}", "${__P (given)}", "${nope(1)}", "${__nope(given,b)}", "${__time()}", "${__UUID}",
    "${__P(nope,${nobody})}", "${__P(${nobody},x)}", "${__V(nobody)}",
    "${__evalVar(nobody)}", "${__P(java.vendor.url)}",
    "${__P(user.name,localhost)}", "${__P(nope,a,b)}", "${__P(given", "${__P(given)x}", "${__P()}", "${__P}",
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), TRUTH.items())
def test_a_reference_becomes_what_jmeter_makes_of_it(text: str, expected: str) -> None:
    assert resolve(text, SCOPE) == expected


@pytest.mark.parametrize("text", UNKNOWN)
def test_what_is_not_settled_before_the_run_is_said(text: str) -> None:
    found = resolve(text, SCOPE)
    assert isinstance(found, Unresolved)
    assert found.reason


def test_a_property_of_the_java_process_is_settled_when_it_is_given() -> None:
    assert resolve("${__P(user.name,x)}", Scope(properties={"user.name": "me"})) == "me"


def test_references_that_lead_to_themselves_end() -> None:
    assert isinstance(resolve("${__eval(${__V(x)})}", Scope(variables={"x": "${__evalVar(x)}"})), Unresolved)
    deep = "${__P(a," * 60 + "x" + ")}" * 60
    assert isinstance(resolve(deep, Scope()), Unresolved)


def test_a_value_does_not_grow_without_end() -> None:
    assert isinstance(resolve("${a}${a}", Scope(variables={"a": "x" * 6_000})), Unresolved)


def test_functions_are_found_however_deep() -> None:
    assert [one.name for one in calls("a${__P(x,${__groovy(1)})}b${__time}")] == ["__P", "__groovy", "__time"]
    assert list(calls("${__P(")) == []
    assert list(calls("nothing")) == []


@pytest.mark.parametrize(("text", "valid"), [("${a}", True), ("${__P(a,b,c)}", False), ("${__P(a", False), ("x", True)])
def test_an_expression_that_jmeter_cannot_read_is_known(text: str, valid: bool) -> None:
    assert is_valid(text) is valid


NAMES = st.text("abcdefgh_.-", min_size=1, max_size=8)
VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\\$"), max_size=30).map(str.strip)


def escaped(text: str) -> str:
    """The text as an argument of a function."""
    return "".join(f"\\{one}" if one in ",\\$" else one for one in text)


@given(VALUES)
def test_a_text_without_a_reference_is_left_alone(text: str) -> None:
    assert resolve(text, SCOPE) == text


@given(NAMES, VALUES, st.one_of(st.none(), VALUES))
def test_a_property_wins_over_its_default(name: str, default: str, value: str | None) -> None:
    simple = "".join(one for one in default if one not in "(){},")
    found = resolve(f"${{__P({name}x1,{simple})}}", Scope(properties={} if value is None else {f"{name}x1": value}))
    assert found == (simple.strip() if value is None else value)


@given(st.lists(st.tuples(st.sampled_from(["A", "n", "n2"]), VALUES), min_size=1, max_size=6))
def test_parts_are_joined_in_their_order(parts: list[tuple[str, str]]) -> None:
    text = "".join(f"{plain}${{{name}}}" for name, plain in parts)
    assert resolve(text, SCOPE) == "".join(f"{plain}{SCOPE.variables[name]}" for name, plain in parts)


@given(st.text("abc,\\$ ", max_size=12))
def test_an_escaped_default_comes_out_as_it_was(default: str) -> None:
    # A backslash disappears once for the argument and is kept before other letters.
    assert resolve(f"${{__P(nope,{escaped(default)})}}", Scope()) == default.strip()


@given(st.recursive(VALUES.map(escaped), lambda inner: st.tuples(NAMES, inner).map("${{__P({0[0]}x1,{0[1]})}}".format)))
def test_a_nested_default_is_reached_from_outside(text: str) -> None:
    resolve(text, Scope())


@given(st.text("${}_P(),\\ aV", max_size=40))
def test_any_text_resolves_or_says_why_not(text: str) -> None:
    found = resolve(text, SCOPE)
    assert isinstance(found, str) or found.reason


def scope_of(*children: str, given: dict[str, str] | None = None, headers: dict[str, tuple[str, ...]] | None = None,
             variables: dict[str, str] | None = None, withheld: tuple[str, ...] = ()) -> Scope:  # fmt: skip
    found = Plan(jmx.tree(*children, variables=variables))
    return plan_scope(found, settled(found, given or {}, withheld), headers or {})


def test_variables_see_earlier_elements_and_not_their_own() -> None:
    scope = scope_of(
        jmx.variables({"D": "${A}d", "E": "${D}", "A": "udvA"}),
        jmx.variables([("F", "${D}"), ("G", "g1"), ("G", "g2")]),
        variables={"A": "tpA", "C": "${__P(given)}"},
        given={"given": "G"},
    )
    known = {name: resolve(f"${{{name}}}", scope) for name in "ADFGC"}
    assert known == {"A": "udvA", "D": "tpAd", "F": "tpAd", "G": "g1", "C": "G"}
    assert isinstance(resolve("${E}", scope), Unresolved)


def test_later_definitions_win_wherever_they_stand_unless_they_are_disabled() -> None:
    scope = scope_of(
        jmx.variables({"K": "1", "L": "1", "M": "1"}),
        jmx.group(jmx.controller(jmx.variables({"K": "2"}))),
        jmx.fragment(jmx.variables({"M": "2"})),
        jmx.variables({"L": "off"}, enabled="false"),
        jmx.controller(jmx.variables({"L": "off"}), enabled="false"),
    )
    assert [resolve(f"${{{name}}}", scope) for name in "KLM"] == ["2", "1", "2"]


def test_one_unreadable_expression_leaves_the_whole_element_as_it_is() -> None:
    scope = scope_of(jmx.variables({"a": "${__P(x,y)}", "b": "${__P(x,y,z)}"}))
    assert resolve("${a}", scope) == "${__P(x,y)}"


CHANGES = {
    "a data file": jmx.csv("a.csv", "user,host"),
    "a header": jmx.csv("a.csv"),
    "an extractor": jmx.element("RegexExtractor", "x", jmx.texts(RegexExtractor__refname="host")),
    "a JSON extractor": jmx.element("JSONPostProcessor", "x", jmx.texts(JSONPostProcessor__referenceNames="a;host")),
    "a counter": jmx.element("CounterConfig", "x", jmx.texts(CounterConfig__name="host")),
    "a loop over values": jmx.element("ForeachController", "x", jmx.texts(ForeachController__returnVal="host")),
    "user parameters": jmx.element(
        "UserParameters", "x", f'<collectionProp name="UserParameters.names">{jmx.text("1", "host")}</collectionProp>'
    ),
    "a function": jmx.debug("${__Random(1,2,host)}"),
    "a function with its name first": jmx.element("DebugSampler", "x", jmx.texts(a="${__machineName(host)}")),
    "a property function": jmx.element("DebugSampler", "x", jmx.texts(a="${__property(p,host,d)}")),
    "an unknown function": jmx.element("DebugSampler", "x", jmx.texts(a="${__plugin(p,host)}")),
    "a name that is not known": jmx.element("RegexExtractor", "x", jmx.texts(RegexExtractor__refname="${other}")),
    "an unreadable data file": jmx.csv("missing.csv"),
    "a data file that changes": jmx.csv("${file}") + jmx.csv("b.csv", "file"),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_variable_that_the_run_sets_is_not_settled(change: str) -> None:
    scope = scope_of(
        jmx.variables({"host": "localhost", "host_1": "localhost", "file": "a.csv"}),
        jmx.group(change),
        headers={"a.csv": ("user", "host"), "${file}": ("user",)},
    )
    assert isinstance(resolve("${host}", scope), Unresolved)
    assert isinstance(resolve("${host_1}", scope), Unresolved)


def test_a_variable_that_only_disabled_elements_set_is_settled() -> None:
    scope = scope_of(jmx.variables({"host": "localhost"}), jmx.group(jmx.csv("a.csv", "host", enabled="false")))
    assert resolve("${host}", scope) == "localhost"


def test_a_property_that_the_run_sets_is_not_settled() -> None:
    setter = jmx.element("DebugSampler", "x", jmx.texts(a="${__setProperty(host,other)}"))
    scope = scope_of(jmx.group(setter))
    assert isinstance(resolve("${__P(host,localhost)}", scope), Unresolved)
    assert resolve("${__P(port,80)}", scope) == "80"
    any_property = jmx.element("DebugSampler", "x", jmx.texts(a="${__setProperty(${x},other)}"))
    assert isinstance(resolve("${__P(port,80)}", scope_of(jmx.group(any_property))), Unresolved)


def test_a_secret_property_is_not_settled() -> None:
    assert isinstance(resolve("${__P(host,localhost)}", scope_of(withheld=("host",))), Unresolved)


def test_property_files_are_read_as_java_reads_them() -> None:
    content = rb"""
# comment
! comment
a=1
b : two words
  c   three
path=C:\\x\\y
long = one \
    two
uni=\u0041\t
empty=
key\ with\=signs=v
a=2
bare
end=\
"""
    assert read_properties(content) == {
        "a": "2", "b": "two words", "c": "three", "path": "C:\\x\\y", "long": "one two", "uni": "A\t", "empty": "",
        "key with=signs": "v", "bare": "", "end": "",
    }  # fmt: skip


@given(st.binary(max_size=200))
def test_any_bytes_are_a_property_file(content: bytes) -> None:
    assert all(isinstance(value, str) for value in read_properties(content).values())
