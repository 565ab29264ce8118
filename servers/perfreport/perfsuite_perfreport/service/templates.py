"""The templates of reports: those that are built in, and those that users copy and change."""

import re
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from perfsuite.artifacts.run_id import shown
from perfsuite.errors import BadFile, BadInput, NotFound
from perfsuite.mcp.answers import fit
from perfsuite.samples.rows import printable
from perfsuite_perfreport.core.markdown.template import Template
from perfsuite_perfreport.models.answers import TemplateEntry, TemplateList

BUILT_IN: Final = Path(__file__).parent.parent / "templates"
FOLDER: Final = "templates"
_ENDING: Final = ".md.j2"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_ABOUT: Final = re.compile(r"\A\{#-?\s*(.*?)\s*-?#\}", re.DOTALL)
_LARGEST: Final = 500_000


def list_templates(folders: tuple[Path, ...]) -> TemplateList:
    """Every template; one of the user's stands in place of a built-in one of its name."""
    entries = [_entry(name, path) for name, path in sorted(_found(folders).items())]
    listed = fit(entries)
    return TemplateList(
        templates=listed.items,
        total=listed.total,
        has_more=listed.has_more,
        next_step=f"To change one, copy its file to {str(folders[0] / FOLDER)!r} under a new name that ends in "
        f"{_ENDING!r}, and give that name as `template` to `create_performance_test_report`.",
    )


def find_template(name: str, folders: tuple[Path, ...]) -> tuple[Template, Path]:
    """A template by its name, and its file."""
    if not _NAME.fullmatch(name):
        raise BadInput(
            f"{shown(name)} is not the name of a template: expected small letters, digits, '_' and '-'.",
            next_step="Take a name that `list_templates` gives.",
        )
    known = _found(folders)
    path = known.get(name)
    if path is None:
        near = get_close_matches(name, known, n=3) or sorted(known)
        raise NotFound(
            f"There is no template {name!r}; looked into {', '.join(str(one / FOLDER) for one in folders)}.",
            next_step=f"Name one of {', '.join(near)}, or see `list_templates`.",
        )
    return Template(name, _text(path), "built in" if path.parent == BUILT_IN else str(path)), path


def asset(name: str) -> str:
    """A file that pages bring with them."""
    return (BUILT_IN / name).read_text(encoding="utf-8")


def _found(folders: tuple[Path, ...]) -> dict[str, Path]:
    # The first folder is the one that counts, so it comes last here.
    places = (BUILT_IN, *(folder / FOLDER for folder in reversed(folders)))
    files = (path for place in places if place.is_dir() for path in sorted(place.glob(f"*{_ENDING}")))
    named = ((path.name.removesuffix(_ENDING), path) for path in files if path.is_file())
    return {name: path for name, path in named if _NAME.fullmatch(name)}


def _entry(name: str, path: Path) -> TemplateEntry:
    try:
        told = _ABOUT.match(_text(path))
        about = printable(told[1], 200) if told else "It does not say what it is for."
    except BadFile as error:
        about = printable(str(error), 200)
    return TemplateEntry(name=name, about=about, path=str(path), is_built_in=path.parent == BUILT_IN)


def _text(path: Path) -> str:
    try:
        content = path.read_bytes() if path.stat().st_size <= _LARGEST else None
        if content is not None:
            return content.decode("utf-8-sig")
        problem = f"it is larger than {_LARGEST:,} bytes"
    except UnicodeDecodeError as error:
        problem = f"it is not UTF-8 text (byte {error.start})"
    except OSError as error:
        problem = error.strerror or type(error).__name__
    raise BadFile(
        f"The template {str(path)!r} cannot be read: {problem}.", next_step="Mend it, or take the template `default`."
    )
