"""`perfsuite run-jmeter`: a load test from a terminal, by the tools that agents use."""

from pathlib import Path
from typing import Annotated

import typer

from perfsuite.cli import output
from perfsuite.cli.jmeter_views import Lines, Screen, Silent, View, print_summary
from perfsuite.cli.options import AsJson, pairs
from perfsuite.errors import BadInput, NotFound


def run_jmeter(
    plan: Annotated[
        Path | None,
        typer.Argument(metavar="PLAN", help="The test plan. Without one, --run-id names a run to watch again."),
    ] = None,
    run_id: Annotated[str | None, typer.Option(metavar="ID", help="The run to make; one is made up otherwise.")] = None,
    properties: Annotated[
        list[str] | None, typer.Option("-J", metavar="NAME=VALUE", help="A property of JMeter; several are possible.")
    ] = None,
    secrets: Annotated[
        list[str] | None,
        typer.Option("--secret", metavar="NAME=ENV", help="A property whose value is an environment variable's."),
    ] = None,
    remote: Annotated[str, typer.Option(metavar="HOST:PORT,...", help="JMeter engines that carry out the test.")] = "",
    rerun: Annotated[bool, typer.Option("--rerun", help="Run again; the earlier attempt is kept.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Answer yes where the start must be confirmed.")] = False,
    server: Annotated[str, typer.Option(metavar="COMMAND", help="The jmeter server to use in place of ours.")] = "",
    as_json: AsJson = False,
) -> None:
    """Run a JMeter test and watch it. Ctrl-C stops it gently; a second Ctrl-C leaves it running."""
    import anyio

    from perfsuite.cli.jmeter_run import Order, Run
    from perfsuite.cli.session import Consent, at_terminal, server_command, with_server

    order = Order(
        plan=_plan(plan, run_id),
        run_id=run_id,
        properties=pairs(properties, "-J"),
        secrets=pairs(secrets, "--secret"),
        remote_hosts=[host for part in remote.split(",") if (host := part.strip())],
        rerun=rerun,
    )
    consent = Consent(always=yes, at_terminal=at_terminal())
    work = Run(order, consent, _view(as_json)).carry_out
    found = anyio.run(with_server, "jmeter", server_command("jmeter", server), consent, work)
    if as_json:
        output.print_json(found.as_json())
    elif not found.detached:
        print_summary(found.status, found.collected or {}, (found.started or {}).get("folder"))
    raise SystemExit(found.exit_code)


def _plan(plan: Path | None, run_id: str | None) -> Path | None:
    if plan is None:
        if run_id is None:
            raise BadInput("No plan was named.", next_step="Name a plan, or by --run-id a run to watch again.")
        return None
    if not plan.is_file():
        raise NotFound(f"There is no plan {str(plan)!r}.", next_step="Correct the path.")
    return plan.absolute()


def _view(as_json: bool) -> View:
    if as_json:
        return Silent()
    return Screen() if output.console().is_terminal else Lines()
