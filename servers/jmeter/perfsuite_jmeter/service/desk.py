"""What a call needs, put together: the engine, the rules, and a JMeter that loads plans."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from perfsuite.artifacts import RunStore
from perfsuite.configuration import Loaded
from perfsuite.settings import SuiteSettings
from perfsuite_jmeter.client.engines.discovery import find_engine
from perfsuite_jmeter.client.loading import load_plan
from perfsuite_jmeter.core.guardrails import GuardRails
from perfsuite_jmeter.models.engine import Engine
from perfsuite_jmeter.models.plan import PlanCheck
from perfsuite_jmeter.models.runs import StartedRun, StartRequest
from perfsuite_jmeter.service import plans, starting
from perfsuite_jmeter.service.plans import Load, PlanChecker, Question
from perfsuite_jmeter.settings import JMeterSettings


def check_plan(settings: SuiteSettings, question: Question) -> PlanCheck:
    """Judge a plan, and have the real JMeter load it."""
    engine = find_engine(JMeterSettings.load())
    with _loader(engine) as load:
        return plans.validate_test_plan(question, _rules(settings), engine, load)


def start_question(
    settings: SuiteSettings,
    plan: Path,
    properties: Mapping[str, str],
    secrets: Mapping[str, str],
    hosts: tuple[str, ...],
) -> str | None:
    """What the user must be asked before this plan runs; None where the rules ask nothing."""
    question = Question(plan, properties, hosts, tuple(secrets))
    return plans.checked_plan(question, _rules(settings), find_engine(JMeterSettings.load())).ask


def start(runs: RunStore, settings: SuiteSettings, request: StartRequest) -> StartedRun:
    """Start a test that passes the checks and the rules."""
    engine = find_engine(JMeterSettings.load())
    with _loader(engine) as load:
        checks = PlanChecker(_rules(settings), engine, load, tuple(request.secret_properties))
        return starting.start_run(runs, request, engine, checks)


def _rules(settings: SuiteSettings) -> Loaded[GuardRails]:
    return plans.find_rules(settings.config_dir, os.environ, Path.cwd())


@contextmanager
def _loader(engine: Engine) -> Iterator[Load]:
    with TemporaryDirectory(prefix="perfsuite-load-") as work:
        yield partial(_load, engine, Path(work))


def _load(engine: Engine, work: Path, plan: Path, properties: Mapping[str, str]) -> plans.Verdict:
    return load_plan(engine, plan, properties, work)
