"""One replica's process, from the moment that it is in its network."""

import asyncio
import contextlib
import logging
import os
import random
import signal
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, Protocol

import uvloop

from emulation.metrics.measured import measure, witness_interactions
from emulation.node.application import load_application
from emulation.node.broker import run_broker
from emulation.node.conf import make_conf
from emulation.node.old_programs import CompatibleWot
from emulation.node.servients import EVERYWHERE, Where, program_servient, wasm_servient
from emulation.node.tally import Tally
from emulation.topology.node import Node
from emulation.topology.services import Broker
from emulation.topology.topology import TopologyPorts

logger = logging.getLogger(__name__)

FIGURES_SECONDS = 1.0


class Speaks(Protocol):
    """Tells whoever runs the emulation."""

    def say(self, kind: str, **content: Any) -> None: ...


@dataclass(frozen=True, slots=True)
class Replica:
    """What a process needs to know to be a replica."""

    name: str
    kind: Node | Broker
    hosts: tuple[str, ...]
    ports: TopologyPorts
    base: Path
    folder: Path
    metrics: Path
    seed: str
    address: str = EVERYWHERE
    """What its servers listen on."""
    leaves_at_once: bool = False
    """Whether the process is nothing but this replica, and may end without returning."""
    resolves_by_python: bool = False
    """Whether names have to be asked of Python's `socket`, which uvloop does not."""


def run_replica(replica: Replica, speaker: Speaks) -> None:
    """Be this replica until SIGTERM. Raises what its application raises."""
    logging.basicConfig(
        level=logging.INFO,
        stream=sys.stderr,
        format="%(created).3f %(levelname)s %(name)s: %(message)s",
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)
    random.seed(replica.seed)
    loops = asyncio.new_event_loop if replica.resolves_by_python else uvloop.new_event_loop
    with asyncio.Runner(loop_factory=loops) as runner:
        runner.run(_until_terminated(replica, speaker))


async def _until_terminated(replica: Replica, speaker: Speaks) -> None:
    with contextlib.suppress(asyncio.CancelledError):
        if isinstance(replica.kind, Broker):
            await _be_broker(replica, speaker)
        else:
            await _be_node(replica, replica.kind, speaker)


def _on_termination(act: Callable[[], object]) -> None:
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, act)


def _cancel_this_task() -> Callable[[], object]:
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - called in one
    return task.cancel


async def _be_broker(replica: Replica, speaker: Speaks) -> None:
    _on_termination(_cancel_this_task())
    await run_broker(
        replica.address, replica.ports.mqtt, replica.folder, lambda: _tell_ready(replica, speaker)
    )


async def _be_node(replica: Replica, node: Node, speaker: Speaks) -> None:
    cancel = _cancel_this_task()
    with Tally(replica.metrics, replica.name) as recorder:

        def end() -> None:
            recorder.end()  # first: what the end cuts off did not fail
            cancel()

        _on_termination(end)
        telling = asyncio.create_task(_tell_figures(replica, recorder, speaker), name="figures")
        try:
            await _run_node(replica, node, recorder, speaker)
        finally:
            telling.cancel()


async def _run_node(replica: Replica, node: Node, recorder: Tally, speaker: Speaks) -> None:
    conf = make_conf(replica.ports, node)
    os.environ.update(node.environment | conf.environment())
    async with _served(replica, node, recorder) as wot:
        _tell_ready(replica, speaker)
        try:
            if node.app.path is not None:
                app = load_application(node.app.path, replica.base)
                loop = asyncio.get_running_loop()
                await app(CompatibleWot(wot), conf, loop, **node.app.text_params)
            # Some applications only produce their Things, and return.
            if not recorder.is_over:
                await asyncio.Event().wait()
        finally:
            if recorder.is_over and replica.leaves_at_once:
                _leave(recorder)


def _leave(recorder: Tally) -> NoReturn:
    """End this process with what was measured kept, and without taking the servient down in order.

    Its sockets close all the same, and thirty replicas that did would take seconds.
    """
    recorder.close()
    logging.shutdown()
    sys.stdout.flush()
    os._exit(0)


@contextlib.asynccontextmanager
async def _served(replica: Replica, node: Node, recorder: Tally) -> AsyncIterator[Any]:
    """The measured entry point of a servient that is running."""
    where = Where(replica.hosts[0], replica.address, replica.ports)
    if node.app.servient is None:
        async with program_servient(where, node) as wot:
            yield measure(wot, recorder)
        return
    async with wasm_servient(replica.name, where, node, replica.folder) as (app, wot):
        witness_interactions(app.servient, recorder)
        yield measure(wot, recorder)


def _tell_ready(replica: Replica, speaker: Speaks) -> None:
    speaker.say("ready", replica=replica.name)


async def _tell_figures(replica: Replica, recorder: Tally, speaker: Speaks) -> None:
    while True:
        await asyncio.sleep(FIGURES_SECONDS)
        speaker.say("figures", replica=replica.name, **recorder.figures())
