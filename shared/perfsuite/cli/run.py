"""`perfsuite run`: the whole workflow by one command, by the tools that agents use."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from perfsuite.cli import output
from perfsuite.cli.options import AsJson, pairs
from perfsuite.errors import BadInput, NotFound

if TYPE_CHECKING:
    from perfsuite.cli.driving.told import RunTold, Told
    from perfsuite.cli.driving.watching import Watch
    from perfsuite.cli.driving.wishes import Load, Publishing

Source = Literal["blazemeter", "jmeter", "import", "existing"]
StageName = Literal["blazemeter", "jmeter", "datadog", "perfanalysis", "perfreport", "confluence"]
_COLOURS = {"PASS": "green", "PASS WITH WARNINGS": "yellow", "FAIL": "red", "INCONCLUSIVE": "yellow"}


def run(
    run_id: Annotated[list[str], typer.Option(metavar="ID", help="A run; several are driven one after the other.")],
    env: Annotated[str | None, typer.Option(help="Its environment in environments.yaml; none: no metrics.")] = None,
    env_type: Annotated[str | None, typer.Option(help="What kind of environment it is, such as staging.")] = None,
    source: Annotated[Source | None, typer.Option(help="Where results come from; a run that has some knows.")] = None,
    plan: Annotated[Path | None, typer.Option(help="The JMeter test to start, as each of the runs.")] = None,
    properties: Annotated[list[str] | None, typer.Option("-J", metavar="NAME=VALUE", help="For JMeter.")] = None,
    secrets: Annotated[
        list[str] | None,
        typer.Option("--secret", metavar="NAME=ENV", help="A property whose value is an environment variable's."),
    ] = None,
    remote: Annotated[str, typer.Option(metavar="HOST:PORT,...", help="JMeter engines that carry out the test.")] = "",
    workspace: Annotated[str | None, typer.Option(help="The workspace of BlazeMeter, by name or id.")] = None,
    master_id: Annotated[int | None, typer.Option(help="The run at BlazeMeter, where its id is not --run-id.")] = None,
    sla_profile: Annotated[str | None, typer.Option(help="An id in slas.yaml; by default the only one.")] = None,
    confluence: Annotated[
        Literal["cloud", "onprem"] | None, typer.Option(help="Publish there; with --space and --parent.")
    ] = None,
    space: Annotated[str | None, typer.Option(help="The space for the report, by key or name.")] = None,
    parent: Annotated[str | None, typer.Option(help="The page above the report, by title or id.")] = None,
    from_stage: Annotated[
        StageName | None, typer.Option("--from", help="Do this stage and the next ones again.")
    ] = None,
    only_stage: Annotated[StageName | None, typer.Option("--only", help="Do this stage alone again.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on; what is done and not stale is kept.")] = False,
    workflow_id: Annotated[str | None, typer.Option(metavar="ID", help="Of several runs; made up otherwise.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Answer yes where something must be confirmed.")] = False,
    as_json: AsJson = False,
) -> None:
    """Drive runs from their results to the report and its page, stage by stage, and end with the summary."""
    from perfsuite.cli.driving.drive import drive
    from perfsuite.cli.driving.wishes import Wishes
    from perfsuite.cli.session import Consent, at_terminal

    wishes = Wishes(
        run_ids=tuple(run_id), workflow_id=workflow_id, source=source, environment=env, environment_type=env_type,
        workspace=workspace, master_id=master_id, load=_load(plan, properties, secrets, remote),
        sla_profile=sla_profile, publishing=_publishing(confluence, space, parent), from_stage=from_stage,
        only_stage=only_stage, resumes=resume,
    )  # fmt: skip
    watch = watching(as_json)
    found = drive(wishes, watch, Consent(always=yes, at_terminal=at_terminal(), clear=watch.clear))
    if as_json:
        output.print_json(found.model_dump(mode="json"))
    else:
        print_told(found)
    raise SystemExit(found.exit_code)


def watching(as_json: bool) -> "Watch":
    """Whoever watches: nobody, a log or a terminal."""
    from perfsuite.cli.driving.watching import Lines, Quiet, Screen

    if as_json:
        return Quiet()
    return Screen() if output.console().is_terminal else Lines()


def print_told(found: "Told") -> None:
    """The summary, and for each run its verdict and where to look."""
    if found.summary is not None:
        output.show_markdown(found.summary)
    for one in found.runs:
        _print_run(one)
    if found.summary_file:
        output.show(f"Summary: {found.summary_file}")
    output.show(f"{found.seconds:.0f} s; exit code {found.exit_code}: {found.meaning}")
    if found.resume:
        for one in found.runs:
            if any((stage.stage, stage.ending) == ("jmeter", "interrupted") for stage in one.stages):
                output.warn(f"The load test of run {one.run_id!r} goes on by itself, if it was started.")
        output.show(f"To go on: {found.resume}")


def _print_run(one: "RunTold") -> None:
    output.show(f"{one.run_id}: {one.verdict or one.ending}", style=_COLOURS.get(one.verdict or "", "bold"))
    for text in (one.why, one.reason):
        if text:
            output.show(text, indent=2)
    for file in one.files:
        if file.startswith("reports/") and file.endswith((".html", ".docx", ".md")):
            output.show(str(Path(one.folder) / file), indent=2)
    if one.page_url:
        output.show(one.page_url, indent=2)


def _load(plan: Path | None, properties: list[str] | None, secrets: list[str] | None, remote: str) -> "Load | None":
    from perfsuite.cli.driving.wishes import Load

    if plan is None:
        if properties or secrets or remote:
            raise BadInput("Properties and remote hosts are for a JMeter test.", next_step="Name its plan by --plan.")
        return None
    if not plan.is_file():
        raise NotFound(f"There is no plan {str(plan)!r}.", next_step="Correct the path.")
    hosts = [host for part in remote.split(",") if (host := part.strip())]
    return Load(plan.absolute(), pairs(properties, "-J"), pairs(secrets, "--secret"), hosts)


def _publishing(mode: Literal["cloud", "onprem"] | None, space: str | None, parent: str | None) -> "Publishing | None":
    from perfsuite.cli.driving.wishes import Publishing

    if mode is None and space is None and parent is None:
        return None
    if mode is None or not space or not parent:
        raise BadInput("To publish, all of --confluence, --space and --parent are needed.", next_step="Give all three.")
    return Publishing(mode, space, parent)
