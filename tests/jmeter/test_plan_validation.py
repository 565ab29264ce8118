"""validate_test_plan: one answer about a plan, and the same judgement when a test is started."""

import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from jmeter import jmx
from perfsuite.configuration import Loaded
from perfsuite.errors import BadFile, LimitExceeded, NotFound, Refused
from perfsuite_jmeter.core.guardrails import GuardRails
from perfsuite_jmeter.core.plans.classes import CORE, install_command, plugin_of
from perfsuite_jmeter.models.engine import Engine
from perfsuite_jmeter.models.plan import CheckedPlan, Finding, PlanCheck
from perfsuite_jmeter.models.runs import PlannedLoad
from perfsuite_jmeter.service.plans import PlanChecker, Question, checked_plan, validate_test_plan

RULES = Loaded(GuardRails(max_duration_minutes=5), Path("guardrails.yaml"), (Path("guardrails.yaml"),))


@dataclass(frozen=True)
class Said:
    ok: bool
    seconds: float = 0.25
    lines: tuple[str, ...] = ()


@dataclass
class Folder:
    """A folder with plans in it."""

    path: Path

    def put(self, name: str, content: bytes | str) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def ask(self, *children: str, given: Mapping[str, str] | None = None, withheld: tuple[str, ...] = ()) -> Question:
        return Question(self.put("plan.jmx", jmx.plan(*children)), given or {}, (), withheld)

    def check(self, *children: str, given: Mapping[str, str] | None = None, engine: Engine | None = None) -> PlanCheck:
        return validate_test_plan(self.ask(*children, given=given), RULES, engine)

    def start(self, *children: str) -> CheckedPlan:
        return checked_plan(self.ask(*children), RULES)

    def codes(self, *children: str) -> dict[str, Finding]:
        return {one.code: one for one in self.check(*children).findings}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.fixture
def home(tmp_path: Path) -> Engine:
    """A folder that looks like a JMeter with the classes of its own and of one plugin."""
    home = tmp_path / "home"
    for name in ("bin", "lib/ext"):
        (home / name).mkdir(parents=True)
    with zipfile.ZipFile(home / "lib" / "ext" / "core.jar", "w") as jar:
        for name in (*CORE.values(), "com.example.OwnSampler"):
            jar.writestr(f"{name.replace('.', '/')}.class", b"")
    (home / "lib" / "broken.jar").write_bytes(b"no jar")
    (home / "bin" / "user.properties").write_text("host=from.user.properties\n", encoding="utf-8")
    return Engine(source="JMETER_HOME", home=home, version="5.5", java=Path("java"), java_version="17")


def test_a_plan_of_500_samplers_fits_into_an_answer(folder: Folder) -> None:
    requests = [
        jmx.http(f"Request {at} with a rather long name", domain=f"host-{at}.example", path=f"/{at}")
        for at in range(500)
    ]
    groups = [jmx.group(*requests[at : at + 10], name=f"Group {at}", users="${unknown}") for at in range(0, 500, 10)]
    data = [jmx.csv(f"data-{at}.csv", "x") for at in range(100)]
    scripts = [jmx.element("JSR223Sampler", f"s{at}", jmx.texts(script=str(at))) for at in range(50)]
    plugins = [jmx.element(f"com.example.Plugin{at}Sampler", "p") for at in range(60)]
    found = folder.check(*data, *groups, jmx.group(*scripts, *plugins))
    assert len(found.model_dump_json()) < 10_000
    assert (found.valid, found.allowed) == (False, False)
    assert found.left_out["targets"] > 400
    assert found.elements["HTTPSamplerProxy"] == 500
    assert len(found.violations) >= 3


def test_names_of_any_length_and_kind_fit_into_an_answer(folder: Folder) -> None:
    name = "\u202e\n" + "x" * 5_000
    names = [jmx.http(f"{name}{at}", domain=f"{name}{at}") for at in range(20)]
    found = folder.check(*names, jmx.group(*names, name=name, users="${" + "y" * 3_000 + "}"))
    assert len(found.model_dump_json()) < 10_000
    assert "\n" not in found.targets[0].where


