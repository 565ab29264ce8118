"""The sessions of a run, brought over real sockets from a BlazeMeter on which everything can go wrong."""

import json
import logging
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from blazemeter.conftest import NEWEST, OLDEST, Hands, started
from blazemeter.sessions import Fault, bring, told
from perfsuite.artifacts import RunStore
from perfsuite.artifacts.schemas import RunFacts
from perfsuite.errors import AccessDenied, BadFile, Conflict, LimitExceeded, NotFound, NotReady, PerfsuiteError
from perfsuite.samples import open as open_samples
from perfsuite.samples.summary import summarise
from perfsuite.sandbox.blazemeter import OpenBlazeMeter
from perfsuite.workflow import Ledger
from perfsuite_blazemeter.service.sessions_book import Watch

RESULTS = Path(__file__).parents[1] / "data" / "checkout.jtl"
Asked = Callable[[str], list[Any]]
pytestmark = pytest.mark.usefixtures("service")


def book(runs: RunStore, run_id: int = NEWEST) -> dict[str, Any]:
    found = (runs.root / str(run_id) / "blazemeter" / "sessions.json").read_text(encoding="utf-8")
    return dict(json.loads(found))


def test_all_engines_together_are_the_samples_of_the_run(runs: RunStore) -> None:
    found, known = bring(runs, NEWEST), summarise([RESULTS])
    assert (found.samples, found.complete, found.rows_rejected) == (known.rows_read, True, 0)
    run = runs.open(str(NEWEST))
    assert open_samples(run).rows == known.rows_read
    merged = summarise([run.root / "blazemeter" / "test-results.csv"])
    assert (merged.concurrency, merged.total.errors) == (known.concurrency, known.total.errors)
    assert [(one.label, one.samples) for one in merged.labels] == [(one.label, one.samples) for one in known.labels]


def test_labels_that_two_sessions_share_are_counted_together_and_keep_their_engines(runs: RunStore) -> None:
    bring(runs, NEWEST)
    samples, known = open_samples(runs.open(str(NEWEST))), summarise([RESULTS])
    with samples.engine() as engine:
        found = engine.rows(
            f"SELECT label, count(*), count(DISTINCT engine) FROM {samples.relation} WHERE kind != 'sub' GROUP BY label"
        )
    assert {label: count for label, count, _ in found} == {one.label: one.samples for one in known.labels}
    assert {engines for *_, engines in found} == {2}


def test_the_ledger_has_its_steps_and_their_files(runs: RunStore) -> None:
    bring(runs, NEWEST)
    run = runs.open(str(NEWEST))
    steps = {one.step: one for one in Ledger(run).status().stages[0].steps}
    for name in ("list_session_artifacts", "download", "extract", "merge"):
        assert steps[name].state == "done", steps[name]
    record = run.record()
    assert (record.source, record.fidelity, record.incomplete) == ("blazemeter", "samples", None)
    assert not (run.root / "blazemeter" / ".sessions").exists()


def test_a_second_call_fetches_nothing(runs: RunStore, asked: Asked) -> None:
    first = bring(runs, NEWEST)
    fetched = len(asked("storage"))
    assert bring(runs, NEWEST) == first
    assert len(asked("storage")) == fetched == 2


def test_a_lost_file_is_fetched_again(runs: RunStore, asked: Asked) -> None:
    first = bring(runs, NEWEST)
    (runs.root / str(NEWEST) / "samples.parquet").unlink()
    assert bring(runs, NEWEST) == first
    assert len(asked("storage")) == 4


