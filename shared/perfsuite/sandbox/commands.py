"""`perfsuite sandbox ...`, which is also `python -m perfsuite.sandbox ...`."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from perfsuite.errors import BadInput, PerfsuiteError
from perfsuite.sandbox.shop.spec import ShopSpec

app = typer.Typer(
    help="Services on this machine that stand in for real ones.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
_WRONG_USAGE = 2


def _spec_option(name: str, **options: Any) -> Any:
    about = ShopSpec.model_fields[name].description or ""
    return typer.Option(help=f"{about[0].upper()}{about[1:]}.", **options)


def _default(name: str) -> Any:
    return ShopSpec.model_fields[name].default


@app.callback()
def _group() -> None:
    """Keep the names of the commands, however many there are."""


@app.command("up")
def up(
    results: Annotated[
        list[Path] | None,
        typer.Argument(help="Result files, one an engine, or a run folder. Without any, results are made up."),
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65_530, help="The first of six ports, 0 for any.")] = 8090,
    engines: Annotated[int, typer.Option(min=1, max=64, help="Engines between which one file is split.")] = 2,
    runs: Annotated[int, typer.Option(min=1, max=1000, help="Runs that there are already, a day apart.")] = 12,
    boot_s: Annotated[float, typer.Option(min=1, max=3600, help="Seconds until a started run has data.")] = 20,
    speed: Annotated[float, typer.Option(min=0.001, help="How much faster than time a started run goes.")] = 1,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROUTE=KIND[:KEY=VALUE,...]",
            help="Let this go wrong, as in blazemeter.summary=too_many:times=2; the control page /_routes lists all.",
        ),
    ] = None,
    keep_times: Annotated[
        bool,
        typer.Option(
            "--keep-times", help="Keep the times of the results. Without it, the newest run ended an hour ago."
        ),
    ] = False,
    clock_ahead_s: Annotated[
        float, typer.Option(min=-86_400, max=86_400, help="Seconds by which their clocks are ahead of this machine's.")
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON.")] = False,
) -> None:
    """Stand in for BlazeMeter, Datadog and Confluence, until Ctrl-C. It prints the environment that servers need."""
    import tempfile

    import anyio

    from perfsuite.sandbox.serving import until_asked_to_end
    from perfsuite.sandbox.up import Wishes, opened

    wishes = Wishes(
        tuple(results or ()), engines, runs, boot_s, speed, port, tuple(fault or ()), keep_times, clock_ahead_s
    )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="perfsuite-sandbox-") as folder, opened(wishes, Path(folder)) as found:
        anyio.run(until_asked_to_end, json.dumps(asdict(found)) if as_json else found.exports())


@app.command("shop")
def shop(
    host: Annotated[str, typer.Option(help="Address to listen on; only this machine's own are taken.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port, 0 for any.")] = 8080,
    control_port: Annotated[int, typer.Option(min=0, max=65_535, help="Port of the control pages, 0 for any.")] = 0,
    workers: Annotated[int, _spec_option("workers")] = _default("workers"),
    service_ms: Annotated[float, _spec_option("service_ms")] = _default("service_ms"),
    spread: Annotated[float, _spec_option("spread")] = _default("spread"),
    hosts: Annotated[int, _spec_option("hosts")] = _default("hosts"),
    queue_length: Annotated[int, _spec_option("queue_length")] = _default("queue_length"),
    queue_timeout_ms: Annotated[float, _spec_option("queue_timeout_ms")] = _default("queue_timeout_ms"),
    items: Annotated[int, _spec_option("items")] = _default("items"),
    memory_mb: Annotated[float, _spec_option("memory_mb")] = _default("memory_mb"),
    seed: Annotated[int, _spec_option("seed")] = _default("seed"),
    fault: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[:KEY=VALUE,...]",
            help="Let this go wrong: leak, errors, slow-host, hang or down, as in errors:rate=0.2,for_s=60.",
        ),
    ] = None,
    access_log: Annotated[Path | None, typer.Option(help="A file to which every request is added as JSON.")] = None,
) -> None:
    """Open the shop: a service of known capacity, until Ctrl-C. It prints its address as one line of JSON."""
    import anyio

    from perfsuite.sandbox.serving import Listener, serve
    from perfsuite.sandbox.shop.control import control_app, shop_app
    from perfsuite.sandbox.shop.faults import read_fault
    from perfsuite.sandbox.shop.service import Shop

    spec = ShopSpec.of(
        workers=workers, service_ms=service_ms, spread=spread, hosts=hosts, queue_length=queue_length,
        queue_timeout_ms=queue_timeout_ms, items=items, memory_mb=memory_mb, seed=seed,
    )  # fmt: skip
    opened = Shop(spec, access_log=access_log)
    for text in fault or ():
        opened.switch_on(read_fault(text))
    front, back = Listener(host, port), Listener(host, control_port)
    ready = {"service": "shop", "url": front.url, "control_url": back.url}
    anyio.run(serve, ready, (front, shop_app(opened)), (back, control_app(opened)), opened.is_down)
    opened.access_log.close()


@app.command("plan")
def plan(
    out: Annotated[Path | None, typer.Option(help="The file to write; without it, standard output.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there already.")] = False,
    host: Annotated[str, typer.Option(help="Where the shop listens, unless -Jhost says so.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Its port, unless -Jport says so.")] = 8080,
    users: Annotated[int, typer.Option(min=0, help="Users, unless -Jusers says so.")] = 5,
    duration_s: Annotated[int, typer.Option(min=1, help="Seconds, unless -Jduration says so.")] = 60,
    think_ms: Annotated[int, typer.Option(min=0, help="Think time before each step, unless -Jthink_ms says so.")] = 200,
) -> None:
    """Write the JMeter plan that drives the shop."""
    from perfsuite.artifacts.atomic import replacing
    from perfsuite.sandbox.plan import PlanDefaults, shop_plan

    content = shop_plan(PlanDefaults(host=host, port=port, users=users, duration_s=duration_s, think_ms=think_ms))
    if out is None:
        sys.stdout.buffer.write(content)
        return
    if out.exists() and not force:
        raise BadInput(f"There is a file {str(out)!r} already.", next_step="Name another one, or add --force.")
    with replacing(out, shown_as=str(out)) as path:
        path.write_bytes(content)


def main() -> None:
    """The entry point of `python -m perfsuite.sandbox`."""
    try:
        app()
    except PerfsuiteError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(_WRONG_USAGE) from None
