"""Settings become a running servient, which serves until it is told to stop."""

import asyncio
import gc
import json
import os
import resource
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer
import uvloop

from servient.cli.output import fail
from servient.config import Config, ConfigError, is_journal, load_config, service_manager
from servient.telemetry.children import end_children
from servient.telemetry.log import start_log
from servient.telemetry.supervision import Manager, Supervision

DESCRIPTORS = 16_384


def serve(config: Path | None, arguments: Mapping[str, Any], *, as_json: bool) -> None:
    """Run a servient with the settings of a file and of `arguments`; None there is not given."""
    try:
        settings = load_config(config, **arguments)
    except ConfigError as error:
        fail(str(error), code=2)
    start_log(settings.log_level, settings.log_format, is_journal=is_journal(sys.stderr.fileno()))
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
    # Here, since it imports every engine and protocol: a wrong setting is told of without them.
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
