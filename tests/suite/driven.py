"""A place to drive runs in: stand-ins, files that people write, small results, and `perfsuite run` as a process."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from perfsuite.artifacts import RunStore
from perfsuite.sandbox import blazemeter, confluence, datadog
from perfsuite.sandbox.blazemeter import BlazeMeterSpec
from perfsuite.sandbox.blazemeter.results import write_results
from perfsuite.sandbox.confluence import OpenConfluence
from perfsuite.sandbox.datadog import DatadogSpec
from perfsuite.workflow.importing import ImportRequest, import_results

COMMAND: Final = [sys.executable, "-c", "from perfsuite.cli import main; main()"]
PASSED, LIMIT_BROKEN, INCONCLUSIVE, STAGE_FAILED, INTERRUPTED = 0, 9, 10, 11, 130
PUBLISHING: Final = ("--confluence", "cloud", "--space", "PERF", "--parent", "Load test reports", "--yes")
_SLAS: Final = {"slas": [{"id": "shop", "default_sla": {"response_time_sla_ms": 9_000, "percentile": "P90"}}]}
_PATIENCE_S: Final = 900
_ENDED: Final = time.time() // 60 * 60 - 3600
"""The results are the same wherever they are made in these tests."""


@dataclass(frozen=True)
class Place:
    """A folder with runs, and what is around it."""

    folder: Path
    environ: Mapping[str, str] = field(default_factory=dict)
    wiki: OpenConfluence | None = None

    @property
    def artifacts(self) -> Path:
        return self.folder / "artifacts"

    @property
    def runs(self) -> RunStore:
        return RunStore(self.artifacts)

    def bring(self, *run_ids: str) -> None:
        """Import the same small results as each of these runs."""
        results = self.folder / "results.jtl"
        if not results.exists():
            write_results(results, _ENDED)
        for run_id in run_ids:
            import_results(self.runs, run_id, ImportRequest((results,)))

    def start(self, *arguments: str, command: str = "run", **environ: str) -> subprocess.Popen[str]:
        """`perfsuite run` with these options."""
        own = {"PERFSUITE_ARTIFACTS_DIR": str(self.artifacts), "PERFSUITE_CONFIG_DIR": str(self.folder / "config")}
        return subprocess.Popen(
            [*COMMAND, command, *arguments], cwd=self.folder, env={**os.environ, **self.environ, **own, **environ},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, *arguments: str, command: str = "run", **environ: str) -> "Ended":
        with self.start(*arguments, command=command, **environ) as process:
            out, err = process.communicate(timeout=_PATIENCE_S)
        return Ended(process.returncode, out, err)

    def content(self, run_id: str) -> dict[str, str]:
        """Every file that a run has left but its record, which alone holds times, and the locks. Where the site is
        does not count."""
        root, site = self.artifacts / run_id, (self.wiki.url if self.wiki else "no site").encode()
        files = (path for path in root.rglob("*") if path.is_file() and ".locks" not in path.parts)
        return {
            path.relative_to(root).as_posix(): sha256(path.read_bytes().replace(site, b"SITE")).hexdigest()
            for path in files
            if path.name != "run.json"
        }


@dataclass(frozen=True)
class Ended:
    """What came of a command."""

    code: int
    out: str
    err: str

    @property
    def told(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found

    def stages(self, number: int = 0) -> dict[str, str]:
        """How the stages of a run ended."""
        return {one["stage"]: one["ending"] for one in self.told["runs"][number]["stages"]}


def plain(folder: Path) -> Place:
    """No Datadog and no Confluence."""
    (folder / "config").mkdir(parents=True)
    (folder / "config" / "slas.yaml").write_text(json.dumps(_SLAS), encoding="utf-8")
    return Place(folder)


@contextmanager
def opened(folder: Path, *, at_blazemeter: bool = False) -> Iterator[Place]:
    """With stand-ins of Datadog and Confluence, and of BlazeMeter where it is wanted; the load of all is the same."""
    place = plain(folder)
    place.bring("load")
    spec = DatadogSpec(run_folder=str(place.artifacts / "load"), services=())
    hosts = [{"hostname": one.name} for one in spec.hosts]
    environments = {"environments": {"shop": {"env_tag": "perf", "hosts": hosts}}}
    (folder / "config" / "environments.yaml").write_text(json.dumps(environments), encoding="utf-8")
    with datadog.opened(spec) as metrics, confluence.opened() as wiki:
        environ = {**metrics.environment, **wiki.environment}
        if not at_blazemeter:
            yield Place(folder, environ, wiki)
            return
        results = BlazeMeterSpec((place.artifacts / "load",), engines=2, runs=2)
        with blazemeter.opened(results, folder / "blazemeter") as service:
            yield Place(folder, {**environ, **service.environment}, wiki)
