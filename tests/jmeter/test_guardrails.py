"""The guard rails of guardrails.yaml, each with what it refuses, what it says and where to change it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jmeter import jmx
from perfsuite.configuration import Loaded
from perfsuite.errors import BadFile, Refused
from perfsuite_jmeter.core.guardrails import GuardRails, Work
from perfsuite_jmeter.models.plan import CheckedPlan, PlanCheck, ThreadGroup, Violation
from perfsuite_jmeter.service.plans import Question, checked_plan, find_rules, validate_test_plan


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


class Project:
    """A folder with one plan and its rules."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.plan = folder / "plan.jmx"

    def rules(self, text: str | None) -> Loaded[GuardRails]:
        if text is not None:
            (self.folder / "guardrails.yaml").write_text(text, encoding="utf-8")
        return find_rules(self.folder, {}, self.folder)

    def check(self, *children: str, rules: str | None = None, given: dict[str, str] | None = None,
              remote: tuple[str, ...] = (), properties: str = "") -> PlanCheck:  # fmt: skip
        self.plan.write_bytes(jmx.plan(*children, properties=properties))
        return validate_test_plan(Question(self.plan, given or {}, remote), self.rules(rules))

    def violations(self, *children: str, **how: object) -> list[Violation]:
        return self.check(*children, **how).violations  # type: ignore[arg-type]

    def start(self, *children: str, rules: str | None = None, remote: tuple[str, ...] = ()) -> CheckedPlan:
        self.plan.write_bytes(jmx.plan(*children))
        return checked_plan(Question(self.plan, {}, remote), self.rules(rules))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def local(*children: str, users: str = "1", duration: str | None = "60", **how: str) -> str:
    return jmx.group(jmx.http(domain="localhost"), *children, users=users, duration=duration, **how)


def test_without_a_file_only_this_machine_may_be_loaded(project: Project) -> None:
    assert project.violations(local()) == []
    (one,) = project.violations(jmx.group(jmx.http(domain="shop.example")))
    assert one.rule == "allowed_hosts"
    assert one.message == "The host 'shop.example' is not allowed (load, 1 element), at Plan > Users > Request, line 1."
    assert one.change.startswith(f"Add it to `allowed_hosts` in a new file `{project.folder / 'guardrails.yaml'}`")
    notes = " ".join(project.check(local()).notes)
    assert "Without a guardrails.yaml only this machine may be loaded" in notes


def test_an_allowed_host_may_be_loaded_and_a_refusal_names_the_file(project: Project) -> None:
    rules = "allowed_hosts: ['*.shop.example']"
    assert project.violations(jmx.group(jmx.http(domain="a.shop.example")), rules=rules) == []
    (one,) = project.violations(jmx.group(jmx.http(domain="${__P(host,other.example)}")), rules=rules)
    assert "written as '${__P(host,other.example)}'" in one.message
    assert f"`allowed_hosts` in `{project.folder / 'guardrails.yaml'}`" in one.change


def test_a_property_decides_which_host_is_judged(project: Project) -> None:
    group = jmx.group(jmx.http(domain="${__P(host,localhost)}"))
    assert project.violations(group) == []
    assert project.violations(group, given={"host": "shop.example"}) != []


def test_a_host_that_only_the_run_knows_is_not_allowed(project: Project) -> None:
    group = jmx.group(jmx.csv("a.csv", "host"), jmx.http(domain="${host}"))
    (one,) = project.violations(group, rules="allowed_hosts: ['*.example']")
    assert "${host} is set while the test runs" in one.message
    assert "allow '*'" in one.change
    assert project.violations(group, rules="allowed_hosts: ['*']") == []


@pytest.mark.parametrize(
    "elements",
    [
        jmx.http(domain="localhost", proxyHost="proxy.example"),
        jmx.http(domain="localhost", path="http://evil.example/"),
        jmx.http(domain="localhost", path="${__P(java.vendor.url)}"),
        jmx.element("com.example.OddSampler"),
        jmx.include("missing.jmx"),
        jmx.module("Plan", "Gone"),
    ],
)
def test_no_way_around_the_hosts_is_left(project: Project, elements: str) -> None:
    assert {one.rule for one in project.violations(jmx.group(jmx.debug(), elements))} == {"allowed_hosts"}


def test_a_broken_include_is_refused_even_where_every_host_is_allowed(project: Project) -> None:
    found = project.violations(jmx.group(jmx.include("missing.jmx")), rules="allowed_hosts: ['*']")
    assert "what it runs is not known" in found[0].message


