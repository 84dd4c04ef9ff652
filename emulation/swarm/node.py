"""One replica in its container: shaped, measured, and its metrics sent to the collector."""

import asyncio
import contextlib
import logging
import os
import sqlite3
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from emulation.embedded.provision import provide
from emulation.errors import EmulationError, InvalidTopology
from emulation.metrics.recorder import Recorder
from emulation.metrics.records import State, StateRecord, TrafficRecord
from emulation.metrics.sampler import Sampler
from emulation.node.replica import Replica, run_replica
from emulation.swarm.collector import upload
from emulation.swarm.shaping import find_interface, link_of, shape
from emulation.topology import Broker, Network, Node, Topology
from emulation.topology.load import load_topology

logger = logging.getLogger(__name__)

UPLOAD_SECONDS = 10.0
COUNT_SECONDS = 1.0
INTERFACES = Path("/proc/self/net/dev")


@dataclass(frozen=True, slots=True)
class Task:
    """What Swarm tells a container by its environment."""

    slot: int
    collector: str
    token: str

    @classmethod
    def of_environment(cls) -> "Task":
        """Raises EmulationError."""
        try:
            slot = int(os.environ["EMULATION_SLOT"])
            return cls(slot, os.environ["EMULATION_COLLECTOR"], os.environ["EMULATION_TOKEN"])
        except (KeyError, ValueError) as error:
            raise EmulationError(
                f"this is no container of an emulation's stack: {error}"
            ) from error


class _Log:
    """Whoever runs a stack reads the containers' logs."""

    def say(self, kind: str, **content: Any) -> None:
        if kind != "figures":
            logger.info("%s %s", kind, content)


def run_node(file: Path, name: str, task: Task) -> None:
    """Be a replica of the node or broker `name` until SIGTERM. Raises EmulationError."""
    topology = load_topology(file)
    kinds: Sequence[Node | Broker] = (*topology.nodes, *topology.brokers)
    kind = next((each for each in kinds if each.name == name), None)
    if kind is None:
        raise InvalidTopology(f"{file} has no node or broker {name}")
    replica_name = name if task.slot == 1 else f"{name}-{task.slot}"
    work = Path(tempfile.mkdtemp(prefix="emulation-"))
    kind = asyncio.run(_provided(topology, kind, file.parent, work))
    metrics = work / f"{replica_name}.sqlite"
    hosts = tuple(f"{name}.{network.name}" for network in kind.networks)
    seed = f"{topology.seed}/{replica_name}"
    replica = Replica(replica_name, kind, hosts, topology.ports, file.parent, work, metrics, seed)
    with _Side(replica, kind, task):
        run_replica(replica, _Log())


async def _provided(
    topology: Topology, kind: Node | Broker, base: Path, work: Path
) -> Node | Broker:
    if isinstance(kind, Broker):
        return kind
    one = await provide(replace(topology, nodes=(kind,)), base, work)
    return one.nodes[0]


class _Side:
    """What is done beside the replica, on a thread with a loop of its own: busy programs do not delay it."""

    def __init__(self, replica: Replica, kind: Node | Broker, task: Task) -> None:
        self._replica = replica
        self._kind = kind
        self._task = task
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="beside", daemon=True)
        self._work: asyncio.Task[None]
        self._is_shaped = threading.Event()
        self._failure: BaseException | None = None
        self._begun_at = int(time.time())
        file = replica.folder / f"{replica.name}.side.sqlite"
        self._recorder = Recorder(file, replica.name)
        self._file = file

    def __enter__(self) -> None:
        """Returns when the networks are as they should be. Raises CannotShape."""
        self._thread.start()
        self._is_shaped.wait()
        if self._failure is not None:
            raise self._failure
        self._note(State.STARTED)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: object
    ) -> None:
        self._note(State.CRASHED if error else State.ENDED, repr(error)[:300] if error else "")
        self._loop.call_soon_threadsafe(self._work.cancel)
        self._thread.join()
        self._recorder.close()
        asyncio.run(self._upload())

    def _note(self, state: State, detail: str = "") -> None:
        self._recorder.record(StateRecord(self._replica.name, time.time(), state, detail))

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._work = self._loop.create_task(self._beside(), name="beside")
        with contextlib.suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._work)

    async def _beside(self) -> None:
        try:
            interfaces = await self._shaped()
        except (EmulationError, OSError, TimeoutError) as error:
            self._failure = error
            return
        finally:
            self._is_shaped.set()
        async with Sampler(self._recorder) as sampler, asyncio.TaskGroup() as group:
            sampler.add(self._replica.name, os.getpid())
            group.create_task(self._count(interfaces), name="count")
            group.create_task(self._send(), name="send")
            for network, interface in interfaces.items():
                link = self._link(network)
                if link.schedule:
                    group.create_task(shape(interface, link), name=f"shape {interface}")

    def _link(self, network: Network) -> Any:
        return link_of(network, self._kind if isinstance(self._kind, Node) else None)

    async def _shaped(self) -> dict[Network, str]:
        found = {}
        for network in self._kind.networks:
            interface = await find_interface(f"{self._kind.name}.{network.name}")
            await shape(interface, self._link(network).at(0))
            found[network] = interface
        return found

    async def _count(self, interfaces: dict[Network, str]) -> None:
        """What this replica sends; whom to and by which protocol, its interface does not tell."""
        before = {network: _sent(interface) for network, interface in interfaces.items()}
        while True:
            await asyncio.sleep(COUNT_SECONDS)
            for network, interface in interfaces.items():
                now = _sent(interface)
                packets, size, dropped = (a - b for a, b in zip(now, before[network], strict=True))
                before[network] = now
                names = (network.name, self._replica.name, network.name, "any")
                if packets or dropped:
                    self._recorder.record(
                        TrafficRecord(time.time(), *names, packets, size, dropped, "interface")
                    )

    async def _send(self) -> None:
        """Now and then, since a container may be killed."""
        while True:
            await asyncio.sleep(UPLOAD_SECONDS)
            await self._upload()

    async def _upload(self) -> None:
        for file in (self._replica.metrics, self._file):
            if not file.is_file():
                continue
            copy = file.with_suffix(".copy")
            await asyncio.to_thread(_copied, file, copy)
            try:
                # One that starts again must not replace what the one before has sent.
                side = "-side" if file == self._file else ""
                name = f"{self._replica.name}-{self._begun_at}{side}"
                await upload(copy, name, self._task.collector, self._task.token)
            except httpx.HTTPError as error:
                logger.warning("the collector does not take %s: %r", file.name, error)


def _copied(file: Path, copy: Path) -> None:
    """A file as it is at one moment, without what is beside it."""
    copy.unlink(missing_ok=True)
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)


def _sent(interface: str) -> tuple[int, int, int]:
    """Packets, bytes and drops; by /proc, since /sys may be that of another network space."""
    for line in INTERFACES.read_text().splitlines():
        name, colon, figures = line.partition(":")
        if colon and name.strip() == interface:
            packets, size, dropped = (int(figures.split()[place]) for place in (9, 8, 11))
            return packets, size, dropped
    raise EmulationError(f"the interface {interface} is gone")
