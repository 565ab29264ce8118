"""The commands, and what every one of them shares: errors with a next step, exit codes, a quiet end."""

import io
import sys

import typer
from typer.exceptions import TyperException

from perfsuite import __version__
from perfsuite.cli import exits, output
from perfsuite.cli.clients import clients
from perfsuite.cli.demo import demo
from perfsuite.cli.doctor import doctor
from perfsuite.cli.handover import mcp
from perfsuite.cli.run import run as run_workflow
from perfsuite.cli.run_jmeter import run_jmeter
from perfsuite.cli.runs import import_, runs, status
from perfsuite.cli.skills import skills
from perfsuite.cli.stats import stats
from perfsuite.errors import BadInput, PerfsuiteError
from perfsuite.sandbox.commands import app as sandbox

_EXITS = " · ".join(f"{code} {meaning}" for code, meaning in exits.MEANINGS.items())

app = typer.Typer(
    help="Performance tests: exact numbers from result files, run folders, and the servers that agents use.",
    epilog=f"Exit codes: {_EXITS}.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("stats")(stats)
app.command("import")(import_)
app.command("runs")(runs)
app.command("status")(status)
app.command("doctor")(doctor)
app.command("clients")(clients)
app.command("mcp", context_settings={"ignore_unknown_options": True})(mcp)
app.command("run")(run_workflow)
app.command("demo")(demo)
app.command("run-jmeter")(run_jmeter)
app.command("skills")(skills)
app.add_typer(sandbox, name="sandbox")


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"perfsuite {__version__}\n")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show the version."),
) -> None:
    pass


def _call(as_json: bool) -> None:
    if not as_json:
        app()
        return
    try:
        # A program reads the answer: wrong usage is told as any other error, and not in a box.
        app(standalone_mode=False)
    except TyperException as error:
        message = error.format_message().replace("Value error, ", "")
        raise BadInput(message, next_step="`perfsuite COMMAND --help` lists the options.") from None


def run() -> None:
    """Run the command line; every error of ours ends it with a sentence and a code, never a traceback."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Not every terminal can show every label.
        sys.stdout.reconfigure(errors="replace")
    as_json = "--json" in sys.argv
    try:
        _call(as_json)
    except PerfsuiteError as error:
        output.fail(error, as_json=as_json)
