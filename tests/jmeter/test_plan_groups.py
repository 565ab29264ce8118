"""Thread groups of every kind: users, durations, loops and rates as the given properties resolve them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jmeter import jmx
from perfsuite_jmeter.core.plans.schedule import UnreadableSchedule, read_schedule
from perfsuite_jmeter.models.plan import ThreadGroup

ARABIC_FIVE = "\N{ARABIC-INDIC DIGIT FIVE}"
DYNAMIC = "com.blazemeter.jmeter.threads."


def read(*children: str, given: dict[str, str] | None = None) -> ThreadGroup:
    """The first thread group of a plan."""
    return jmx.facts(*children, given=given).groups[0]


def table(name: str, *rows: tuple[str, ...]) -> str:
    cells = ["".join(jmx.text(str(at), cell) for at, cell in enumerate(row)) for row in rows]
    inner = "".join(f'<collectionProp name="r{at}">{row}</collectionProp>' for at, row in enumerate(cells))
    return f'<collectionProp name="{name}">{inner}</collectionProp>'


def test_a_thread_group_is_what_its_properties_resolve_to() -> None:
    group = jmx.group(
        jmx.debug(), users="${__P(users,5)}", ramp="${ramp}", loops="-1", duration="${__P(d,60)}", delay="3"
    )
    found = read(jmx.variables({"ramp": "7"}), group, given={"users": "50"})
    assert (found.users, found.ramp_s, found.loops, found.duration_s, found.delay_s) == (50, 7, -1, 63, 3)
    assert (found.ends_by, found.phase, found.unresolved) == ("duration", "main", ())


@pytest.mark.parametrize(
    ("loops", "forever", "expected", "ends_by"),
    [
        ("5", "false", 5, "loops"),
        ("-1", "false", -1, "never"),
        ("-7", "false", -1, "never"),
        ("5", "true", -1, "never"),
        ("", "false", 0, "loops"),
        # JMeter's own default, which hand-written plans run into.
        ("5", None, -1, "never"),
        ("${nobody}", "false", None, "unknown"),
    ],
)
def test_a_group_without_a_duration_ends_with_its_loops(
    loops: str, forever: str | None, expected: int | None, ends_by: str
) -> None:
    properties = jmx.loop(loops, forever=forever) + jmx.text("ThreadGroup.num_threads", "1")
    found = read(jmx.element("ThreadGroup", "Users", properties, jmx.debug()))
    assert (found.loops, found.ends_by, found.duration_s) == (expected, ends_by, None)


@pytest.mark.parametrize(
    ("text", "users"),
    [("5", 5), ("+5", 5), ("-5", 0), (" 5 ", 0), ("5.0", 0), ("1_0", 0), ("", 0), (ARABIC_FIVE, 5), ("9" * 12, 0)],
)
def test_a_number_of_users_is_read_as_java_reads_it(text: str, users: int) -> None:
    found = read(jmx.group(jmx.debug(), users=text))
    assert found.users == users
    assert bool(found.unresolved) == (text not in ("5", "+5", "-5", "", ARABIC_FIVE))


def test_what_only_the_run_knows_is_named() -> None:
    found = read(jmx.csv("a.csv", "n"), jmx.group(jmx.debug(), users="${n}", duration="${n}"))
    assert (found.users, found.duration_s, found.ends_by) == (None, None, "unknown")
    assert found.unresolved[0] == "ThreadGroup.num_threads: ${n} is set while the test runs"


def test_a_scheduled_group_without_a_duration_does_not_start() -> None:
    found = read(jmx.group(jmx.debug(), duration="0"))
    assert found.unresolved == ("ThreadGroup.duration: with 0 seconds the group does not start",)


def test_a_scheduler_that_is_not_known_leaves_the_end_open() -> None:
    group = jmx.element("ThreadGroup", "x", jmx.loop() + jmx.text("ThreadGroup.scheduler", "${n}"), jmx.debug())
    assert read(group).ends_by == "unknown"


@pytest.mark.parametrize(
    ("kind", "phase"), [("SetupThreadGroup", "setUp"), ("ThreadGroup", "main"), ("PostThreadGroup", "tearDown")]
)
def test_groups_belong_to_a_phase(kind: str, phase: str) -> None:
    assert read(jmx.group(jmx.debug(), kind=kind)).phase == phase


def test_a_group_without_a_controller_is_read() -> None:
    assert read(jmx.element("ThreadGroup", "x", "", jmx.debug())).loops == -1


def test_disabled_groups_do_not_count_and_those_in_controllers_and_fragments_do() -> None:
    found = jmx.facts(
        jmx.group(enabled="false"),
        jmx.fragment(jmx.group(jmx.debug(), name="in fragment")),
        jmx.controller(jmx.group(name="in controller")),
    )
    assert [one.name for one in found.groups] == ["in fragment", "in controller"]


def test_an_ultimate_group_counts_those_that_overlap() -> None:
    rows = table(
        "ultimatethreadgroupdata", ("2", "0", "1", "3", "1"), ("5", "2", "1", "1", "1"), ("9", "100", "1", "1", "1")
    )
    found = read(jmx.element("kg.apc.jmeter.threads.UltimateThreadGroup", "u", rows, jmx.debug()))
    assert (found.users, found.duration_s, found.ramp_s, found.kind) == (9, 103, 101, "UltimateThreadGroup")
    overlapping = table("ultimatethreadgroupdata", ("2", "0", "1", "3", "1"), ("5", "2", "1", "1", "1"))
    assert read(jmx.element("kg.apc.jmeter.threads.UltimateThreadGroup", "u", overlapping, jmx.debug())).users == 7


@pytest.mark.parametrize(
    ("rows", "given"), [([("2", "0")], {}), ([("2", "0", "1", "3", "1")], {"threads_schedule": "spawn(9,1s,1s,1s,1s)"})]
)
def test_an_ultimate_group_that_is_not_known_is_not_guessed(rows: list[tuple[str, ...]], given: dict[str, str]) -> None:
    group = jmx.element(
        "kg.apc.jmeter.threads.UltimateThreadGroup", "u", table("ultimatethreadgroupdata", *rows), jmx.debug()
    )
    found = read(group, given=given)
    assert (found.users, found.ends_by) == (None, "unknown")


@pytest.mark.parametrize(("unit", "factor"), [("M", 60), ("S", 1), ("", 1)])
def test_a_concurrency_group_ramps_and_holds_in_its_unit(unit: str, factor: int) -> None:
    properties = jmx.texts(TargetLevel="${__P(c,20)}", RampUp="2", Hold="5", Unit=unit)
    found = read(jmx.element(f"{DYNAMIC}concurrency.ConcurrencyThreadGroup", "c", properties, jmx.debug()))
    assert (found.users, found.ramp_s, found.duration_s) == (20, 2 * factor, 7 * factor)


@pytest.mark.parametrize("properties", [{"Unit": "${u}"}, {"Hold": "${h}"}, {"Hold": "soon"}, {"RampUp": "nan"}])
def test_a_concurrency_group_of_unknown_length_is_open(properties: dict[str, str]) -> None:
    group = jmx.element(f"{DYNAMIC}concurrency.ConcurrencyThreadGroup", "c", jmx.texts(**properties), jmx.debug())
    assert read(group).ends_by == "unknown"


def test_an_arrivals_group_has_a_rate_and_a_limit_of_users() -> None:
    properties = jmx.texts(TargetLevel="120", RampUp="1", Hold="4", Unit="M", ConcurrencyLimit="30")
    found = read(jmx.element(f"{DYNAMIC}arrivals.ArrivalsThreadGroup", "a", properties, jmx.debug()))
    assert (found.arrivals_per_s, found.users, found.duration_s, found.requests_per_s) == (2, 30, 300, 2)
    unlimited = jmx.texts(TargetLevel="120", Unit="M")
    assert read(jmx.element(f"{DYNAMIC}arrivals.ArrivalsThreadGroup", "a", unlimited, jmx.debug())).users is None


def test_a_free_form_group_is_as_long_as_its_table() -> None:
    properties = table("Schedule", ("1", "10", "60"), ("10", "10", "30")) + jmx.texts(Unit="S", ConcurrencyLimit="5")
    found = read(jmx.element(f"{DYNAMIC}arrivals.FreeFormArrivalsThreadGroup", "f", properties, jmx.debug()))
    assert (found.arrivals_per_s, found.users, found.duration_s) == (10, 5, 90)
    torn = table("Schedule", ("1", "${x}", "60"))
    open_end = read(jmx.element(f"{DYNAMIC}arrivals.FreeFormArrivalsThreadGroup", "f", torn, jmx.debug()))
    assert open_end.ends_by == "unknown"


def test_a_stepping_group_rises_holds_and_falls() -> None:
    values = {
        "ThreadGroup.num_threads": "100", "Threads initial delay": "10", "Start users count": "10",
        "Start users count burst": "20", "Start users period": "30", "rampUp": "5", "flighttime": "60",
        "Stop users count": "20", "Stop users period": "2",
    }  # fmt: skip
    properties = "".join(jmx.text(name, value) for name, value in values.items())
    found = read(jmx.element("kg.apc.jmeter.threads.SteppingThreadGroup", "s", properties, jmx.debug()))
    assert (found.users, found.ends_by) == (100, "duration")
    # 10 s delay, 8 steps of 35 s and a last ramp of 5 s, 60 s of flight, and 4 steps down of 2 s.
    assert found.duration_s == 10 + 8 * 35 + 5 + 60 + 4 * 2
    unknown = properties.replace(">60<", ">${x}<")
    assert (
        read(jmx.element("kg.apc.jmeter.threads.SteppingThreadGroup", "s", unknown, jmx.debug())).ends_by == "unknown"
    )


def test_a_group_of_an_unknown_class_is_not_guessed() -> None:
    found = read(jmx.element("com.example.OwnThreadGroup", "o", jmx.texts(users="5"), jmx.debug()))
    assert (found.users, found.ends_by, found.kind) == (None, "unknown", "OwnThreadGroup")
    assert "nothing is known" in found.unresolved[0]


def test_an_element_of_an_unknown_class_that_holds_samplers_counts_as_a_group() -> None:
    assert read(jmx.element("com.example.LoadMaker", "o", "", jmx.debug())).kind == "LoadMaker"


SCHEDULES = {
    "rate(10/sec) random_arrivals(3 sec) rate(40/sec) random_arrivals(2 s) rate(10/sec) random_arrivals(2s)":
        (7, 40, 145),
    "rate(60/min) even_arrivals(1 min 30 sec)": (90, 1, 90),
    "RATE(1 per sec) Even_Arrivals(500 ms) pause(2 min) /* then */ even_arrivals(1h) // end\n": (3720.5, 1, 3601),
    "rate(0) random_arrivals(10 s) rate(10/s)": (10, 10, 50),
    "rate(5/s)": (0, 0, 0),
    "rate(86400/day) even_arrivals(0)": (0, 0, 0),
    "": (0, 0, 0),
    "20": (3601, 20, 20),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), SCHEDULES.items())
def test_a_schedule_has_a_length_a_peak_and_a_number_of_arrivals(text: str, expected: tuple[float, ...]) -> None:
    found = read_schedule(text)
    assert (round(found.duration_s, 3), round(found.peak_per_s, 3), found.arrivals) == expected


@pytest.mark.parametrize(
    "text",
    ["rate(5)", "rate 5", "rate(5/s", "burst(5/s)", "rate(5/weeks)", "even_arrivals(5)", "rate(x/s)", "rate(5/s) §",
     "rate("],
)  # fmt: skip
def test_a_schedule_that_cannot_be_read_is_said(text: str) -> None:
    group = jmx.element("OpenModelThreadGroup", "o", jmx.text("OpenModelThreadGroup.schedule", text), jmx.debug())
    found = read(group)
    assert (found.users, found.ends_by) == (None, "unknown")
    assert found.unresolved[0].startswith("OpenModelThreadGroup.schedule: ")


def test_a_schedule_from_a_property_is_read() -> None:
    text = jmx.text("OpenModelThreadGroup.schedule", "${__P(schedule,rate(1/s) even_arrivals(5 s))}")
    group = jmx.element("OpenModelThreadGroup", "o", text, jmx.debug())
    assert read(group, given={"schedule": "rate(2/s) even_arrivals(3 s)"}).arrivals_per_s == 2
    unknown = jmx.element("OpenModelThreadGroup", "o", jmx.text("OpenModelThreadGroup.schedule", "${x}"), jmx.debug())
    assert read(unknown).ends_by == "unknown"


@given(st.text("rate(/sec) 0123random_arrivals.min", max_size=60))
def test_any_text_is_a_schedule_or_is_refused(text: str) -> None:
    try:
        found = read_schedule(text)
    except UnreadableSchedule:
        return
    assert found.duration_s >= 0
    assert found.arrivals >= 0


STEPS = st.lists(st.tuples(st.integers(1, 100), st.integers(1, 60)), min_size=1, max_size=8)


@given(STEPS)
def test_a_schedule_of_constant_rates_adds_up(steps: list[tuple[int, int]]) -> None:
    text = " ".join(f"rate({rate}/s) even_arrivals({seconds} s) rate({rate}/s)" for rate, seconds in steps)
    found = read_schedule(text)
    assert found.duration_s == sum(seconds for _, seconds in steps)
    assert found.arrivals == sum(rate * seconds for rate, seconds in steps)
    assert found.peak_per_s == max(rate for rate, _ in steps)


def rate(*children: str, users: str = "10") -> float | None:
    return read(jmx.group(*children, users=users, duration="60")).requests_per_s


def throughput(value: str, mode: str = "0") -> str:
    return jmx.element("ConstantThroughputTimer", "t", jmx.texts(throughput=value, calcMode=mode))


def test_timers_limit_the_rate_when_every_sampler_waits() -> None:
    assert rate(jmx.debug()) is None
    assert rate(jmx.timer("100"), jmx.debug()) == 100
    assert rate(jmx.timer("100"), jmx.timer("150", "UniformRandomTimer"), jmx.debug()) == 40
    assert rate(jmx.debug("a", jmx.timer("100")), jmx.debug("b", jmx.timer("500"))) == 100
    assert rate(jmx.debug("a", jmx.timer("100")), jmx.debug("b")) is None
    assert rate(jmx.timer("100", "GaussianRandomTimer"), jmx.debug()) is None
    assert rate(jmx.timer("${x}"), jmx.debug()) is None
    assert rate(jmx.timer("0"), jmx.debug()) is None
    assert rate() == 0


def test_throughput_timers_limit_the_rate() -> None:
    assert rate(throughput("60"), jmx.debug()) == 10
    assert rate(throughput("60", "2"), jmx.debug()) == 1
    assert rate(throughput("60", "calcMode.1"), jmx.debug()) == 10
    assert rate(throughput("${x}"), jmx.debug()) is None
    assert rate(jmx.controller(throughput("60", "2"), jmx.debug()), jmx.debug()) is None
    precise = jmx.element("PreciseThroughputTimer", "p", jmx.texts(throughput="100", throughputPeriod="50"))
    assert rate(precise, jmx.debug()) == 2
    shaping = table("load_profile", ("1", "5", "60"), ("5", "3", "60"))
    shaped = jmx.element("kg.apc.jmeter.timers.VariableThroughputTimer", "v", shaping)
    assert rate(shaped, jmx.debug()) == 5
    unknown = jmx.element(
        "kg.apc.jmeter.timers.VariableThroughputTimer", "v", table("load_profile", ("1", "${x}", "6"))
    )
    assert rate(unknown, jmx.debug()) is None
    replaced = jmx.facts(jmx.group(shaped, jmx.debug()), given={"load_profile": "const(999,1s)"})
    assert replaced.groups[0].requests_per_s is None


def test_an_arrival_makes_one_request_for_each_sampler_unless_they_are_repeated() -> None:
    schedule = jmx.text("OpenModelThreadGroup.schedule", "rate(5/s) even_arrivals(9 s) rate(5/s)")
    twice = jmx.element("OpenModelThreadGroup", "o", schedule, jmx.debug("a") + jmx.debug("b"))
    assert read(twice).requests_per_s == 10
    looped = jmx.element("OpenModelThreadGroup", "o", schedule, jmx.controller(jmx.debug(), kind="LoopController"))
    assert read(looped).requests_per_s is None
