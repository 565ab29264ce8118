"""JMeter's own report on a result file, by the JMeter that the jmeter server would use."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from measuring import run_command

from perfsuite_jmeter.client.engines.discovery import find_engine
from perfsuite_jmeter.settings import JMeterSettings


def jmeter_report(folder: Path, results: Path) -> Callable[[], tuple[float, float]]:
    """A function that makes the report of `results` in `folder`/report once and says how long it took."""
    report, log = folder / "report", folder / "report.log"
    engine = find_engine(JMeterSettings.load())
    command = engine.command(["-g", str(results), "-o", str(report), "-j", str(log)], heap="4g")

    def run() -> tuple[float, float]:
        shutil.rmtree(report, ignore_errors=True)
        took = run_command(command)
        if not (report / "statistics.json").is_file():
            sys.exit(f"JMeter made no report; see {log}")
        return took

    return run