def test_users_of_a_phase_add_up_and_phases_do_not(project: Project) -> None:
    groups = (local(users="30"), local(users="30"), local(users="50", kind="SetupThreadGroup"))
    assert project.violations(*groups, rules="max_threads: 60") == []
    (one,) = project.violations(*groups, rules="max_threads: 59")
    assert one.rule == "max_threads"
    assert "At most 59 users are allowed; the plan has 60 users at the same time: 'Users' (line 1): 30" in one.message
    assert "raise `max_threads`" in one.change


def test_groups_that_run_one_after_the_other_do_not_add_up(project: Project) -> None:
    serial = jmx.text("TestPlan.serialize_threadgroups", "true", "boolProp")
    groups = (local(users="30"), local(users="40"))
    found = project.check(*groups, rules="max_threads: 40\nmax_duration_minutes: 2", properties=serial)
    assert (found.users, found.duration_s, found.violations) == (40, 120, [])


def test_every_remote_host_makes_the_same_users(project: Project) -> None:
    remote = ("127.0.0.1:24001", "127.0.0.1:24002", "127.0.0.1:24003")
    (one,) = project.violations(local(users="20"), rules="max_threads: 50", remote=remote)
    assert "60 users at the same time on 3 generators" in one.message
    assert project.check(local(users="20"), remote=remote).users == 60


def test_a_remote_host_must_be_allowed_itself(project: Project) -> None:
    (one,) = project.violations(local(), remote=("load.example:1099",))
    assert "'load.example' is not allowed (generator" in one.message


def test_users_that_are_not_known_count_as_too_many(project: Project) -> None:
    (one,) = project.violations(local(users="${unknown}"), rules="max_threads: 5")
    assert "without a known limit" in one.message
    schedule = jmx.text("OpenModelThreadGroup.schedule", "rate(10/s) even_arrivals(60 s) rate(10/s)")
    group = jmx.element("OpenModelThreadGroup", "open", schedule, jmx.http(domain="localhost"))
    (one,) = project.violations(group, rules="max_threads: 5")
    assert "600 users" in one.message
    assert "An open model starts a user for each arrival" in one.message


def test_a_test_that_is_too_long_is_refused(project: Project) -> None:
    (one,) = project.violations(local(duration="121"), rules="max_duration_minutes: 2")
    assert one.rule == "max_duration_minutes"
    assert "At most 2 minutes are allowed; the plan takes 2.01667" in one.message
    assert project.violations(local(duration="120"), rules="max_duration_minutes: 2") == []


@pytest.mark.parametrize("how", [{"loops": "-1"}, {"loops": "${unknown}"}])
def test_a_test_without_an_end_counts_as_too_long(project: Project, how: dict[str, str]) -> None:
    (one,) = project.violations(local(duration=None, **how), rules="max_duration_minutes: 600")
    assert "have no known end" in one.message
    assert "Give them a duration" in one.change


def test_a_test_that_ends_with_its_loops_is_ended_at_the_limit(project: Project) -> None:
    found = project.start(local(duration=None, loops="5"), rules="max_duration_minutes: 2")
    assert (found.duration_s, found.duration_limit_s) == (None, 120)
    long = (local(duration=None, loops="5"), local(duration="500"))
    (one,) = project.violations(*long, rules="max_duration_minutes: 2")
    assert "longer are 'Users' (line 1): 500 s" in one.message


def test_phases_one_after_the_other_add_up_to_the_duration(project: Project) -> None:
    found = project.check(local(), local(duration="90"), local(duration="30", kind="PostThreadGroup"))
    assert found.duration_s == 120


def test_a_rate_that_may_be_too_high_is_refused(project: Project) -> None:
    rules = "max_requests_per_second: 50"
    (one,) = project.violations(local(), rules=rules)
    assert one.rule == "max_requests_per_second"
    assert "is not limited: 'Users' (line 1): no limit" in one.message
    (one,) = project.violations(local(jmx.timer("100"), users="6"), rules=rules)
    assert "may reach 60: 'Users' (line 1): 60/s" in one.message
    assert project.violations(local(jmx.timer("100"), users="5"), rules=rules) == []


FORBIDDEN = {
    "commands": jmx.element("SystemSampler", "s", jmx.texts(SystemSampler__command="rm")),
    "a long name": jmx.element("org.apache.jmeter.protocol.system.SystemSampler", "s"),
    "BeanShell": jmx.element("BeanShellSampler", "s", jmx.texts(BeanShellSampler__query="x")),
    "JSR223": jmx.element("JSR223PreProcessor", "s", jmx.texts(script="x")),
    "BSF": jmx.element("BSFAssertion", "s", jmx.texts(script="x")),
    "a function": jmx.debug("${__groovy(1+1)}"),
    "a nested function": jmx.element("DebugSampler", "s", jmx.texts(a="${__P(x,${__jexl3(1)})}")),
    "a condition": jmx.element("IfController", "s", jmx.texts(IfController__condition="java.lang.System.exit(1)")),
}


