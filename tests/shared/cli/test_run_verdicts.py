"""What the exit code of `perfsuite run` says, and how it goes on."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from perfsuite.cli import exits
from perfsuite.cli.driving.told import RunTold, StageTold, Told
from perfsuite.cli.driving.wishes import Load, Wishes
from perfsuite.errors import BadInput
from perfsuite.workflow import stages

REPORT = StageTold(stage="perfreport", title="Report", ending="done")
PASSED = RunTold(run_id="pass", ending="done", verdict="PASS", stages=[REPORT])
WARNED = RunTold(run_id="warn", ending="done", verdict="PASS WITH WARNINGS", stages=[REPORT])
BROKEN = RunTold(run_id="fail", ending="done", verdict="FAIL", stages=[REPORT])
BROKEN_UNPUBLISHED = RunTold(run_id="fail", ending="failed", verdict="FAIL", stages=[REPORT])
BROKEN_UNREPORTED = RunTold(run_id="fail", ending="failed", sla="fail")
OPEN = RunTold(run_id="open", ending="done", verdict="INCONCLUSIVE", stages=[REPORT])
FAILED = RunTold(run_id="down", ending="failed")
ONLY_METRICS = RunTold(run_id="part", ending="done", stages=[StageTold(stage="datadog", title="M", ending="done")])


@pytest.mark.parametrize(
    ("runs", "code"),
    [
        ([PASSED], exits.DONE),
        ([PASSED, WARNED], exits.DONE),
        ([ONLY_METRICS], exits.DONE),
        ([PASSED, OPEN], exits.INCONCLUSIVE),
        ([OPEN, FAILED, PASSED], exits.STAGE_FAILED),
        ([FAILED, BROKEN], exits.LIMIT_BROKEN),
        ([BROKEN_UNPUBLISHED], exits.LIMIT_BROKEN),
        ([BROKEN_UNREPORTED], exits.LIMIT_BROKEN),
    ],
)
def test_the_gravest_run_counts_and_a_broken_limit_most(runs: list[RunTold], code: int) -> None:
    told = Told(started_at=datetime.now(UTC), runs=runs)
    told.judge()
    assert (told.exit_code, told.meaning) == (code, exits.MEANINGS[code])


def test_what_was_interrupted_is_neither_passed_nor_failed() -> None:
    told = Told(started_at=datetime.now(UTC), runs=[BROKEN], interrupted=True)
    told.judge()
    assert told.exit_code == exits.INTERRUPTED


def test_every_exit_code_that_counts_has_its_place_among_them() -> None:
    assert set(exits.GRAVEST_FIRST) <= set(exits.MEANINGS)
    assert exits.GRAVEST_FIRST[-1] == exits.DONE


def test_the_command_that_goes_on_has_what_the_run_does_not_know() -> None:
    load = Load(Path("a plan.jmx"), {"users": "5"}, {"password": "SHOP"}, ["127.0.0.1:1"])
    wishes = Wishes(run_ids=("r1",), load=load, environment="shop", sla_profile="strict")
    assert wishes.goes_on == (
        "perfsuite run --run-id r1 --plan 'a plan.jmx' -J users=5 --secret password=SHOP --remote 127.0.0.1:1 "
        "--sla-profile strict --resume"
    )
    assert Wishes(run_ids=("a", "b"), workflow_id="both").goes_on == (
        "perfsuite run --run-id a --run-id b --workflow-id both --resume"
    )


def test_from_and_only_choose_the_stages() -> None:
    assert [one.id for one in Wishes(run_ids=("r1",), from_stage="perfreport").stages("import")] == [
        "perfreport", "confluence",
    ]  # fmt: skip
    assert Wishes(run_ids=("r1",), only_stage="datadog").stages("jmeter") == (stages.DATADOG,)
    assert Wishes(run_ids=("r1",)).stages("blazemeter") == (stages.BLAZEMETER, *stages.FOLLOWING)


def test_a_test_or_a_download_is_not_repeated_because_nothing_was_said_of_it() -> None:
    assert Wishes(run_ids=("r1",)).keeps(stages.JMETER)
    assert not Wishes(run_ids=("r1",), source="blazemeter").keeps(stages.BLAZEMETER)
    assert not Wishes(run_ids=("r1",), from_stage="blazemeter").keeps(stages.BLAZEMETER)
    assert not Wishes(run_ids=("r1",)).keeps(stages.PERFANALYSIS)
    assert Wishes(run_ids=("r1",), resumes=True).keeps(stages.PERFANALYSIS)


@pytest.mark.parametrize(
    "more",
    [
        {"run_ids": ()},
        {"run_ids": tuple(f"r{number}" for number in range(11))},
        {"source": "blazemeter", "load": Load(Path("plan.jmx"))},
        {"run_ids": ("a", "b"), "master_id": 7},
    ],
)
def test_wishes_that_cannot_be_are_refused(more: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        Wishes(**{"run_ids": ("r1",), **more})  # type: ignore[arg-type]
