"""`perfsuite skills`: the rules for agents as folders that clients look for."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.table import Table

from perfsuite.artifacts.atomic import replacing
from perfsuite.cli import output
from perfsuite.cli.options import AsJson
from perfsuite.errors import Conflict, StorageFailed


@dataclass(frozen=True)
class Written:
    """A skill, and what was done about it."""

    skill: str
    file: str
    state: Literal["new", "replaced", "unchanged"]


def skills(
    to: Annotated[Path, typer.Option(metavar="DIR", help="Where the client looks for skills, such as .claude/skills.")],
    force: Annotated[bool, typer.Option("--force", help="Replace what somebody edited, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write the rules for agents as Agent Skills, for clients that read them from folders."""
    from perfsuite.mcp.skills import FILE
    from perfsuite.mcp.skills import skills as all_skills

    wanted = {to / skill.name / FILE: skill for skill in all_skills()}
    before = {file: _content(file) for file in wanted}
    if not force:
        _refuse_edited(before)
    found = [_write(skill.name, file, skill.text, before[file]) for file, skill in wanted.items()]
    if as_json:
        output.print_json({"folder": str(to), "skills": [asdict(one) for one in found]})
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    for one in found:
        table.add_row(one.state, one.skill, output.plain(one.file))
    output.print_table(table)


def _content(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise StorageFailed(
            f"The file {str(file)!r} cannot be read: {reason}.", next_step="Name another folder with --to."
        ) from error


def _refuse_edited(before: dict[Path, str | None]) -> None:
    from perfsuite.mcp.skills import is_untouched

    edited = [str(file) for file, text in before.items() if text is not None and not is_untouched(text)]
    if edited:
        raise Conflict(
            f"Somebody wrote or edited {', '.join(map(repr, edited))}. Nothing was written.",
            next_step="Keep them and name another folder with --to, or replace them with --force.",
        )


def _write(name: str, file: Path, text: str, before: str | None) -> Written:
    if text == before:
        return Written(name, str(file), "unchanged")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageFailed(
            f"The folder {str(file.parent)!r} cannot be made: {error.strerror}.",
            next_step="Name a folder that may be written to with --to.",
        ) from error
    with replacing(file, shown_as=str(file)) as path:
        path.write_text(text, encoding="utf-8", newline="\n")
    return Written(name, str(file), "new" if before is None else "replaced")
