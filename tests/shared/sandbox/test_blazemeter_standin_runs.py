"""Runs of the stand-in of BlazeMeter go on with its clock: started, followed, stopped, ended."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from shared.sandbox.blazemeter import NEWEST, NOW, Desk, desk

BOOT_S, LOAD_S, FINAL_S = 20, 24, 10


@pytest.fixture
def bm(tmp_path: Path) -> Iterator[Desk]:
    with desk(tmp_path, runs=3) as found:
        yield found


def state(bm: Desk, master: int) -> tuple[int | None, str]:
    status = bm.result(f"/masters/{master}/status")
    return status.get("progress"), status["status"]


def hits(bm: Desk, master: int) -> int:
    summary = bm.result(f"/masters/{master}/reports/default/summary")["summary"]
    return int(next(row for row in summary if row["id"] == "ALL")["hits"] or 0)


def test_a_run_goes_from_its_creation_to_its_end(bm: Desk) -> None:
    master = bm.start()
    seen = {}
    for age in range(BOOT_S + LOAD_S + FINAL_S + 2):
        bm.now = NOW + age
        seen[state(bm, master)] = age
    assert list(seen) == [
        (None, "CREATE"), (0, "CREATE"), (20, "BOOT_STARTING"), (25, "BOOT_COMPLETE"), (60, "JMETER_CONSOLE_INIT"),
        (100, "DATA_RECEIVED"), (120, "FINALIZING"), (140, "ENDED"),
    ]  # fmt: skip
    run = bm.result(f"/masters/{master}")
    assert (run["created"], run["testId"], run["reportStatus"]) == (NOW, 3001, "pass")
    assert run["ended"] == pytest.approx(NOW + BOOT_S + LOAD_S + FINAL_S, abs=1)


def test_the_first_status_says_nothing_but_its_id(bm: Desk) -> None:
    assert bm.result(f"/masters/{bm.start()}/status").keys() == {"id", "status"}


def test_its_numbers_grow_and_end_as_those_of_the_samples(bm: Desk) -> None:
    master, grown = bm.start(), []
    for age in (10, 25, 30, 40, 60):
        bm.now = NOW + age
        grown.append(hits(bm, master))
    assert grown == sorted(grown)
    assert (grown[0], grown[-1]) == (0, 168)
    assert 0 < grown[1] < grown[2] < 168
    summary = bm.result(f"/masters/{master}/reports/default/summary")["summary"][-1]
    assert summary["first"] == NOW + BOOT_S


def test_a_faster_clock_makes_it_end_sooner(tmp_path: Path) -> None:
    with desk(tmp_path, runs=1, speed=60) as bm:
        master = bm.start()
        bm.now += 1
        assert state(bm, master) == (140, "ENDED")


def test_a_run_that_is_stopped_keeps_what_it_has(bm: Desk) -> None:
    master = bm.start()
    bm.now = NOW + BOOT_S + LOAD_S / 2
    assert [one["result"] for one in bm.post(f"/masters/{master}/stop")] == [True, True]
    assert state(bm, master) == (120, "FINALIZING")
    bm.now += FINAL_S
    assert state(bm, master) == (140, "ENDED")
    assert 0 < hits(bm, master) < 168
    bm.now += 60
    rows = bm.archive(master).read("kpi.jtl").count(b"\n") + bm.archive(master, 1).read("kpi.jtl").count(b"\n")
    assert hits(bm, master) < rows < 226


def test_a_run_that_is_terminated_while_it_boots_has_no_data(bm: Desk) -> None:
    master = bm.start()
    bm.now += 5
    bm.post(f"/masters/{master}/terminate")
    assert state(bm, master) == (130, "TERMINATING")
    bm.now += FINAL_S
    run = bm.result(f"/masters/{master}")
    assert (run["reportStatus"], run["hasData"], run["passed"]) == ("noData", False, None)
    assert bm.result(f"/masters/{master}/full")["sessions"][0]["errors"][0]["code"] == 70404
    assert bm.result(f"/masters/{master}/ci-status")["errors"][0]["code"] == 70404
    assert bm.result(f"/masters/{master}/reports/aggregatereport/data") == []
    assert bm.http.post(f"/masters/{master}/stop").status_code == 409


def test_a_start_whose_answer_is_lost_has_happened(bm: Desk) -> None:
    bm.fault("start", "lost_answer", times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        bm.start()
    [run] = bm.result("/masters", testId=3001, startTime=int(NOW))
    assert run["created"] == NOW


def test_a_start_that_was_refused_has_not(bm: Desk) -> None:
    before = bm.get("/masters", projectId=2101).json()["total"]
    bm.fault("start", "too_many", times=1)
    assert bm.http.post("/tests/3001/start").status_code == 429
    assert bm.get("/masters", projectId=2101).json()["total"] == before


def test_name_and_note_can_be_changed_and_a_public_link_be_made(bm: Desk) -> None:
    assert bm.result(f"/masters/{NEWEST - 9}")["publicToken"] is None
    bm.http.patch(f"/masters/{NEWEST - 9}", json={"note": "after the fix"})
    token = bm.post(f"/masters/{NEWEST - 9}/public-token", {"publicToken": None})["publicToken"]
    run = bm.result(f"/masters/{NEWEST - 9}")
    assert (run["note"], run["publicToken"], run["name"]) == ("after the fix", token, "checkout-flow")


def test_sessions_come_in_two_shapes(bm: Desk) -> None:
    master = NEWEST - 9
    rows = bm.sessions(master)
    bm.fault("sessions", "list_sessions")
    assert bm.result(f"/masters/{master}/sessions") == rows
    assert [row["id"] for row in rows] == bm.result(f"/masters/{master}")["sessionsId"]


def test_sessions_can_always_be_a_list(tmp_path: Path) -> None:
    with desk(tmp_path, runs=1, sessions="list") as bm:
        assert isinstance(bm.result("/masters/7000001/sessions"), list)
        bm.fault("sessions", "dict_sessions")
        assert isinstance(bm.result("/masters/7000001/sessions"), dict)
