"""The hosts that a plan reaches, found as JMeter finds them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jmeter import jmx
from perfsuite_jmeter.core.jmx import read_plan
from perfsuite_jmeter.core.plans.addresses import host_of_url
from perfsuite_jmeter.core.plans.endpoints import hosts_of
from perfsuite_jmeter.core.validation import Surroundings, examine


def in_group(*children: str) -> list[str | None]:
    return jmx.hosts(jmx.group(*children))


def test_a_request_inherits_from_the_nearest_defaults_that_say_something() -> None:
    far, near = jmx.defaults(domain="far", port="1"), jmx.defaults(domain="near")
    assert jmx.hosts(far, jmx.group(jmx.http())) == ["far"]
    assert jmx.hosts(far, jmx.group(near, jmx.http())) == ["near"]
    assert jmx.hosts(far, jmx.group(jmx.http(children=near))) == ["near"]
    assert in_group(jmx.controller(jmx.http(), near, jmx.defaults(domain="later")), far) == ["near"]
    assert in_group(jmx.controller(near), far, jmx.http()) == ["far"]
    assert in_group(jmx.defaults(domain=""), far, jmx.http(domain="")) == ["far"]
    assert in_group(far, jmx.http(domain="own")) == ["own"]


def test_only_the_panels_that_jmeter_inherits_from_count() -> None:
    assert jmx.hosts(jmx.defaults("TCPConfigGui", domain="x"), jmx.defaults(domain="y"), jmx.group(jmx.http())) == ["y"]
    assert jmx.hosts(jmx.defaults("SimpleConfigGui", domain="x"), jmx.defaults(domain="y"), jmx.group(jmx.http())) == [
        "x"
    ]


def test_disabled_defaults_do_not_count() -> None:
    off = jmx.defaults(domain="off").replace("<ConfigTestElement", '<ConfigTestElement enabled="false"', 1)
    assert jmx.hosts(off, jmx.defaults(domain="on"), jmx.group(jmx.http())) == ["on"]


def test_an_expression_that_becomes_empty_inherits_nothing() -> None:
    found = jmx.facts(jmx.defaults(domain="far"), jmx.group(jmx.http(domain="${__P(nope,)}"))).targets
    assert [(one.host, one.reason) for one in found] == [(None, "it is empty")]


@pytest.mark.parametrize(
    ("path", "host"),
    [
        ("http://a.example/x", "a.example"),
        ("https://a.example:8443", "a.example"),
        ("http://user:pw@a.example/", "a.example"),
        ("http://127.0.0.1@evil.example/", "evil.example"),
        ("http://[::1]:8080/", "::1"),
        ("http://${__P(host,a.example)}/", "a.example"),
        ("${base}/x", "b.example"),
        ("http://a.example/${unknown}", "a.example"),
        # JMeter takes these for paths.
        ("HTTP://a.example/", "d.example"),
        ("//a.example/", "d.example"),
        ("/${unknown}", "d.example"),
    ],
)
def test_a_path_may_be_a_whole_url(path: str, host: str) -> None:
    base = jmx.variables({"base": "http://b.example"})
    assert jmx.hosts(base, jmx.group(jmx.http(domain="d.example", path=path))) == [host]


@pytest.mark.parametrize(
    "path",
    ["${unknown}", "http${unknown}://a.example", "h${unknown}", "http://${unknown}/", "http://a${unknown}.example/",
     "http://a.example@b@c/", "http://a.example\\@evil.example/", "http://a.example?${unknown}@x/", "http://%61.example/"],
)  # fmt: skip
def test_a_path_that_may_lead_anywhere_is_not_known(path: str) -> None:
    assert in_group(jmx.http(domain="d.example", path=path)) == [None]


def test_a_request_for_a_local_file_reaches_no_host() -> None:
    found = jmx.facts(jmx.group(jmx.http(protocol="file", path="/etc/hosts", domain="d.example")))
    assert found.targets == []
    assert "local_file" in [one.code for one in found.findings]


def test_a_proxy_is_reached_too() -> None:
    found = jmx.facts(jmx.group(jmx.http(domain="a.example", proxyHost="${p}", proxyPort="3128"))).targets
    assert [(one.host, one.role) for one in found] == [("a.example", "load"), (None, "proxy")]


def test_an_address_that_stands_in_for_a_name_is_reached_too() -> None:
    rows = (
        '<collectionProp name="DNSCacheManager.servers">' + jmx.text("1", "8.8.8.8") + "</collectionProp>"
        '<collectionProp name="DNSCacheManager.hosts"><elementProp name="x" elementType="StaticHost">'
        + jmx.texts(StaticHost__Name="localhost", StaticHost__Address="10.0.0.1, 10.0.0.2")
        + "</elementProp></collectionProp>"
    )
    found = jmx.facts(jmx.element("DNSCacheManager", "dns", rows), jmx.group(jmx.http(domain="localhost"))).targets
    assert {(one.host, one.role) for one in found if one.role == "dns"} == {
        (host, "dns") for host in ("8.8.8.8", "10.0.0.1", "10.0.0.2")
    }


def test_the_same_host_is_said_once_with_how_many_elements_reach_it() -> None:
    found = jmx.facts(jmx.group(*(jmx.http(f"r{at}", domain="a.example") for at in range(5)))).targets
    assert [(one.host, one.elements) for one in found] == [("a.example", 5)]
    assert found[0].where == "Plan > Users > r0, line 1"


OTHERS = {
    "TCP": (jmx.element("TCPSampler", "t", jmx.texts(TCPSampler__server="t.example")), "t.example", "load"),
    "mail": (jmx.element("SmtpSampler", "s", jmx.texts(SMTPSampler__server="s.example:25")), "s.example", "mail"),
    "JMS": (
        jmx.element("PublisherSampler", "j", jmx.texts(jms__provider_url="tcp://j.example:61616")), "j.example", "load"
    ),
    "an unknown plugin": (jmx.element("com.example.GSampler", "g", jmx.texts(host="g.example")), "g.example", "load"),
    "a plugin that is like HTTP": (
        jmx.element("com.example.HTTP2Request", "h", jmx.texts(HTTPSampler__domain="h.example")), "h.example", "load"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("sampler", "host", "role"), OTHERS.values(), ids=OTHERS)
def test_other_samplers_say_where_they_go(sampler: str, host: str, role: str) -> None:
    found = jmx.facts(jmx.group(sampler)).targets
    assert [(one.host, one.role) for one in found] == [(host, role)]


def test_a_sampler_of_another_protocol_inherits_too() -> None:
    defaults = jmx.element("ConfigTestElement", "d", jmx.texts(TCPSampler__server="t.example"), guiclass="TCPConfigGui")
    assert jmx.hosts(defaults, jmx.group(jmx.element("TCPSampler", "t"))) == ["t.example"]


CONNECTIONS = {
    "a database": (jmx.element("JDBCDataSource", "d", jmx.texts(dbUrl="jdbc:postgresql://d.example/x")), ["d.example"]),
    "a database in memory": (jmx.element("JDBCDataSource", "d", jmx.texts(dbUrl="jdbc:h2:mem:x")), []),
    "a renamed property": (
        jmx.element("JDBCDataSource", "d", jmx.texts(JDBCSampler__url="jdbc:mysql://m.example/")), ["m.example"]
    ),
    "MongoDB": (jmx.element("MongoSourceElement", "m", jmx.texts(connection="m1.example:1,m2.example")), ["m1.example",
                                                                                                      "m2.example"]),
    "a mail report": (
        jmx.element("MailerResultCollector", "m", '<elementProp name="x" elementType="MailerModel">'
                    + jmx.texts(MailerModel__smtpHost="mail.example") + "</elementProp>"), ["mail.example"]
    ),
    "a metrics plugin": (jmx.element("com.example.MetricsListener", "m", jmx.texts(serverUrl="http://m.example/")),
                         ["m.example"]),
}  # fmt: skip


@pytest.mark.parametrize(("element", "hosts"), CONNECTIONS.values(), ids=CONNECTIONS)
def test_what_elements_around_are_connected_to_is_reached(element: str, hosts: list[str]) -> None:
    assert jmx.hosts(element, jmx.group(jmx.debug())) == hosts


def backend(**values: str) -> str:
    inner = f'<elementProp name="arguments" elementType="Arguments">{jmx.arguments(values)}</elementProp>'
    return jmx.element("BackendListener", "b", inner + jmx.texts(classname="org.apache.jmeter.visualizers.backend.X"))


def test_where_metrics_are_sent_is_reached() -> None:
    sent = backend(influxdbUrl="http://i.example:8086/write", application="x", graphiteHost="")
    assert jmx.hosts(sent, jmx.group(jmx.debug())) == ["i.example"]
    assert jmx.hosts(jmx.element("BackendListener", "b"), jmx.group(jmx.debug())) == []


UNKNOWN = {
    "a plugin that says nothing": jmx.element("com.example.OddSampler", "o", jmx.texts(size="5")),
    "a Java request": jmx.element("JavaSampler", "j", jmx.texts(classname="com.example.Load")),
    "a log that is replayed": jmx.element("AccessLogSampler", "a", jmx.texts(domain="localhost", logFile="x.log")),
    "a host from the run": jmx.element("TCPSampler", "t", jmx.texts(TCPSampler__server="${unknown}")),
    "no host at all": jmx.element("TCPSampler", "t"),
    "a URL of two minds": jmx.element("com.example.ASampler", "a", jmx.texts(url="http://a\\@b/")),
}  # fmt: skip


@pytest.mark.parametrize("sampler", UNKNOWN.values(), ids=UNKNOWN)
def test_a_sampler_that_may_reach_anything_has_no_known_host(sampler: str) -> None:
    found = jmx.facts(jmx.group(sampler)).targets
    assert [one.host for one in found] == [None]
    assert found[0].reason


def test_samplers_that_stay_on_the_machine_reach_nothing() -> None:
    java = jmx.element("JavaSampler", "j", jmx.texts(classname="org.apache.jmeter.protocol.java.test.SleepTest"))
    assert in_group(jmx.debug(), java, jmx.element("TestAction", "pause")) == []


def test_a_sampler_beside_the_groups_runs_in_each_of_them() -> None:
    beside = jmx.http("beside", children=jmx.defaults(domain="ignored"))
    groups = [jmx.group(jmx.defaults(domain=name), name=name) for name in ("one", "two")]
    assert jmx.hosts(beside, *groups) == ["one", "two"]
    assert jmx.hosts(jmx.controller(jmx.http(domain="never")), *groups) == []


def test_a_sampler_in_a_group_below_a_controller_sees_the_group_and_the_plan() -> None:
    inner = jmx.controller(jmx.defaults(domain="controller"), jmx.group(jmx.http()))
    assert jmx.hosts(inner, jmx.defaults(domain="plan")) == ["plan"]


def test_a_fragment_runs_only_where_it_is_borrowed() -> None:
    lone = jmx.fragment(jmx.http(), name="F")
    assert jmx.hosts(lone, jmx.group(jmx.debug())) == []
    around = jmx.group(jmx.controller(jmx.module("Plan", "F"), jmx.defaults(domain="here")))
    assert jmx.hosts(lone, around) == ["here"]


def test_a_module_runs_what_stands_in_a_disabled_group() -> None:
    library = jmx.group(jmx.controller(jmx.http(domain="a.example"), name="lib"), name="Off", enabled="false")
    assert jmx.hosts(library, jmx.group(jmx.module("Plan", "Off", "lib"))) == ["a.example"]
    disabled = jmx.group(jmx.controller(jmx.http(domain="x"), name="lib", enabled="false"), name="Off", enabled="false")
    assert jmx.hosts(disabled, jmx.group(jmx.module("Plan", "Off", "lib"))) == []


def test_a_module_that_points_to_nothing_or_to_itself_is_said() -> None:
    nothing = jmx.facts(jmx.group(jmx.module("Plan", "Gone"), jmx.debug()))
    assert "points to 'Plan > Gone'" in nothing.findings[0].message
    loop = jmx.facts(jmx.group(jmx.controller(jmx.module("Plan", "Users", "Part"), name="Part"), jmx.debug()))
    assert "leads back to itself" in loop.findings[0].message


def test_modules_that_multiply_end_in_a_limit() -> None:
    from perfsuite.errors import LimitExceeded

    parts = [
        jmx.fragment(*[jmx.module("Plan", f"F{level + 1}")] * 10, name=f"F{level}") for level in range(8)
    ]  # fmt: skip
    with pytest.raises(LimitExceeded, match="100000 elements"):
        jmx.facts(*parts, jmx.fragment(jmx.debug(), name="F8"), jmx.group(jmx.module("Plan", "F0")))


def test_many_elements_around_many_samplers_end_in_a_limit() -> None:
    from perfsuite.errors import LimitExceeded

    with pytest.raises(LimitExceeded, match="pairs of a sampler"):
        jmx.facts(jmx.group(*[jmx.timer("1")] * 1_500, *[jmx.debug()] * 1_500))


def test_an_included_plan_gives_its_first_fragment_and_its_variables() -> None:
    other = read_plan(
        jmx.plan(
            jmx.http(domain="not.this"),
            jmx.fragment(jmx.variables({"host": "inc.example"}), jmx.http(), enabled="false"),
            jmx.fragment(jmx.http(domain="nor.this")),
        ),
        file="other.jmx",
    )
    found = jmx.facts(
        jmx.defaults(domain="${host}"), jmx.group(jmx.include("other.jmx")), included={"other.jmx": other}
    )
    assert [one.host for one in found.targets] == ["inc.example"]
    assert found.targets[0].where == "Plan > Users > Include > Request, line 1 of 'other.jmx'"


def test_a_prefix_for_included_plans_is_heeded() -> None:
    other = read_plan(jmx.plan(jmx.fragment(jmx.http(domain="a.example"))))
    given = {"includecontroller.prefix": "parts/"}
    group = jmx.group(jmx.include("other.jmx"))
    assert jmx.hosts(group, given=given, included={"parts/other.jmx": other}) == ["a.example"]


@pytest.mark.parametrize("included", [{}, {"other.jmx": read_plan(jmx.plan(jmx.debug()))}])
def test_an_included_plan_that_is_not_there_or_empty_is_said(included: dict[str, object]) -> None:
    found = jmx.facts(jmx.group(jmx.include("other.jmx"), jmx.debug()), included=included)
    assert found.findings[0].severity == "error"
    assert "includes 'other.jmx'" in found.findings[0].message


URLS = {
    "jdbc:postgresql://a:5432,b:5432/db?x=1": ["a", "b"],
    "jdbc:sqlserver://s\\inst:1433;databaseName=x": ["s"],
    "jdbc:oracle:thin:@o:1521:sid": ["o"],
    "jdbc:oracle:thin:@//o:1521/service": ["o"],
    "jdbc:oracle:thin:@(DESCRIPTION=(ADDRESS=(HOST = o1)(PORT=1))(ADDRESS=(HOST=o2)))": ["o1", "o2"],
    "jdbc:mysql://user:pw@m/db": ["m"],
    "jdbc:sqlite:x.db": [],
    "jdbc:hsqldb:mem:x": [],
    "jdbc:derby:x": [],
    "jdbc:derby://d:1527/x": ["d"],
    "jdbc:odd:x": [None],
    "a:1, b; [::1]:2": ["a", "b", "::1"],
    "bolt://b:7687": ["b"],
    "a:b:c": [None],
}


@pytest.mark.parametrize(("url", "expected"), URLS.items())
def test_hosts_are_found_in_urls_and_lists(url: str, expected: list[str | None]) -> None:
    assert list(hosts_of(url)) == expected


@given(st.text("abc.:/@\\[]?#%12 ", max_size=30))
def test_a_url_has_one_host_or_none(rest: str) -> None:
    found = host_of_url(f"http://{rest}")
    assert found is None or not set(found) & set("@/?#\\ ")


def test_a_fragment_inside_a_group_runs() -> None:
    assert in_group(jmx.fragment(jmx.http(domain="a.example"))) == ["a.example"]


def test_dead_code_in_a_plan_does_not_count() -> None:
    found = examine(jmx.tree(jmx.group(jmx.http(domain="x"), enabled="false")), Surroundings({}))
    assert found.targets == []
    assert found.disabled == 2
    assert [one.code for one in found.findings] == ["no_thread_group"]
