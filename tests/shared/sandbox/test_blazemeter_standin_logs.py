"""The archives of the stand-in of BlazeMeter: signed, on another host, and together all of the samples."""

import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from perfsuite.artifacts import RunStore
from perfsuite.samples.summary import summarise
from perfsuite.workflow.importing import ImportRequest, import_results
from shared.sandbox.blazemeter import CHECKOUT, NEWEST, Desk, desk


@pytest.fixture(scope="module")
def shared_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with desk(tmp_path_factory.mktemp("blazemeter")) as found:
        yield found


@pytest.fixture
def bm(shared_desk: Desk) -> Iterator[Desk]:
    yield shared_desk
    shared_desk.standin.faults.switch_off()
    shared_desk.standin.journal.forget()


def kpi_files(bm: Desk, folder: Path, master: int = NEWEST) -> list[Path]:
    """The kpi files of all engines, unpacked."""
    found = []
    for engine in range(len(bm.sessions(master))):
        archive = bm.archive(master, engine)
        names = [name for name in archive.namelist() if name.startswith(("kpi", "sample"))]
        found += [Path(archive.extract(name, folder / str(engine))) for name in names]
    return found


def test_the_kpi_files_of_all_engines_are_all_of_the_samples(bm: Desk, tmp_path: Path) -> None:
    known, found = summarise([CHECKOUT]), summarise(kpi_files(bm, tmp_path))
    assert (found.rows_read, found.concurrency) == (known.rows_read, known.concurrency)
    assert (found.first_us, found.last_us) == (known.first_us, known.last_us)
    assert [label.samples for label in found.labels] == [label.samples for label in known.labels]
    assert found.total.percentiles_ms == known.total.percentiles_ms


@pytest.mark.parametrize("spec", [{"engines": 1}, {"engines": 3}, {"executions": 2}, {"mixed_columns": True}])
def test_however_they_are_written_they_are_all(tmp_path: Path, spec: dict[str, int]) -> None:
    source = tmp_path / "one.jtl"
    lines = CHECKOUT.read_text(encoding="utf-8").splitlines()
    hostname = lines[0].split(",").index("Hostname") if "Hostname" in lines[0] else None
    kept = [",".join(c for i, c in enumerate(line.split(",")) if i != hostname) for line in lines if '"' not in line]
    source.write_text("\n".join(kept) + "\n", encoding="utf-8")
    with desk(tmp_path / "work", (source,), runs=1, **spec) as bm:
        found, known = summarise(kpi_files(bm, tmp_path, 7_000_001)), summarise([source])
    assert (found.rows_read, found.total.errors) == (known.rows_read, known.total.errors)


def test_several_files_are_as_many_engines(tmp_path: Path) -> None:
    with desk(tmp_path, (CHECKOUT, CHECKOUT, CHECKOUT), runs=1) as bm:
        assert len(bm.sessions(7_000_001)) == 6
        row = bm.result("/masters/7000001/reports/default/summary")["summary"][-1]
    assert (row["hits"], row["maxUsers"]) == (3 * 168, 3 * 8)


def test_a_run_folder_can_be_a_run_too(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "artifacts")
    import_results(store, "example", ImportRequest((CHECKOUT,)))
    with desk(tmp_path / "work", (tmp_path / "artifacts" / "example",), runs=1) as bm:
        assert bm.result("/masters/7000001/reports/default/summary")["summary"][-1]["hits"] == 168


def test_older_runs_have_the_same_samples_at_their_own_time(bm: Desk, tmp_path: Path) -> None:
    day_us = 86_400 * 10**6
    found = summarise(kpi_files(bm, tmp_path, NEWEST - 2))
    assert found.first_us == summarise([CHECKOUT]).first_us - 2 * day_us
    row = bm.result(f"/masters/{NEWEST - 2}/reports/default/summary")["summary"][-1]
    assert row["first"] == found.first_us // 10**6


def test_an_archive_has_what_an_engine_leaves(bm: Desk) -> None:
    archive = bm.archive()
    assert archive.namelist() == ["bzt.log", "effective.json", "kpi.jtl", "error.jtl", "jmeter.log"]
    assert b"Running the test on engine 1" in archive.read("jmeter.log")
    assert b"token" in archive.read("effective.json")


def test_the_storage_has_another_name_and_another_port(bm: Desk) -> None:
    url = urlsplit(bm.archive_url())
    assert (url.hostname, bm.http.base_url.host) == ("localhost", "127.0.0.1")
    assert url.port != bm.http.base_url.port
    assert "X-Amz-Signature" in url.query


def test_the_storage_refuses_whoever_sends_credentials(bm: Desk) -> None:
    refused = httpx.get(bm.archive_url(), auth=("sandbox-key-id", "sandbox-key-secret"))
    assert (refused.status_code, refused.headers["Content-Type"].partition(";")[0]) == (400, "application/xml")
    [received] = bm.standin.journal.received("blazemeter.storage")
    assert "authorization" in received.header_names


