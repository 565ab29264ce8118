"""Files that people write are found, read carefully, and what is wrong in them is said with its place."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfsuite.configuration import Configuration, configuration_folders, load_configuration, read_configuration
from perfsuite.errors import BadFile, BadSettings, PerfsuiteError


class Inner(Configuration):
    name: str
    limit: int = 0


class Outer(Configuration):
    title: str = "none"
    parts: tuple[Inner, ...] = ()
    named: dict[str, Inner] | None = None


def read(folder: Path, text: str | bytes) -> Outer:
    path = folder / "outer.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_configuration(Outer, path)


def test_a_file_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, "title: x\nparts:\n  - name: a\n    limit: 5\n").parts == (Inner(name="a", limit=5),)


@pytest.mark.parametrize("text", ["", "# nothing\n", "\ufeff"])
def test_an_empty_file_means_the_defaults(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == Outer()


WRONG: dict[str, tuple[str | bytes, str]] = {
    "a wrong value": ("title: x\nparts:\n  - name: a\n    limit: many\n", "line 4, key 'parts.0.limit'"),
    "a missing key": ("parts:\n  - limit: 1\n", "line 2, key 'parts.0.name': Field required"),
    "an unknown key": (
        "title: x\ntitel: y\n",
        "line 2, has the unknown key 'titel'; known there are title, parts, named.",
    ),
    "an unknown key in a list": (
        "parts:\n- name: a\n  limt: 1\n",
        "line 3, has the unknown key 'parts.0.limt'; known there are name, limit.",
    ),
    "an unknown key in a mapping": (
        "named:\n  QA:\n    name: a\n    limt: 1\n",
        "has the unknown key 'named.QA.limt'; known there are name, limit.",
    ),
    "a key twice": ("title: x\ntitle: y\n", "line 2, has the key 'title' a second time"),
    "no keys": ("- a\n", "holds no keys"),
    "no YAML": ("title: [\n", "is not YAML that is understood"),
    "an anchor": ("title: &a x\nparts: *a\n", "anchors and aliases are not taken"),
    "a deep nest": ("title: " + "[" * 60 + "]" * 60, "nested too deeply"),
    "a tag": ("title: !!python/object:os.system x\n", "line 1, has the unusable value 'x'"),
    "a date that is none": ("title: 2024-99-99\n", "unusable value"),
    "a key that is a list": ("[a]: b\n", "a key that is not text"),
    "other bytes": (b"title: \xff\n", "is not UTF-8 text (byte 7)"),
    "control characters": (b"title: \x01\n", "is not YAML"),
    "a large file": ("#" * 1_000_001, "larger than 1000000 bytes"),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(BadFile) as caught:
        read(tmp_path, text)
    assert message in caught.value.message
    assert str(tmp_path / "outer.yaml") in caught.value.message


def test_a_folder_in_place_of_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "outer.yaml").mkdir()
    with pytest.raises(BadFile, match="cannot be read"):
        load_configuration(Outer, "outer.yaml", (tmp_path,))


def test_a_link_that_leads_nowhere_is_not_taken_for_no_file(tmp_path: Path) -> None:
    (tmp_path / "outer.yaml").symlink_to(tmp_path / "gone")
    with pytest.raises(BadFile, match="cannot be read"):
        load_configuration(Outer, "outer.yaml", (tmp_path,))


def test_the_first_folder_that_has_the_file_wins(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        (folder / "outer.yaml").write_text(f"title: {folder.name}\n", encoding="utf-8")
    found = load_configuration(Outer, "outer.yaml", (first, second))
    assert (found.value.title, found.path) == ("first", first / "outer.yaml")
    assert found.where("title") == f"`title` in `{first / 'outer.yaml'}`"


def test_without_a_file_the_defaults_hold_and_the_place_for_one_is_known(tmp_path: Path) -> None:
    found = load_configuration(Outer, "outer.yaml", (tmp_path,))
    assert (found.value, found.path) == (Outer(), None)
    assert found.where("title") == f"`title` in a new file `{tmp_path / 'outer.yaml'}`"


def test_the_project_comes_before_the_user(tmp_path: Path) -> None:
    user = {"XDG_CONFIG_HOME": "/etc/xdg"}
    assert configuration_folders(None, user, tmp_path) == (tmp_path, Path("/etc/xdg/perfsuite"))
    assert configuration_folders(None, {"XDG_CONFIG_HOME": "relative"}, tmp_path)[1].name == "perfsuite"
    assert configuration_folders(tmp_path, user, Path("elsewhere")) == (tmp_path,)


def test_a_configured_folder_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="PERFSUITE_CONFIG_DIR"):
        configuration_folders(tmp_path / "gone", {}, tmp_path)


@given(st.binary(max_size=120) | st.text("titleparsname: -[]{}&*!|>#\n'\"0", max_size=80).map(str.encode))
def test_any_bytes_are_a_configuration_or_an_error_of_ours(
    tmp_path_factory: pytest.TempPathFactory, text: bytes
) -> None:
    try:
        found = read(tmp_path_factory.getbasetemp(), text)
    except PerfsuiteError as error:
        found = Outer(title=error.next_step)
    assert found.title
