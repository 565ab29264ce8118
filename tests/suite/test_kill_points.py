"""Killed at any point, a run is brought to the same end: whoever was killed, and however often."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from quick import UNCOUNTED
from suite.driven import INCONCLUSIVE, PASSED, PUBLISHING, STAGE_FAILED, Place, opened

HERE = Path(__file__).parent
RUN = "r1"
ORDER = ("--run-id", RUN, "--env", "shop", *PUBLISHING, "--json")
MOST_RESUMES = 60
UNREACHABLE = 7
"""A server was killed in the first call of all, and again when that was repeated."""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with opened(tmp_path / "killed") as found:
        found.bring(RUN)
        yield found


def undisturbed(folder: Path) -> dict[str, str]:
    """What the same run leaves when nothing happens."""
    with opened(folder) as place:
        place.bring(RUN)
        ended = place.run(*ORDER)
        assert ended.code == PASSED, ended.out + ended.err
        return place.content(RUN)


@pytest.mark.parametrize(("victim", "points"), [("server", 18), ("driver", 10)])
def test_killed_before_every_file_and_every_end_of_a_step_it_leaves_the_same_bytes(
    place: Place, tmp_path: Path, victim: str, points: int
) -> None:
    marks = tmp_path / "marks"
    marks.mkdir()
    killing = {"PERFSUITE_KILLED": f"{marks}={victim}", "PYTHONPATH": str(HERE / "killing"), **UNCOUNTED}

    ended = place.run(*ORDER, **killing)
    resumes = 0
    while ended.code in (-signal.SIGKILL, STAGE_FAILED, UNREACHABLE) and resumes < MOST_RESUMES:
        resumes += 1
        ended = place.run(*ORDER, "--resume", **killing)

    assert ended.code in (PASSED, INCONCLUSIVE), ended.out + ended.err
    assert ended.told["runs"][0]["outcome"] == "Success"
    assert len(list(marks.iterdir())) >= points, sorted(mark.name for mark in marks.iterdir())
    assert place.content(RUN) == undisturbed(tmp_path / "sound")