@pytest.mark.parametrize("element", FORBIDDEN.values(), ids=FORBIDDEN)
def test_code_in_a_plan_is_forbidden_until_a_person_allowed_exactly_that(project: Project, element: str) -> None:
    found = project.check(local(element))
    (one,) = found.violations
    assert one.rule == "forbidden_elements"
    assert "can run code or commands" in one.message
    assert found.dangers[0].forbidden
    fingerprint = found.dangers[0].fingerprint
    assert repr(fingerprint) in one.change
    assert project.violations(local(element), rules=f"allowed_elements: ['{fingerprint}']") == []
    other = element.replace(">x<", ">y<").replace("1", "2").replace(">rm<", ">mv<")
    if other != element:
        assert project.violations(local(other), rules=f"allowed_elements: ['{fingerprint}']") != []


def test_a_new_name_does_not_change_a_fingerprint_and_other_code_does(project: Project) -> None:
    def fingerprint(name: str, script: str) -> str:
        element = jmx.element("JSR223Sampler", name, jmx.texts(script=script))
        return project.check(local(element)).dangers[0].fingerprint

    assert fingerprint("a", "x") == fingerprint("b", "x") != fingerprint("a", "y")


def test_the_content_of_a_script_file_is_part_of_the_fingerprint(project: Project) -> None:
    element = local(jmx.element("JSR223Sampler", "s", jmx.texts(filename="code.groovy")))
    (project.folder / "code.groovy").write_text("good", encoding="utf-8")
    fingerprint = project.check(element).dangers[0].fingerprint
    rules = f"allowed_elements: ['{fingerprint}']"
    assert project.violations(element, rules=rules) == []
    (project.folder / "code.groovy").write_text("evil", encoding="utf-8")
    assert project.violations(element, rules=rules) != []


@pytest.mark.parametrize(
    "condition",
    ['"${a}" == "b"', "${count} < 10 && ${on}", "${JMeterThread.last_sample_ok}", "", "1 != 2 || !('a' === 'b')"],
)
def test_a_plain_comparison_is_no_code(project: Project, condition: str) -> None:
    element = jmx.element("IfController", "s", jmx.texts(IfController__condition=condition))
    assert project.check(local(element)).dangers == []


def test_an_expression_as_a_condition_is_no_javascript(project: Project) -> None:
    properties = jmx.texts(IfController__condition="${x()}") + jmx.text(
        "IfController.useExpression", "true", "boolProp"
    )
    assert project.check(local(jmx.element("IfController", "s", properties))).dangers == []


def test_foreign_classes_and_jars_are_dangers(project: Project) -> None:
    foreign = jmx.element("JavaSampler", "j", jmx.texts(classname="com.example.Load"))
    own = jmx.element("JavaSampler", "j", jmx.texts(classname="org.apache.jmeter.protocol.java.test.SleepTest"))
    assert [one.kind for one in project.check(local(foreign, own)).dangers] == ["JavaSampler"]
    jars = jmx.text("TestPlan.user_define_classpath", "evil.jar")
    (one,) = project.violations(local(), properties=jars)
    assert "'JSR223Classpath' is forbidden" in one.message


@pytest.mark.parametrize(
    "name", ["jsr223.init.file", "beanshell.sampler.init", "saveservice_properties", "search_paths"]
)
def test_a_property_that_makes_jmeter_run_something_is_forbidden(project: Project, name: str) -> None:
    (project.folder / "init.groovy").write_text("good", encoding="utf-8")
    given = {name: "init.groovy"}
    found = project.check(local(), given=given)
    assert found.violations[0].message.startswith(f"'JSR223Property' is forbidden, at the property {name!r}")
    rules = f"allowed_elements: ['{found.dangers[0].fingerprint}']"
    assert project.violations(local(), given=given, rules=rules) == []
    (project.folder / "init.groovy").write_text("evil", encoding="utf-8")
    assert project.violations(local(), given=given, rules=rules) != []


def test_what_writes_files_is_shown_and_forbidden_on_request(project: Project) -> None:
    elements = (jmx.element("ResultSaver", "s"), jmx.debug("${__StringToFile(x,y)}"))
    found = project.check(local(*elements))
    assert {one.kind: one.forbidden for one in found.dangers} == {"ResultSaver": False, "StringToFileFunction": False}
    rules = "forbidden_elements: [ResultSaver, StringToFile*]"
    assert len(project.violations(local(*elements), rules=rules)) == 2


def test_disabled_code_is_no_danger(project: Project) -> None:
    assert project.check(local(jmx.element("SystemSampler", "s", enabled="false"))).dangers == []


