"""`perfsuite clients`: the configuration that makes an MCP client start the servers."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args

import typer
from rich.table import Table
from rich.text import Text

from perfsuite.cli import clients_files as files
from perfsuite.cli import output
from perfsuite.cli.accounts import remember_secrets
from perfsuite.cli.clients_entries import Choice, Entries, Form, make_entries, names_of_ours
from perfsuite.cli.clients_kinds import INPUTS, KINDS, Kind, Name, Scope, file_of
from perfsuite.cli.options import AsJson
from perfsuite.errors import BadInput, PerfsuiteError
from perfsuite.settings import given

_COLOURS: Final = {"+": "green", "-": "red", "@": "cyan"}
State = Literal["written", "unchanged", "would change", "printed"]


def clients(
    client: Annotated[
        Name | None, typer.Argument(metavar="CLIENT", help=f"{', '.join(get_args(Name))}. Without one, list them.")
    ] = None,
    server: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A server to configure; several are possible. Default: all."),
    ] = None,
    all_in_one: Annotated[
        bool, typer.Option("--all-in-one", help="One process that carries their tools, in place of one for each.")
    ] = False,
    preset: Annotated[
        Literal["core"] | None, typer.Option(help="With --all-in-one: at most 40 tools.", show_default=False)
    ] = None,
    form: Annotated[Form, typer.Option(help="Start this installation, or let uvx fetch the package.")] = "local",
    package: Annotated[str, typer.Option(metavar="SPEC", help="What uvx is to fetch.")] = "perfsuite",
    scope: Annotated[Scope, typer.Option(help="For all that you do, or for the project in this folder.")] = "user",
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Leave out every tool that changes something outside run folders.")
    ] = False,
    printed: Annotated[bool, typer.Option("--print", help="Print what to put in by hand, and write nothing.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and write nothing.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Take the entries of perfsuite out again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make an MCP client start the servers: write its configuration, beside what is there, or print it."""
    remember_secrets()
    if client is None:
        _list(scope, as_json=as_json)
        return
    kind = KINDS[client]
    choice = Choice(tuple(server or ()), all_in_one, preset, read_only, form, package, scope)
    if remove and printed:
        raise BadInput("--remove and --print contradict each other.", next_step="Leave one of them out.")
    entries = Entries({}, [], []) if remove else make_entries(kind, choice)
    if printed:
        _print(kind, entries, as_json=as_json)
        return
    told = _change(kind, file_of(client, scope), entries, remove=remove, dry_run=dry_run)
    if as_json:
        output.print_json(told)
    else:
        _tell(kind, entries, told)


def _change(kind: Kind, path: Path, entries: Entries, *, remove: bool, dry_run: bool) -> dict[str, Any]:
    """Change the file, unless it is a dry run, and say what happened."""
    source, ours = files.read(path), names_of_ours()
    document = files.without(source, kind, ours) if remove else files.merged(source, kind, entries, ours)
    state: State = "unchanged" if document == source.document else "would change" if dry_run else "written"
    backup = files.write(source, document) if state == "written" else None
    return {
        "client": kind.title,
        "file": str(path),
        "state": state,
        "entries": sorted(entries.servers),
        "backup": str(backup) if backup else None,
        "difference": files.difference(source, document, entries.strings()),
        "to_give": _to_give(kind, entries),
    }


def _to_give(kind: Kind, entries: Entries) -> list[dict[str, str]]:
    """What the entries refer to, and where its value belongs."""
    told = []
    for variable in entries.referred:
        reference = next(iter(kind.refer(variable).values()), "")
        told.append({"variable": variable.name, "what": variable.about, "reference": reference})
    return told


def _print(kind: Kind, entries: Entries, *, as_json: bool) -> None:
    document = {kind.key: entries.servers, **({INPUTS: entries.inputs} if entries.inputs else {})}
    if as_json:
        told = {"client": kind.title, "state": "printed", "document": document, "to_give": _to_give(kind, entries)}
        output.print_json(told)
        return
    # Nothing but the text goes to standard output: it may be piped into a file.
    sys.stdout.write(json.dumps(document, indent=2) + "\n")
    _say_what_to_give(kind, entries, to_stderr=True)


def _tell(kind: Kind, entries: Entries, told: dict[str, Any]) -> None:
    for line in told["difference"]:
        output.console().print(Text(line, _COLOURS.get(line[0], "dim")), soft_wrap=True)
    said = {
        "unchanged": f"{told['file']} is as it should be.",
        "would change": f"Nothing was written. Without --dry-run, {told['file']} would become this.",
        "written": f"{told['file']} is written.",
    }[told["state"]]
    output.say(said)
    if told["backup"]:
        output.say(f"The former file is kept as {told['backup']}.")
    _say_what_to_give(kind, entries)
    if kind.most_tools and entries.servers and not _has_preset(entries):
        output.say(
            f"{kind.title} may take {kind.most_tools} tools and no more: --all-in-one --preset core keeps to that."
        )
    if told["state"] == "written":
        output.say(f"Start {kind.title} again.")


def _has_preset(entries: Entries) -> bool:
    return all("--preset" in entry["args"] for entry in entries.servers.values())


def _say_what_to_give(kind: Kind, entries: Entries, *, to_stderr: bool = False) -> None:
    if not entries.referred:
        return
    screen = output.console(to_stderr=to_stderr)
    screen.print(output.plain(f"{kind.fill_in}, for the accounts that you have:"), soft_wrap=True)
    for one in _to_give(kind, entries):
        place = one["reference"] if kind.prefers_files else ""
        by_hand = " (put it under `env` yourself)" if kind.prefers_files and not place else ""
        here = " (it is set here)" if given(os.environ, one["variable"]) else ""
        said = f"- {one['variable']}: {one['what']}{by_hand}{f', in {place}' if place else ''}{here}"
        screen.print(output.plain(said), soft_wrap=True)


def _list(scope: Scope, *, as_json: bool) -> None:
    """Every client, where its file lies, and which entries of ours it has."""
    found = [_overview(name, scope) for name in KINDS if name != "plain"]
    if as_json:
        output.print_json({"clients": found})
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("client", "file", "perfsuite"):
        table.add_column(heading, overflow="fold")
    for one in found:
        table.add_row(one["client"], output.plain(one["file"] or "-"), output.plain(one["state"]))
    output.print_table(table)
    output.say("`perfsuite clients CLIENT --dry-run` shows what would be written.")


def _overview(name: Name, scope: Scope) -> dict[str, Any]:
    path = KINDS[name].files(scope)
    return {"client": name, "file": str(path) if path else None, "state": _state(KINDS[name], path)}


def _state(kind: Kind, path: Path | None) -> str:
    if path is None:
        return "has no configuration for a project"
    try:
        source = files.read(path)
    except PerfsuiteError as error:
        return error.message
    if source.content is None:
        return "no file yet"
    section = source.document.get(kind.key)
    ours = sorted(names_of_ours() & set(section)) if isinstance(section, dict) else []
    return ", ".join(ours) or "not configured"
