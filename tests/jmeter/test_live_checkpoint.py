"""How far the results were read is noted, for the next server and for the one beside it."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jmeter.recorded import HEADER, Recorded, compare, recorded_in, sample, text
from perfsuite.artifacts.locks import holding
from perfsuite.errors import Conflict
from perfsuite.samples.summary import summarise


@pytest.fixture
def recorded(tmp_path: Path) -> Recorded:
    return recorded_in(tmp_path).begin()


def test_a_new_reader_goes_on_from_the_note_of_the_one_before(recorded: Recorded) -> None:
    recorded.add(sample(elapsed=7), sample(elapsed=9))
    recorded.follow()
    note = json.loads(recorded.checkpoint.read_bytes())
    assert note["schema_version"] == "1.0"
    # Had the first rows been read again, this label would be gone.
    note["results"]["totals"]["labels"][0]["label"] = "Noted"
    recorded.checkpoint.write_text(json.dumps(note), encoding="utf-8")
    found = recorded.add(sample(elapsed=11)).follow()
    assert {key.label: one.samples for key, one in found.totals.labels.items()} == {"Noted": 2, "Home": 1}


def test_reading_on_without_anything_new_writes_nothing(recorded: Recorded) -> None:
    recorded.add(sample()).health("1,2,3,4,5,6,7")
    recorded.follow()
    before = recorded.checkpoint.stat()
    recorded.follow()
    after = recorded.checkpoint.stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def spoilt(recorded: Recorded, change: Callable[[dict[str, Any]], object]) -> None:
    note = json.loads(recorded.checkpoint.read_bytes())
    change(note)
    recorded.checkpoint.write_text(json.dumps(note), encoding="utf-8")


SPOILS: dict[str, Callable[[dict[str, Any]], object]] = {
    "another attempt": lambda note: note.update(attempt=2),
    "another version": lambda note: note.update(schema_version="9.9"),
    "another file": lambda note: note["results"]["identity"].update(inode=1),
    "another beginning": lambda note: note["results"]["identity"].update(sha256="0" * 64),
    "beyond the end": lambda note: note["results"].update(offset=10**9),
    "no number": lambda note: note["results"].update(offset="far"),
    "within the header": lambda note: note["results"].update(offset=3),
    "no totals": lambda note: note["results"].pop("totals"),
    "no list": lambda note: note["results"]["totals"].update(labels=7),
    "no histogram": lambda note: note["results"]["totals"]["labels"][0].update(
        histogram={"buckets": "!", "counts": ""}
    ),
    "uneven histogram": lambda note: note["results"]["totals"]["labels"][0]["histogram"].update(counts=""),
    "huge bucket": lambda note: note["results"]["totals"]["labels"][0]["histogram"].update(
        buckets="/38=", counts="AQA=", width=2
    ),
    "negative bucket": lambda note: note["results"]["totals"]["labels"][0]["histogram"].update(buckets="//8="),
    "fewer samples": lambda note: note["results"]["totals"]["labels"][0].update(samples=1),
    "odd width": lambda note: note["results"]["totals"]["labels"][0]["histogram"].update(width=3),
    "other results": lambda note: note.update(results=[1]),
    "health of another": lambda note: note["health"]["totals"].pop("latest"),
    "no health": lambda note: note.update(health="fine"),
}


@pytest.mark.parametrize("how", SPOILS)
def test_a_note_that_does_not_fit_is_made_anew(recorded: Recorded, how: str) -> None:
    recorded.add(sample(), sample(success="false")).health("1,2,3,4,5,6,7")
    recorded.follow()
    spoilt(recorded, SPOILS[how])
    found = recorded.follow()
    assert (found.totals.rows, found.totals.total().errors, found.health.readings) == (2, 1, 1)
    assert json.loads(recorded.checkpoint.read_bytes())["attempt"] == 1


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\x00" * 100, b"[" * 100_000])
def test_a_note_that_is_none_is_made_anew(recorded: Recorded, content: bytes) -> None:
    recorded.add(sample())
    recorded.checkpoint.write_bytes(content)
    assert recorded.follow().totals.rows == 1
    assert recorded.follow().totals.rows == 1


def test_results_that_were_replaced_are_read_from_their_beginning(recorded: Recorded) -> None:
    recorded.add(sample(), sample(), sample()).follow()
    other = recorded.results.with_name("other.csv")
    other.write_text(HEADER + text([sample(label="Other")]), encoding="utf-8")
    other.replace(recorded.results)
    assert [key.label for key in recorded.follow().totals.labels] == ["Other"]


def test_results_that_became_shorter_are_read_from_their_beginning(recorded: Recorded) -> None:
    recorded.add(sample(), sample(), sample()).follow()
    recorded.results.write_text(HEADER + text([sample()]), encoding="utf-8")
    assert recorded.follow().totals.rows == 1


FOLLOWER = """
import sys
from pathlib import Path
from perfsuite.artifacts import RunStore
from perfsuite_jmeter.service.following import follow
run = RunStore(Path(sys.argv[1])).open("r1")
for _ in range(30):
    found = follow(run, 1, ended=False)
sys.stdout.write(f"{found.totals.rows} {found.totals.total().samples}")
"""


def test_two_servers_that_read_at_once_count_every_row_once(recorded: Recorded) -> None:
    recorded.add(*[sample(elapsed=n) for n in range(2_000)])
    store = str(recorded.run.root.parent)
    readers = [
        subprocess.Popen([sys.executable, "-c", FOLLOWER, store], stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    for _ in range(100):
        recorded.add(*[sample()] * 50)
    for reader in readers:
        reader.communicate(timeout=60)
        assert reader.returncode == 0
    found = recorded.follow(ended=True)
    assert found.totals.rows == 7_000
    compare(found, summarise([recorded.results]))


def test_whoever_reads_for_long_makes_others_say_so(recorded: Recorded) -> None:
    busy = Conflict("held", next_step="")
    with (
        holding(recorded.run.lock_path("jmeter-live"), busy=busy),
        pytest.raises(Conflict, match="being read by another process"),
    ):
        recorded.follow(patience_s=0.05)


def test_without_a_place_for_the_note_the_numbers_are_told_all_the_same(recorded: Recorded) -> None:
    recorded.add(sample())
    (recorded.results.parent / ".live.json.part").mkdir()
    assert recorded.follow().totals.rows == 1
    assert not recorded.checkpoint.exists()