def test_what_is_forbidden_can_be_chosen(project: Project) -> None:
    element = local(jmx.element("JSR223Sampler", "s"))
    assert project.violations(element, rules="forbidden_elements: [SystemSampler]") == []
    assert project.violations(element, rules="forbidden_elements: ['*']") != []


@pytest.mark.parametrize(
    ("rules", "host", "remote", "asks"),
    [
        (None, "localhost", (), True),
        ("require_confirmation: always", "localhost", (), True),
        ("require_confirmation: never\nallowed_hosts: [a.example]", "a.example", (), False),
        ("require_confirmation: remote", "localhost", (), False),
        ("require_confirmation: remote", "localhost", ("127.0.0.1:1099",), True),
        ("require_confirmation: remote\nallowed_hosts: [a.example]", "a.example", (), True),
        ("require_confirmation: remote\nallowed_hosts: ['*']", "${unknown}", (), True),
    ],
)
def test_starting_asks_as_the_rules_say(
    project: Project, rules: str | None, host: str, remote: tuple[str, ...], asks: bool
) -> None:
    found = project.start(jmx.group(jmx.http(domain=host), users="5", duration="60"), rules=rules, remote=remote)
    assert (found.ask is not None) is asks
    if asks:
        assert found.ask is not None
        assert "Start the load test 'plan.jmx' with 5 users for 60 s against" in found.ask


def test_a_question_says_what_is_not_known(project: Project) -> None:
    group = jmx.group(jmx.debug(), users="${x}", loops="3")
    found = project.start(group)
    assert found.ask == (
        "Start the load test 'plan.jmx' with an unknown number of users until its loops are done against no host?"
    )


def test_a_start_that_is_refused_names_every_rule(project: Project) -> None:
    group = jmx.group(jmx.http(domain="a.example"), jmx.element("SystemSampler", "s"), users="9", duration="600")
    with pytest.raises(Refused) as caught:
        project.start(group, rules="max_threads: 5\nmax_duration_minutes: 1")
    for rule in ("[allowed_hosts]", "[forbidden_elements]", "[max_threads]", "[max_duration_minutes]"):
        assert rule in caught.value.message
    assert "Add it to `allowed_hosts`" in caught.value.next_step


def test_many_refusals_are_counted(project: Project) -> None:
    requests = [jmx.http(f"r{at}", domain=f"h{at}.example") for at in range(20)]
    with pytest.raises(Refused, match="And 12 more"):
        project.start(jmx.group(*requests))


WRONG = {
    "max_threads: many": "line 1, key 'max_threads': Input should be a valid integer; found 'many'",
    "max_threads: -1": "key 'max_threads': Input should be greater than or equal to 0; found -1",
    "max_duration_minutes: 0": "key 'max_duration_minutes': Input should be greater than 0",
    "max_duration_minutes: .inf": "key 'max_duration_minutes': Input should be a finite number",
    "allowed_hosts: shop.example": "key 'allowed_hosts': Input should be a valid tuple; found 'shop.example'",
    "allowed_hosts: ['http://shop.example']": "key 'allowed_hosts': expected a host without a scheme",
    "allowed_elements: [abc]": "key 'allowed_elements.0': String should match pattern",
    "require_confirmation: maybe": "key 'require_confirmation': Input should be 'always', 'remote' or 'never'",
    "max_treads: 5": "has the unknown key 'max_treads'",
}


@pytest.mark.parametrize(("text", "message"), WRONG.items())
def test_a_wrong_rule_is_said_with_its_file_key_and_what_was_expected(
    project: Project, text: str, message: str
) -> None:
    with pytest.raises(BadFile) as caught:
        project.rules(text)
    assert message in caught.value.message
    assert str(project.folder / "guardrails.yaml") in caught.value.message


GROUPS = st.lists(
    st.builds(
        ThreadGroup,
        name=st.just("g"),
        kind=st.just("ThreadGroup"),
        line=st.just(1),
        phase=st.sampled_from(["setUp", "main", "tearDown"]),
        users=st.one_of(st.none(), st.integers(0, 100)),
        duration_s=st.one_of(st.none(), st.floats(0, 100)),
        requests_per_s=st.one_of(st.none(), st.floats(0, 100)),
        ends_by=st.just("duration"),
    ),
    max_size=6,
)


@given(GROUPS, st.booleans(), st.integers(1, 5))
def test_more_groups_or_generators_never_make_less_work(
    groups: list[ThreadGroup], serialized: bool, count: int
) -> None:
    work = Work(groups, serialized, count)
    fewer = Work(groups[:-1], serialized, count)
    one = Work(groups, serialized, 1)
    for name in ("users", "requests_per_s", "duration_s"):
        whole, part, single = (getattr(each, name) for each in (work, fewer, one))
        if whole is not None:
            assert part is not None
            assert part <= whole
            assert single <= whole