def test_no_credentials_reach_the_storage_and_no_signature_leaves_the_download(
    runs: RunStore, asked: Asked, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    said: list[str] = []
    answer = bring(runs, NEWEST, watch=told(said))
    assert all("authorization" not in {name.lower() for name in one.header_names} for one in asked("storage"))
    written = [path.read_bytes() for path in runs.root.rglob("*") if path.is_file()]
    spoken = caplog.text + "".join(said) + answer.model_dump_json()
    for canary in (b"X-Amz", b"sandbox-key-secret", b"sandbox-token-that-must-not-be-shown"):
        assert not any(canary in content for content in written)
        assert canary.decode() not in spoken


@pytest.mark.parametrize("kind", ["reset", "truncated", "server_error", "too_many"])
def test_a_download_that_fails_once_is_tried_again(kind: str, runs: RunStore, fault: Fault) -> None:
    fault("storage", kind, times=1, seconds=0)
    assert bring(runs, NEWEST).complete


def test_a_link_that_has_run_out_is_asked_for_anew(runs: RunStore, fault: Fault, asked: Asked) -> None:
    fault("storage", "expired", times=1)
    assert bring(runs, NEWEST).complete
    assert len(asked("session_logs")) == 3


def test_a_link_that_is_never_good_is_an_error_without_its_signature(runs: RunStore, fault: Fault) -> None:
    fault("storage", "expired")
    with pytest.raises(AccessDenied) as caught:
        bring(runs, NEWEST)
    assert "r-v4-" in str(caught.value)
    assert "Call `process_session_artifacts` again" in str(caught.value)
    assert "X-Amz" not in str(caught.value)


def test_an_archive_that_is_late_is_waited_for(runs: RunStore, fault: Fault, asked: Asked) -> None:
    fault("session_logs", "not_ready", times=2)
    said: list[str] = []
    assert bring(runs, NEWEST, watch=told(said)).complete
    assert any("waiting for the archives of 1 of 2 sessions (r-v4-" in what and "2 s more" in what for what in said)


def test_what_is_new_about_a_wait_is_passed_on(runs: RunStore, fault: Fault) -> None:
    fault("session_logs", "not_ready", times=4)
    shares: list[tuple[float, str]] = []
    bring(runs, NEWEST, watch=Watch(tell=lambda share, what: shares.append((share, what))))
    changes = [later for earlier, later in pairwise(shares) if earlier[1] != later[1]]
    assert any("waiting" in what for _, what in changes)
    assert all(later[0] > earlier[0] for earlier, later in pairwise(shares) if earlier[1] != later[1])


def test_an_archive_that_was_never_written_is_explained(service: OpenBlazeMeter, runs: RunStore, hands: Hands) -> None:
    master = started(service, hands)
    service.standin.masters.find(str(master)).timeline.stopped_after_s = 5  # type: ignore[union-attr]
    hands.now += 100
    with pytest.raises(NotFound) as caught:
        bring(runs, master)
    assert "ended without data" in str(caught.value)
    assert "`check_test_status`" in str(caught.value)
    assert "X-Amz" not in str(caught.value)


def test_a_relative_link_and_the_older_name_are_followed(runs: RunStore, fault: Fault, asked: Asked) -> None:
    fault("session_logs", "relative_url")
    fault("session_logs", "old_names")
    assert bring(runs, NEWEST).complete
    assert asked("storage") == []


def test_a_web_page_once_in_place_of_an_archive_is_fetched_again(runs: RunStore, fault: Fault) -> None:
    fault("storage", "wrong_type", times=1)
    assert bring(runs, NEWEST).complete


@pytest.mark.parametrize(
    ("kind", "error", "said"),
    [
        ("zip_slip", BadFile, "leads out"),
        ("zip_bomb", LimitExceeded, "zip bomb"),
        ("zip_many", LimitExceeded, "members"),
        ("zip_no_kpi", BadFile, "no kpi.jtl"),
        ("wrong_type", BadFile, "something else came"),
    ],
)
def test_a_hostile_archive_is_named_and_leaves_nothing(
    kind: str, error: type[PerfsuiteError], said: str, runs: RunStore, fault: Fault
) -> None:
    fault("storage", kind)
    with pytest.raises(error, match=f"Session 'r-v4-.*{said}"):
        bring(runs, NEWEST)
    names = [path.name for path in runs.root.rglob("*") if path.is_file()]
    assert not any("escaped" in name or name.endswith((".zip", ".jtl", ".csv")) for name in names)


def test_a_link_beside_the_results_is_left_where_it_is(runs: RunStore, fault: Fault) -> None:
    fault("storage", "zip_symlink")
    assert bring(runs, NEWEST).complete
    assert not any(path.is_symlink() for path in runs.root.rglob("*"))


class TestWithoutOneSession:
    """Less than everything is never called everything."""

    def test_it_fails_names_the_session_and_keeps_the_others(self, runs: RunStore, fault: Fault, asked: Asked) -> None:
        fault("session_logs", "no_archive", after=1, times=3)
        with pytest.raises(NotReady, match=r"r-v4-.*no archive") as caught:
            bring(runs, NEWEST)
        assert "`partial`" in caught.value.next_step
        assert not (runs.root / str(NEWEST) / "samples.parquet").exists()
        assert [one["download"] for one in book(runs)["sessions"]].count("done") == 1
        assert bring(runs, NEWEST).complete
        assert len(asked("storage")) == 2

    def test_with_partial_it_goes_on_and_says_so_everywhere(self, runs: RunStore, fault: Fault) -> None:
        fault("session_logs", "no_archive", after=1, times=3)
        found = bring(runs, NEWEST, partial=True)
        assert (found.complete, found.samples) == (False, 112)
        [missing] = [one for one in found.sessions if one.missing]
        assert missing.session_id in found.notes[0]
        kept = book(runs)
        assert (kept["complete"], [one["session_id"] for one in kept["sessions"] if one["missing"]]) == (
            False, [missing.session_id],
        )  # fmt: skip
        assert missing.session_id in (runs.open(str(NEWEST)).record().incomplete or "")

    def test_when_the_session_is_there_at_last_everything_is(self, runs: RunStore, fault: Fault, asked: Asked) -> None:
        fault("session_logs", "no_archive", after=1, times=3)
        bring(runs, NEWEST, partial=True)
        found = bring(runs, NEWEST)
        assert (found.complete, found.samples) == (True, 224)
        assert runs.open(str(NEWEST)).record().incomplete is None
        assert len(asked("storage")) == 2

    def test_with_nothing_at_all_partial_is_an_error_too(self, runs: RunStore, fault: Fault) -> None:
        fault("session_logs", "no_archive")
        with pytest.raises(NotReady, match="1 more of 2 sessions"):
            bring(runs, NEWEST, partial=True)


@pytest.mark.parametrize("shape", ["list_sessions", "dict_sessions"])
def test_both_shapes_of_the_list_of_sessions_will_do(shape: str, runs: RunStore, fault: Fault) -> None:
    fault("sessions", shape)
    assert bring(runs, NEWEST).complete


def test_a_run_that_goes_on_is_not_complete(service: OpenBlazeMeter, runs: RunStore, hands: Hands) -> None:
    started = service.standin.masters.start(next(iter(service.standin.masters)).test, hands.now)
    hands.now += 30
    with pytest.raises(NotReady, match="its results are not complete"):
        bring(runs, started.id)
    assert not (runs.root / str(started.id)).exists()


def test_an_archived_run_says_so(runs: RunStore) -> None:
    with pytest.raises(NotFound, match="archived"):
        bring(runs, OLDEST)


def test_an_unknown_run_makes_no_folder(runs: RunStore) -> None:
    with pytest.raises(NotFound):
        bring(runs, 999)
    assert not (runs.root / "999").exists()


def test_a_run_with_samples_from_elsewhere_is_not_touched(runs: RunStore) -> None:
    runs.create(str(NEWEST), RunFacts(source="jmeter"))
    with pytest.raises(Conflict, match="'jmeter'"):
        bring(runs, NEWEST)


def test_a_call_that_is_cancelled_ends_and_the_next_goes_on(runs: RunStore) -> None:
    said: list[str] = []
    watch = Watch(
        tell=lambda _, what: said.append(what), is_cancelled=lambda: any("downloaded" in one for one in said)
    )  # fmt: skip
    with pytest.raises(Conflict, match="cancelled"):
        bring(runs, NEWEST, watch=watch)
    assert bring(runs, NEWEST).complete
