"""What is taken out of an archive, and which archives are left alone."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from blazemeter.archives import KPI, linked, packed, patched
from fixtures import fixture
from perfsuite.errors import BadFile, LimitExceeded, PerfsuiteError
from perfsuite_blazemeter.client.zips import members_of, take_out
from perfsuite_blazemeter.core.zip_limits import artifact_of, chosen
from perfsuite_blazemeter.models.archives import Limits, Wanted


def plan(path: Path, limits: Limits | None = None) -> list[Wanted]:
    limits = limits or Limits()
    return chosen(members_of(path, limits), path.stat().st_size, limits)


def names(path: Path) -> list[tuple[str, str]]:
    return [(one.role, one.member.name) for one in plan(path)]


def nobody_asks(_: int) -> None:
    """Nobody wants to know how far it is."""


def test_only_results_errors_and_logs_are_taken(tmp_path: Path) -> None:
    secret = dict.fromkeys(("effective.json", "effective.yml", "merged.json", "merged.yml", "requests.jmx"), b"token")
    archive = packed(
        tmp_path / "a.zip",
        {"kpi.jtl": KPI, "error.jtl": b"<a/>", "jmeter.log": b"", "bzt.log": b"", "config.json": b"", **secret},
    )
    assert names(archive) == [
        ("results", "kpi.jtl"), ("errors", "error.jtl"), ("jmeter_log", "jmeter.log"), ("bzt_log", "bzt.log"),
    ]  # fmt: skip


def test_several_executions_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    archive = packed(tmp_path / "a.zip", {f"x/kpi{suffix}.jtl": KPI for suffix in ("-10", "", "-2", "-1")})
    assert [name for _, name in names(archive)] == ["x/kpi.jtl", "x/kpi-1.jtl", "x/kpi-2.jtl", "x/kpi-10.jtl"]


def test_the_results_of_older_runs_are_taken_where_there_are_no_others(tmp_path: Path) -> None:
    assert names(packed(tmp_path / "old.zip", {"sample.jtl": KPI})) == [("results", "sample.jtl")]
    both = packed(tmp_path / "both.zip", {"sample.jtl": KPI, "kpi.jtl": KPI})
    assert names(both) == [("results", "kpi.jtl")]


def test_files_are_never_called_as_the_archive_says(tmp_path: Path) -> None:
    assert [one.file for one in plan(packed(tmp_path / "a.zip", {"deep/KPI.jtl": KPI}))] == ["results-1.jtl"]


@pytest.mark.parametrize("name", ["../kpi.jtl", "/kpi.jtl", "a/../../kpi.jtl", "..\\kpi.jtl", "C:kpi.jtl", "C:/x.txt"])
def test_a_name_that_leads_out_condemns_the_archive(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="leads out"):
        plan(packed(tmp_path / "a.zip", {"kpi.jtl": KPI, name: b"x"}))


def bomb(path: Path) -> Path:
    return packed(path, {"kpi.jtl": bytes(70_000_000)})


def encrypted(path: Path) -> Path:
    return patched(packed(path, {"kpi.jtl": KPI}), 8, 1)


def unusual(path: Path) -> Path:
    return packed(path, {"kpi.jtl": KPI}, level=zipfile.ZIP_LZMA)


def many(path: Path) -> Path:
    return packed(path, {f"{number}.txt": b"" for number in range(10_001)}, level=zipfile.ZIP_STORED)


def truncated(path: Path) -> Path:
    content = packed(path, {"kpi.jtl": KPI}).read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return path


def a_web_page(path: Path) -> Path:
    path.write_text("<!DOCTYPE html><title>Sign in</title>", encoding="utf-8")
    return path


def twice(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("kpi.jtl", KPI)
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("kpi.jtl", KPI)
    return path


@pytest.mark.parametrize(
    ("make", "kind", "said"),
    [
        (bomb, LimitExceeded, "200 times its size"),
        (encrypted, BadFile, "encrypted"),
        (unusual, BadFile, "unusual way"),
        (many, LimitExceeded, "10001 members"),
        (truncated, BadFile, "its end is missing"),
        (a_web_page, BadFile, "its end is missing"),
        (twice, BadFile, "several members called"),
        (linked, BadFile, "is a link"),
    ],
)
def test_what_is_not_to_be_trusted_is_refused(
    make: Callable[[Path], Path], kind: type[PerfsuiteError], said: str, tmp_path: Path
) -> None:
    with pytest.raises(kind, match=said):
        plan(make(tmp_path / "a.zip"))


def test_too_much_in_all_is_refused(tmp_path: Path) -> None:
    archive = packed(tmp_path / "a.zip", {"kpi.jtl": KPI, "kpi-1.jtl": KPI})
    with pytest.raises(LimitExceeded, match="unpacks to"):
        plan(archive, Limits(unpacked_bytes=len(KPI)))


def test_a_member_with_other_content_than_announced_is_damaged(tmp_path: Path) -> None:
    archive = packed(tmp_path / "a.zip", {"kpi.jtl": KPI}, level=zipfile.ZIP_STORED)
    content = archive.read_bytes()
    archive.write_bytes(content.replace(b"Home", b"Rome"))
    [wanted] = plan(archive)
    with pytest.raises(BadFile, match="cannot be unpacked"):
        take_out(archive, wanted.member, tmp_path / "out", nobody_asks)


def test_what_is_taken_out_is_whole_and_hashed(tmp_path: Path) -> None:
    archive = packed(tmp_path / "a.zip", {"kpi.jtl": KPI})
    [wanted] = plan(archive)
    taken = take_out(archive, wanted.member, tmp_path / "out", nobody_asks)
    assert ((tmp_path / "out").read_bytes(), taken.size) == (KPI, len(KPI))


@pytest.mark.parametrize("cut", range(1, 120, 7))
def test_a_cut_archive_is_never_more_than_an_error(cut: int, tmp_path: Path) -> None:
    content = packed(tmp_path / "a.zip", {"kpi.jtl": KPI, "jmeter.log": b"log"}).read_bytes()
    (tmp_path / "a.zip").write_bytes(content[cut:])
    try:
        found = plan(tmp_path / "a.zip")
        for one in found:
            take_out(tmp_path / "a.zip", one.member, tmp_path / "out", nobody_asks)
    except PerfsuiteError:
        pass


def test_the_archive_is_found_among_the_files_of_a_session() -> None:
    assert artifact_of(["bzt.log", "artifacts.zip"]) == "artifacts.zip"
    assert artifact_of(["jtls_and_more.zip", "jmeter.log"]) == "jtls_and_more.zip"
    assert artifact_of(["jtls_and_more.zip", "artifacts-1.zip", "artifacts.zip"]) == "artifacts.zip"
    assert artifact_of(["results.zip", "artifacts.zip.exe"]) is None


def test_of_a_recorded_archive_only_the_log_is_taken() -> None:
    archive = fixture("blazemeter/taurus_artifacts-1.scrubbed.zip")
    assert names(archive) == [("bzt_log", "bzt.log")]
