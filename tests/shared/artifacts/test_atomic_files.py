"""A file is either the old one or the new one, whatever happens while it is written."""

import errno
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from perfsuite.artifacts import replacing, sha256_of
from perfsuite.errors import StorageFailed

LIMITED = """
import resource, sys
from pathlib import Path
from perfsuite.artifacts import replacing
from perfsuite.errors import StorageFailed
before = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
try:
    with replacing(Path(sys.argv[1])) as staged:
        staged.write_bytes(b"x" * 100_000)
except StorageFailed as error:
    print(error)
finally:
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
"""
HANGING = """
import sys
from pathlib import Path
from perfsuite.artifacts import replacing
with replacing(Path(sys.argv[1])) as staged:
    staged.write_text("half")
    print("writing", flush=True)
    sys.stdin.read()
"""


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def writer(path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HANGING, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    return process


def ended(process: subprocess.Popen[str]) -> int:
    process.communicate()
    return process.returncode


def test_the_new_content_takes_the_place_of_the_old_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    with replacing(path) as staged:
        staged.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert names(tmp_path) == ["a.json"]


def test_the_path_to_write_to_has_the_same_name_for_writers_that_look_at_the_suffix(tmp_path: Path) -> None:
    with replacing(tmp_path / "chart.png") as staged:
        staged.write_bytes(b"x")
        assert staged.name == "chart.png"


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), ConnectionResetError(errno.ECONNRESET, "x")])
def test_an_error_of_the_writer_passes_through_and_leaves_the_old_file_alone(
    tmp_path: Path, error: BaseException
) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    with pytest.raises(type(error)), replacing(path) as staged:  # noqa: PT012 (the block is what fails)
        staged.write_text("half")
        raise error
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.json"]


@pytest.mark.parametrize(
    ("error", "step"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "Free space"),
        (OSError(errno.EROFS, "Read-only file system"), "PERFSUITE_ARTIFACTS_DIR"),
        (OSError(errno.EIO, "Input/output error"), "Check the disk"),
    ],
)
def test_a_disk_that_does_not_take_it_is_reported_with_what_to_do(tmp_path: Path, error: OSError, step: str) -> None:
    with pytest.raises(StorageFailed) as caught, replacing(tmp_path / "a", shown_as="import/a"):
        raise error
    assert "'import/a' could not be saved" in caught.value.message
    assert str(error.strerror) in caught.value.message
    assert step in caught.value.next_step
    assert names(tmp_path) == []


def test_a_real_limit_on_the_size_of_files_leaves_the_old_file_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    ran = subprocess.run([sys.executable, "-c", LIMITED, str(path)], capture_output=True, text=True, check=True)
    assert "'a.json' could not be saved: File too large" in ran.stdout
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.json"]


def test_a_file_that_the_writer_cannot_read_elsewhere_is_not_blamed_on_the_disk(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), replacing(tmp_path / "a"):
        (tmp_path.parent / "nowhere").read_text()


def test_a_writer_that_writes_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StorageFailed, match="No such file"), replacing(tmp_path / "a"):
        pass


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageFailed, match="cannot be taken"), replacing(tmp_path / "file" / "a"):
        pass


def test_a_folder_without_write_permission_is_an_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    if os.access(tmp_path, os.W_OK):
        pytest.skip("this user may write anywhere")
    with pytest.raises(StorageFailed, match="Permission denied"), replacing(tmp_path / "a"):
        pass


def test_a_killed_writer_leaves_the_old_file_and_the_next_save_cleans_up(tmp_path: Path) -> None:
    path = tmp_path / "a[1]*.json"
    path.write_text("old")
    process = writer(path)
    process.kill()
    assert ended(process) == -9
    assert path.read_text() == "old"
    assert len(names(tmp_path)) == 3
    (tmp_path / ".other.12345678.lock").touch()
    with replacing(path) as staged:
        staged.write_text("new")
    assert path.read_text() == "new"
    assert names(tmp_path) == [".other.12345678.lock", "a[1]*.json"]


def test_what_a_living_process_is_writing_is_not_cleaned_up(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    process = writer(path)
    with replacing(path) as staged:
        staged.write_text("mine")
    assert path.read_text() == "mine"
    assert ended(process) == 0
    assert path.read_text() == "half"
    assert names(tmp_path) == ["a.json"]


def test_the_hash_is_the_sha256_of_the_whole_file(tmp_path: Path) -> None:
    content = os.urandom(300_000)
    (tmp_path / "a").write_bytes(content)
    assert sha256_of(tmp_path / "a") == hashlib.sha256(content).hexdigest()