def test_a_good_plan_has_few_findings(folder: Folder) -> None:
    folder.put("a.csv", "user\nx\n")
    found = folder.check(
        jmx.element("CookieManager"),
        jmx.element("ResponseAssertion", "2xx"),
        jmx.csv("a.csv"),
        jmx.group(jmx.timer("100"), jmx.http(domain="localhost", response_timeout="5000"), users="2", duration="60"),
    )
    assert (found.valid, found.allowed, found.findings) == (True, True, [])
    assert (found.users, found.duration_s, found.disabled_elements, found.saved_by) == (2, 60, 0, "5.5")
    assert found.data_files[0].found
    assert found.rules_from == "guardrails.yaml"


def test_advice_says_what_makes_the_numbers_worse(folder: Folder) -> None:
    tree = jmx.element("ResultCollector", "tree", jmx.texts(filename="out.jtl"), guiclass="ViewResultsFullVisualizer")
    request = jmx.http(domain="localhost", image_parser="true")
    codes = folder.codes(tree, jmx.group(request, request, users="2", loops="-1"))
    assert set(codes) == {
        "endless", "no_assertion", "no_pacing", "no_cookies", "embedded_resources", "no_timeout", "heavy_listener",
        "own_result_file",
    }  # fmt: skip
    assert codes["no_assertion"].count == 2
    assert codes["no_assertion"].where == "Plan > Users > Request, line 1"
    assert "'out.jtl'" in codes["own_result_file"].message


def test_pauses_among_the_samplers_are_pacing(folder: Folder) -> None:
    assert "no_pacing" not in folder.codes(jmx.group(jmx.element("TestAction", "pause"), jmx.debug()))


def test_an_open_model_needs_no_timer(folder: Folder) -> None:
    schedule = jmx.text("OpenModelThreadGroup.schedule", "rate(1/s) even_arrivals(5 s) rate(1/s)")
    assert "no_pacing" not in folder.codes(jmx.element("OpenModelThreadGroup", "o", schedule, jmx.debug()))


def test_a_plan_that_measures_nothing_is_an_error(folder: Folder) -> None:
    assert folder.codes()["no_thread_group"].severity == "error"
    assert folder.codes(jmx.group())["no_sampler"].severity == "error"
    assert folder.codes(jmx.group(jmx.debug(), users="0"))["no_users"].severity == "warning"
    with pytest.raises(BadFile, match="No thread group is enabled"):
        folder.start()


def test_an_unreadable_expression_is_said(folder: Folder) -> None:
    found = folder.codes(jmx.group(*[jmx.http(domain="localhost", path="/${__P(a,b,c)}")] * 9))
    assert "resolves none of this element" in found["invalid_expression"].message


def test_missing_data_files_are_named(folder: Folder) -> None:
    upload = (
        '<elementProp name="HTTPsampler.Files" elementType="HTTPFileArgs"><collectionProp name="HTTPFileArgs.files">'
    )
    upload += '<elementProp name="x" elementType="HTTPFileArg">' + jmx.texts(File__path="gone.png") + "</elementProp>"
    request = jmx.element("HTTPSamplerProxy", "up", jmx.texts(HTTPSampler__domain="localhost") + upload +
                          "</collectionProp></elementProp>")  # fmt: skip
    read = jmx.debug("${__FileToString(${dir}/body.json)}${__CSVRead(*1,0)}${__StringFromFile(${unknown})}")
    folder.put("data/body.json", "{}")
    group = jmx.group(jmx.csv("users.csv", "u"), jmx.csv("${unknown}", "v"), request, read)
    found = folder.check(jmx.variables({"dir": "data"}), group)
    assert {one.path: one.found for one in found.data_files} == {
        "users.csv": False, "${unknown}": None, "gone.png": False, "data/body.json": True,
    }  # fmt: skip
    assert not found.valid
    with pytest.raises(BadFile, match=r"These data files are missing: 'users.csv' \(Plan > Users > Data, line 1\)"):
        folder.start(group)


