"""Result files brought into a run folder for tests, and what is there afterwards."""

from hashlib import sha256
from pathlib import Path

import jtl
from perfsuite.artifacts import RunStore
from perfsuite.workflow.importing import ImportRequest, import_results

TRANSACTION = "Number of samples in transaction : 1, number of failing samples : 0"
ROWS = [
    jtl.sample(label="Buy", elapsed=100, responseMessage=TRANSACTION, URL="null"),
    jtl.sample(label="Cart", elapsed=60),
    *jtl.samples(10, 20, 30, 40, threadName="Users 1-2"),
    jtl.sample(label="Größe | <b>", elapsed=5, success="false", responseCode="500", timeStamp=jtl.START_MS + 9_000),
]


def imported(store: RunStore, *files: Path, run_id: str = "r1", log: Path | None = None) -> Path:
    import_results(store, run_id, ImportRequest(files, log))
    return store.root / run_id


def content_of(folder: Path) -> dict[str, str]:
    """Every file with its hash, but the record, which holds times, and the locks."""
    files = (path for path in folder.rglob("*") if path.is_file() and ".locks" not in path.parts)
    found = {path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest() for path in files}
    assert found.pop("run.json")
    return found
