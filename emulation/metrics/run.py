"""One run of an emulation: what was emulated, and the folder that holds what was measured."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar

import psutil

from emulation.errors import EmulationError
from emulation.metrics.merge import Ties, merge
from emulation.metrics.recorder import Recorder
from emulation.topology import Broker, Network, Node, Topology

T = TypeVar("T")


class NotARun(EmulationError):
    """A folder holds no run of an emulation."""


@dataclass(frozen=True, slots=True)
class NetworkFigures:
    """A network as it was asked for; `changes` are seconds after the start, and what changes then."""

    name: str
    latency_ms: float = 0.0
    jitter_ms: float = 0.0
    rate_kbit: float | None = None
    uplink_rate_kbit: float | None = None
    downlink_rate_kbit: float | None = None
    loss_percent: float = 0.0
    is_shared: bool = True
    conditions: str = ""
    changes: tuple[tuple[float, str], ...] = ()


@dataclass(frozen=True, slots=True)
class NodeFigures:
    """A node or a broker, and its replicas."""

    name: str
    replicas: tuple[str, ...]
    networks: tuple[str, ...]
    app: str = ""
    protocols: tuple[str, ...] = ()
    broker: str = ""
    cpu_cores: float | None = None
    memory_bytes: int | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    is_broker: bool = False


@dataclass(frozen=True, slots=True)
class RunDescription:
    """What a report says of a run besides what was measured.

    `mechanism` is how networks, limits and namespaces were made, in words; `seconds` how long it ran.
    """

    name: str
    started_at: float
    seconds: float
    backend: str
    mechanism: tuple[str, ...] = ()
    networks: tuple[NetworkFigures, ...] = ()
    nodes: tuple[NodeFigures, ...] = ()
    seed: int = 0
    host: str = field(default_factory=platform.node)
    cores: int = field(default_factory=lambda: len(os.sched_getaffinity(0)))
    memory_bytes: int = field(default_factory=lambda: psutil.virtual_memory().total)

    @classmethod
    def of(
        cls,
        topology: Topology,
        *,
        started_at: float,
        seconds: float,
        backend: str,
        mechanism: Sequence[str] = (),
    ) -> "RunDescription":
        return cls(
            topology.name,
            started_at,
            seconds,
            backend,
            tuple(mechanism),
            tuple(map(_of_network, topology.networks)),
            (*map(_of_node, topology.nodes), *map(_of_broker, topology.brokers)),
            topology.seed,
        )

    def lasting(self, seconds: float) -> "RunDescription":
        """The same, when it is known how long it ran."""
        return replace(self, seconds=seconds)


class RunFolder:
    """`run.json`, `metrics/<replica>.sqlite`, and what is made of them: `run.sqlite`, `report.html`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.metrics_path = path / "metrics"
        self.merged_path = path / "run.sqlite"
        self.report_path = path / "report.html"

    def make(self) -> None:
        """Make the folder, without what an earlier run has left there."""
        self.metrics_path.mkdir(parents=True, exist_ok=True)
        for file in (*self.metrics_path.glob("*.sqlite*"), self.merged_path, self.report_path):
            file.unlink(missing_ok=True)

    def recorder(self, replica: str) -> Recorder:
        """Who keeps the records of a replica; the runner and the switch have one under their names."""
        return Recorder(self.metrics_path / f"{replica}.sqlite", replica)

    def write(self, description: RunDescription) -> None:
        text = json.dumps(asdict(description), indent=2)
        (self.path / "run.json").write_text(f"{text}\n")

    def read(self) -> RunDescription:
        """Raises NotARun."""
        try:
            document = json.loads((self.path / "run.json").read_text())
            document["networks"] = tuple(
                _made(NetworkFigures, each) for each in document["networks"]
            )
            document["nodes"] = tuple(_made(NodeFigures, each) for each in document["nodes"])
            return _made(RunDescription, document)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise NotARun(f"{self.path} holds no run of an emulation: {error}") from error

    def merge(self) -> Ties:
        """Bring all that was recorded together in `run.sqlite`."""
        return merge(self.metrics_path.glob("*.sqlite"), self.merged_path)


def _made(kind: type[T], document: dict[str, Any]) -> T:
    """Members that a later version has added are passed over."""
    known = {each.name for each in fields(kind)}  # type: ignore[arg-type] # all are dataclasses
    return kind(**{name: _frozen(value) for name, value in document.items() if name in known})


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def _of_network(network: Network) -> NetworkFigures:
    link = network.effective_link
    changes = tuple((change.at_seconds, _in_words(change.values())) for change in link.schedule)
    return NetworkFigures(
        network.name,
        link.latency_ms,
        link.jitter_ms,
        link.rate_kbit,
        link.uplink_rate_kbit,
        link.downlink_rate_kbit,
        link.loss_percent,
        link.is_shared,
        network.conditions.value if network.conditions else "",
        changes,
    )


def _in_words(values: Mapping[str, Any]) -> str:
    words = {True: "up", False: "down"}
    return ", ".join(
        words[value] if name == "is_up" else f"{name} {value:g}" for name, value in values.items()
    )


def _of_node(node: Node) -> NodeFigures:
    app, resources = node.app, node.resources
    return NodeFigures(
        node.name,
        node.replicas,
        tuple(network.name for network in node.networks),
        app.path or "servient",
        app.protocols,
        node.broker.name if node.broker else "",
        resources.cpu_cores if resources else None,
        resources.memory_bytes if resources else None,
        app.text_params,
    )


def _of_broker(broker: Broker) -> NodeFigures:
    networks = tuple(network.name for network in broker.networks)
    return NodeFigures(broker.name, (broker.name,), networks, "MQTT broker", is_broker=True)
