"""`run`: arguments become settings, settings become a running servient."""

import asyncio
import gc
import json
import logging
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from servient.cli.output import fail
from servient.config import Config, ConfigError, load_config, service_manager
from servient.telemetry.children import end_children
from servient.telemetry.supervision import Manager, Supervision

DESCRIPTORS = 16_384


def run(
    config: Annotated[Path | None, typer.Option(help="A TOML file with settings.")] = None,
    name: Annotated[str | None, typer.Option(help="The servient's name.")] = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    public_host: Annotated[
        str | None, typer.Option(help="The name or address that consumers reach this machine by.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="The TCP port of HTTP; 0 takes a free one.")
    ] = None,
    websocket_port: Annotated[int | None, typer.Option(help="The TCP port of WebSockets.")] = None,
    coap_port: Annotated[int | None, typer.Option(help="The UDP port of CoAP.")] = None,
    mqtt_broker: Annotated[
        str | None, typer.Option(help="mqtt://host:port; by default a private broker.")
    ] = None,
    mqtt_port: Annotated[int | None, typer.Option(help="The private broker's TCP port.")] = None,
    bindings: Annotated[
        str | None, typer.Option(help="The protocols to speak, e.g. http,coap.")
    ] = None,
    instance_path: Annotated[Path | None, typer.Option(help="The folder for what is kept.")] = None,
    insecure: Annotated[
        bool | None, typer.Option("--insecure", help="Listen beyond this machine, to everybody.")
    ] = None,
    orchestrator_url: Annotated[
        str | None, typer.Option(help="The orchestrator to register with, as http://host:port.")
    ] = None,
    announce: Annotated[
        bool | None,
        typer.Option(help="Announce by multicast DNS; by default when reached from beyond."),
    ] = None,
    withdraw_on_stop: Annotated[
        bool | None,
        typer.Option(
            "--withdraw-on-stop", help="When stopping, have orchestrators forget this servient."
        ),
    ] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the addresses as one line of JSON when ready.")
    ] = False,
) -> None:
    """Run a servient until it is told to stop (SIGINT or SIGTERM)."""
    arguments = {key: value for key, value in locals().items() if key not in ("config", "as_json")}
    try:
        settings = load_config(config, **arguments)
    except ConfigError as error:
        fail(str(error), code=2)
    logging.basicConfig(
        level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    # Each fetched file in a line of its own is more than an operator wants to read.
    logging.getLogger("httpx").setLevel(max(logging.WARNING, logging.getLogger().level))
    _allow_descriptors()
    try:
        _run_until_stopped(settings, as_json)
    except ConfigError as error:
        fail(str(error), code=2)
    except OSError as error:
        fail(f"cannot start: {error.strerror or error}")


def _run_until_stopped(settings: Config, as_json: bool) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, as_json))


async def _serve(settings: Config, as_json: bool) -> None:
    # What is imported stays: to look through it for garbage would make the start a quarter longer, and
    # each later look slower.
    gc.disable()
    # Here, since it imports every engine and protocol: other commands answer without them.
    from servient.app import App  # noqa: PLC0415

    gc.freeze()
    gc.enable()
    stop = _stop_on_signals()
    async with App(settings) as app, Supervision(Manager(*service_manager())) as supervision:
        addresses = app.addresses()
        if as_json:
            typer.echo(json.dumps(addresses))
        else:
            for protocol, address in addresses.items():
                typer.echo(f"{protocol:>9}  {address}")
            typer.echo("Stop with Ctrl-C.")
        sys.stdout.flush()
        await stop.wait()
        supervision.stopping()
        await app.drain()


def _stop_on_signals() -> asyncio.Event:
    """Set by the first signal. At the second the process ends at once, and what it started with it."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def hear(number: int) -> None:
        if stop.is_set():
            # What is acknowledged is on disk: this is as a crash, which loses nothing of it.
            end_children()
            os._exit(128 + number)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, hear, number)
    return stop


def _allow_descriptors() -> None:
    """Each connection takes one; what the machine allows at most is often far above what it begins with."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