def test_missing_classes_come_with_the_command_that_installs_them(folder: Folder) -> None:
    plugin = jmx.element("kg.apc.jmeter.samplers.DummySampler", "d")
    found = folder.check(jmx.group(plugin))
    assert [(one.class_name, one.plugin) for one in found.missing_classes] == [
        ("kg.apc.jmeter.samplers.DummySampler", "jpgc-dummy")
    ]
    assert found.install_command == "PluginsManagerCMD.sh install jpgc-dummy"
    unknown = folder.check(jmx.group(plugin, jmx.element("com.example.OddSampler", "o")))
    assert unknown.install_command == f"PluginsManagerCMD.sh install-for-jmx {folder.path / 'plan.jmx'}"
    with pytest.raises(BadFile, match="JMeter lacks these classes") as caught:
        folder.start(jmx.group(plugin))
    assert caught.value.next_step == "Run `PluginsManagerCMD.sh install jpgc-dummy`, then try again."


def test_even_disabled_elements_need_their_classes(folder: Folder) -> None:
    off = jmx.element("com.example.OddSampler", "x", enabled="false")
    inner = '<elementProp name="a" elementType="com.example.Inner"/><collectionProp name="b">' + (
        '<elementProp name="c" elementType="com.example.Other"/></collectionProp>'
    )
    found = folder.check(jmx.group(off, jmx.element("DebugSampler", "d", inner)))
    assert [one.class_name for one in found.missing_classes] == [
        "com.example.Inner", "com.example.OddSampler", "com.example.Other",
    ]  # fmt: skip


def test_an_installation_is_asked_for_its_classes_and_properties(folder: Folder, home: Engine) -> None:
    own = jmx.element("com.example.OwnSampler", "x", jmx.texts(host="${__P(host,localhost)}"))
    found = folder.check(jmx.group(own, jmx.http(domain="localhost")), engine=home)
    assert found.missing_classes == []
    assert {one.host for one in found.targets} == {"from.user.properties", "localhost"}
    (home.home / "lib" / "ext" / "core.jar").unlink()
    assert folder.check(jmx.group(own), engine=home).missing_classes != []


@pytest.mark.parametrize(
    ("name", "plugin"),
    [
        ("org.apache.jmeter.protocol.jdbc.sampler.JDBCSampler", "jmeter-jdbc"),
        ("com.blazemeter.jmeter.threads.concurrency.ConcurrencyThreadGroup", "jpgc-casutg"),
        ("com.example.Unknown", None),
    ],
)
def test_a_plugin_is_known_by_its_classes(name: str, plugin: str | None) -> None:
    assert plugin_of(name) == plugin
    assert install_command([name]) == (f"PluginsManagerCMD.sh install {plugin}" if plugin else "")


def test_included_plans_are_read_where_they_lie(folder: Folder) -> None:
    folder.put("parts/one.jmx", jmx.plan(jmx.fragment(jmx.include("parts/two.jmx"))))
    folder.put("parts/two.jmx", jmx.plan(jmx.fragment(jmx.http(domain="deep.example"), jmx.include("parts/one.jmx"))))
    found = folder.check(jmx.group(jmx.include("parts/one.jmx")))
    assert {one.host for one in found.targets} == {"deep.example"}
    assert any("leads back to itself" in one.message for one in found.findings)
    folder.put("parts/two.jmx", "<html/>")
    with pytest.raises(BadFile, match=r"The included plan 'parts/two\.jmx': The file is XML, but no test plan"):
        folder.check(jmx.group(jmx.include("parts/one.jmx")))


def test_the_header_of_a_data_file_is_read(folder: Folder) -> None:
    request = jmx.http(domain="${host}")
    group = (jmx.variables({"host": "localhost"}), jmx.group(jmx.csv("a.csv"), request))
    folder.put("a.csv", 'user;"host"\nx;y\n')
    assert folder.check(*group).targets[0].host is None
    folder.put("a.csv", b"\xef\xbb\xbfuser,password\nx,y\n")
    assert folder.check(*group).targets[0].host == "localhost"
    folder.put("a.csv", b"")
    assert folder.check(*group).targets[0].host == "localhost"
    (folder.path / "a.csv").unlink()
    (reason,) = [one.reason for one in folder.check(*group).targets]
    assert reason is not None
    assert "'a.csv', which cannot be read" in reason


