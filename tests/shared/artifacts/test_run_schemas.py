"""The models of run.json and import/sources.json."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import ValidationError

from perfsuite.artifacts.schemas import ImportedFile, ImportSources, RunRecord, Window

BERLIN = timezone(timedelta(hours=2))
START = datetime(2026, 3, 1, 14, 0, tzinfo=BERLIN)


def sources(**changes: Any) -> dict[str, Any]:
    file = {"name": "results.jtl", "size": 3, "sha256": "0" * 64}
    return {"files": [file], "format": "jtl-csv", "rows_read": 1, "rows_rejected": 0, "tool_version": "0.1.0"} | changes


def test_times_are_kept_in_utc() -> None:
    window = Window(first_sample_at=START, last_sample_at=START + timedelta(seconds=5))
    assert window.first_sample_at.tzinfo is UTC
    assert window.model_dump(mode="json")["first_sample_at"] == "2026-03-01T12:00:00Z"


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValidationError, match="timezone"):
        Window(first_sample_at="2026-03-01T12:00:00", last_sample_at=START)  # type: ignore[arg-type]


def test_a_window_cannot_end_before_it_begins() -> None:
    with pytest.raises(ValidationError, match="cannot come before"):
        Window(first_sample_at=START, last_sample_at=START - timedelta(seconds=1))


@pytest.mark.parametrize("version", ["1.0", "1.7", "1.250"])
def test_a_newer_minor_version_is_read_and_its_keys_are_kept(version: str) -> None:
    record = RunRecord.model_validate({"schema_version": version, "run_id": "r1", "mood": "good"})
    assert record.model_dump()["mood"] == "good"
    assert record.schema_version == version


@pytest.mark.parametrize(("version", "kind"), [("2.0", "newer_schema"), ("0.9", "schema_version")])
def test_another_major_version_is_refused_before_anything_else_is_looked_at(version: str, kind: str) -> None:
    with pytest.raises(ValidationError) as caught:
        RunRecord.model_validate({"schema_version": version, "run_id": "../x"})
    assert [problem["type"] for problem in caught.value.errors()] == [kind]


@pytest.mark.parametrize("version", [1, "1", "x.y", "1.0\n", "9" * 5000])
def test_a_version_that_is_no_version_is_refused(version: object) -> None:
    with pytest.raises(ValidationError, match=r"should be '1\.x'"):
        RunRecord.model_validate({"schema_version": version, "run_id": "r1"})


def test_sources_know_files_by_name_and_hash() -> None:
    read = ImportSources.model_validate(sources(files=[{"name": "in/a.jtl", "size": 1, "sha256": "a" * 64}]))
    assert read.files[0].name == "in/a.jtl"


@pytest.mark.parametrize("name", ["/home/someone/a.jtl", r"C:\runs\a.jtl", r"\\server\a.jtl"])
def test_sources_never_show_where_on_a_machine_a_file_was(name: str) -> None:
    with pytest.raises(ValidationError, match="relative path is expected"):
        ImportedFile(name=name, size=1, sha256="0" * 64)


@pytest.mark.parametrize("changes", [{"files": []}, {"rows_read": -1}, {"dialect": {"a": 1}}, {"format": None}])
def test_sources_that_make_no_sense_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ImportSources.model_validate(sources(**changes))


def test_a_source_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValidationError, match="blazemeter"):
        RunRecord.model_validate({"run_id": "r1", "source": "telepathy"})