def test_an_address_that_was_changed_or_has_expired_is_refused(bm: Desk) -> None:
    url = bm.archive_url()
    assert httpx.get(url.replace("7000012", "7000011")).status_code == 403
    assert httpx.get(url.partition("?")[0]).status_code == 403
    bm.now += 3601
    assert "expired" in httpx.get(url).text
    bm.now -= 3601
    assert httpx.get(url).status_code == 200
    bm.fault("storage", "expired", times=1)
    assert [httpx.get(url).status_code for _ in range(2)] == [403, 200]


def test_no_signature_is_remembered(bm: Desk) -> None:
    url = bm.archive_url()
    httpx.get(url)
    signature = dict(httpx.URL(url).params)["X-Amz-Signature"]
    assert signature not in str(bm.standin.journal.told())


def test_a_download_can_be_resumed(bm: Desk) -> None:
    url = bm.archive_url()
    whole = httpx.get(url)
    rest = httpx.get(url, headers={"Range": "bytes=1000-", "If-Range": whole.headers["ETag"]})
    assert (rest.status_code, rest.content) == (206, whole.content[1000:])


def test_logs_are_there_a_while_after_the_end(bm: Desk) -> None:
    master = bm.start()
    session = bm.sessions(master)[0]["id"]
    bm.now += 20 + 24 + 10 + 1
    assert bm.result(f"/masters/{master}/status")["status"] == "ENDED"
    assert "dataUrl" not in bm.result(f"/sessions/{session}/reports/logs")["data"][0]
    bm.now += 5
    assert "dataUrl" in bm.result(f"/sessions/{session}/reports/logs/data")[0]


def test_logs_may_be_not_ready_relative_old_or_missing(bm: Desk) -> None:
    path = f"/sessions/{bm.sessions()[0]['id']}/reports/logs"
    for kind in ("not_ready", "relative_url", "old_names", "no_archive"):
        bm.fault("session_logs", kind, times=1)
    files = bm.result(path)["data"]
    assert [file["filename"] for file in files] == ["bzt.log"]
    bm.fault("session_logs", "not_ready", times=1)
    assert "dataUrl" not in bm.result(path)["data"][0]
    bm.fault("session_logs", "relative_url", times=1)
    relative = bm.result(path)["data"][0]["dataUrl"]
    assert relative.startswith("/api/v4/sessions/")
    assert bm.http.get(f"{bm.http.base_url.copy_with(path=relative)}").content[:2] == b"PK"
    bm.fault("session_logs", "old_names", times=1)
    old = httpx.get(bm.result(path)["data"][0]["dataUrl"])
    assert "sample.jtl" in zipfile.ZipFile(io.BytesIO(old.content)).namelist()


def test_the_log_of_taurus_can_be_read(bm: Desk) -> None:
    session = bm.sessions()[0]["id"]
    url = bm.result(f"/sessions/{session}/reports/logs")["data"][1]["dataUrl"]
    assert "Taurus CLI Tool" in bm.http.get(f"{bm.http.base_url.copy_with(path=url)}").text
    assert bm.get(f"/sessions/{session}/passwd").status_code == 404


@pytest.mark.parametrize(
    ("kind", "seen"),
    [
        ("zip_slip", lambda a: "../../escaped.jtl" in a.namelist()),
        ("zip_bomb", lambda a: max(i.file_size for i in a.infolist()) == 300_000_000),
        ("zip_symlink", lambda a: any(i.external_attr >> 28 == 0xA for i in a.infolist())),
        ("zip_many", lambda a: len(a.namelist()) > 20_000),
        ("zip_no_kpi", lambda a: not any(name.endswith(".jtl") for name in a.namelist())),
    ],
)
def test_archives_may_be_hostile(bm: Desk, kind: str, seen: Callable[[zipfile.ZipFile], bool]) -> None:
    bm.fault("storage", kind, times=1)
    assert seen(bm.archive())
    assert not seen(bm.archive())


def test_an_archive_may_arrive_truncated_or_as_a_page(bm: Desk) -> None:
    bm.fault("storage", "truncated", times=1)
    with pytest.raises(zipfile.BadZipFile):
        bm.archive()
    bm.fault("storage", "wrong_type", times=1)
    assert httpx.get(bm.archive_url()).headers["Content-Type"].startswith("text/html")
    bm.fault("storage", "reset", times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        bm.archive()


def test_the_same_samples_give_the_same_archive(bm: Desk, tmp_path: Path) -> None:
    with desk(tmp_path) as other:
        assert httpx.get(other.archive_url()).content == httpx.get(bm.archive_url()).content