def test_a_secret_property_settles_no_host(folder: Folder) -> None:
    question = folder.ask(jmx.group(jmx.http(domain="${__P(host,localhost)}")), withheld=("host",))
    (target,) = validate_test_plan(question, RULES).targets
    assert (target.host, target.allowed) == (None, False)


def test_the_real_jmeter_has_the_last_word(folder: Folder) -> None:
    asked: list[tuple[Path, Mapping[str, str]]] = []

    def load(plan: Path, properties: Mapping[str, str]) -> Said:
        asked.append((plan, properties))
        return Said(ok=False, lines=("broken",))

    question = folder.ask(jmx.group(jmx.debug()), given={"a": "1"})
    found = validate_test_plan(question, RULES, load=load)
    assert asked == [(question.plan, {"a": "1"})]
    assert found.loaded is not None
    assert (found.valid, found.loaded.lines) == (False, ("broken",))


def test_a_start_validates_then_guards(folder: Folder, home: Engine) -> None:
    loaded: list[Path] = []

    def load(plan: Path, properties: Mapping[str, str]) -> Said:
        loaded.append(plan)
        return Said(ok=len(loaded) == 1, lines=("no such class",))

    checker = PlanChecker(RULES, home, load)
    plan = folder.ask(jmx.group(jmx.debug(), users="4", duration="60")).plan
    planned = checker.validate(plan, {}, ("127.0.0.1:1", "127.0.0.1:2"))
    assert planned == PlannedLoad(users=8, duration_s=60)
    assert checker.guard(plan, {}, (), planned) == 300
    with pytest.raises(BadFile, match=r"JMeter does not take the plan .* no such class"):
        checker.validate(plan, {}, ())
    forbidden = folder.ask(jmx.group(jmx.http(domain="a.example"), duration="60")).plan
    assert checker.validate(forbidden, {}, ()) == PlannedLoad(users=1, duration_s=60)
    assert len(loaded) == 2
    with pytest.raises(Refused, match=r"'a\.example' is not allowed"):
        checker.guard(forbidden, {}, (), planned)
    broken = folder.ask().plan
    with pytest.raises(BadFile, match="cannot run"):
        checker.validate(broken, {}, ())


def test_what_may_start_is_described(folder: Folder) -> None:
    found = folder.start(jmx.group(jmx.http(domain="127.0.0.1"), users="3", loops="2"))
    assert (found.users, found.duration_s, found.duration_limit_s, found.hosts) == (3, None, 300, ("127.0.0.1",))
    assert len(found.sha256) == 64
    assert any("end with their loops" in one for one in found.notes)


@pytest.mark.parametrize("name", ["gone.jmx", "x" * 5_000, "nul\0"])
def test_a_plan_that_is_not_there_is_said(folder: Folder, name: str) -> None:
    with pytest.raises(NotFound, match="cannot be read") as caught:
        validate_test_plan(Question(folder.path / name, {}), RULES)
    assert "list_jmeter_scripts" in caught.value.next_step


def test_a_folder_or_a_pipe_is_no_plan(folder: Folder) -> None:
    with pytest.raises(BadFile, match="is not a file"):
        validate_test_plan(Question(folder.path, {}), RULES)
    os.mkfifo(folder.path / "pipe.jmx")
    with pytest.raises(BadFile, match="is not a file"):
        validate_test_plan(Question(folder.path / "pipe.jmx", {}), RULES)


def test_a_huge_plan_is_not_read(folder: Folder) -> None:
    path = folder.path / "huge.jmx"
    with path.open("wb") as file:
        file.truncate(21_000_000)
    with pytest.raises(LimitExceeded, match="at most 20000000"):
        validate_test_plan(Question(path, {}), RULES)


def test_odd_names_of_files_are_only_missing(folder: Folder) -> None:
    found = folder.check(jmx.group(jmx.csv("x" * 400, "a"), jmx.csv(".", "b"), jmx.include("y" * 400), jmx.debug()))
    assert [one.found for one in found.data_files] == [False, False]
