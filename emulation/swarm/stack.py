"""A topology as a stack file: Compose's format, with what Swarm makes of it.

https://github.com/compose-spec/compose-spec and `docker stack deploy`. Names are resolved to the
addresses of replicas (`dnsrr`): virtual addresses need IPVS in the kernel. Nodes shape the traffic
that they send themselves, for which they need NET_ADMIN and nothing else; nobody sees Docker's socket.
"""

import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from emulation.errors import InvalidTopology
from emulation.swarm.files import Shipped, find_files
from emulation.topology import Broker, Network, Node, Service, Topology
from emulation.topology.node import RestartPolicy, parse_memory
from servient.version import VERSION

FORMAT = "3.8"
IMAGE = f"wasm-servient-node:{VERSION}"
COLLECTOR = "collector"
METRICS = "metrics"
COLLECTOR_PORT = 8899
RESULTS = PurePosixPath("/results")
GRACE_SECONDS = 30
RESTARTS = {
    RestartPolicy.ALWAYS: "any",
    RestartPolicy.ON_FAILURE: "on-failure",
    RestartPolicy.NEVER: "none",
}


@dataclass(frozen=True, slots=True)
class StackOptions:
    """The image of nodes that name none; the word by which nodes know their collector, and it them."""

    image: str = IMAGE
    token: str = ""


def write_stack(topology: Topology, file: Path, out: Path, image: str = IMAGE) -> None:
    """Write the stack file of a topology that is described in `file`. Raises InvalidTopology."""
    options = StackOptions(image, secrets.token_urlsafe(24))
    document = to_stack(topology, find_files(topology, file), out.parent, options)
    head = f"# docker stack deploy -c {out.name} {topology.name}\n"
    out.write_text(head + yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    out.chmod(0o600)  # it holds the collector's token


def to_stack(
    topology: Topology, files: Sequence[Shipped], folder: Path, options: StackOptions
) -> dict[str, Any]:
    """The document; `folder` is where it will lie. Raises InvalidTopology."""
    names = {node.name for node in topology.nodes} | {each.name for each in topology.brokers}
    if COLLECTOR in names or METRICS in {network.name for network in topology.networks}:
        raise InvalidTopology(f"{COLLECTOR} and {METRICS} are names of the emulation's own")
    made = _Stack(topology, files, folder, options)
    services = {broker.name: made.broker(broker) for broker in topology.brokers}
    services |= {node.name: made.node(node) for node in topology.nodes}
    services |= {service.name: made.service(service) for service in topology.services}
    return {
        "version": FORMAT,
        "services": {COLLECTOR: made.collector(), **services},
        "networks": {
            METRICS: {"driver": "overlay", "internal": True},
            **{network.name: made.network(network) for network in topology.networks},
        },
        "configs": {
            _config_name(index): {"file": os.path.relpath(shipped.source, folder.resolve())}
            for index, shipped in enumerate(files)
        },
    }


@dataclass(frozen=True, slots=True)
class _Stack:
    """What the services of one stack have in common."""

    topology: Topology
    files: Sequence[Shipped]
    folder: Path
    options: StackOptions

    def node(self, node: Node) -> dict[str, Any]:
        resources = _resources(node)
        own: dict[str, Any] = self._replicated(node.name, node.networks)
        own["image"] = node.image or self.options.image
        own["deploy"] |= {
            "replicas": node.scale,
            "restart_policy": {"condition": RESTARTS[node.restart], "delay": "2s"},
            **({"resources": resources} if resources else {}),
        }
        return _merged(own, node.args_compose or {})

    def broker(self, broker: Broker) -> dict[str, Any]:
        own = self._replicated(broker.name, broker.networks)
        own["image"] = self.options.image
        own["deploy"] |= {"replicas": 1, "restart_policy": {"condition": "any", "delay": "2s"}}
        return _merged(own, broker.args_compose or {})

    def service(self, service: Service) -> dict[str, Any]:
        nodes = [node for node in self.topology.nodes if service in node.services]
        networks = dict.fromkeys(network.name for node in nodes for network in node.networks)
        own: dict[str, Any] = {
            "image": service.image,
            "networks": {name: {"aliases": [f"{service.name}.{name}"]} for name in networks},
            "deploy": {"endpoint_mode": "dnsrr"},
        }
        return _merged(own, service.options)

    def collector(self) -> dict[str, Any]:
        """On a manager, where its results can be taken from; nothing of it is published."""
        return {
            "image": self.options.image,
            "command": ["emulate", "collect", str(RESULTS), "--port", str(COLLECTOR_PORT)],
            "init": True,
            "environment": {"EMULATION_TOKEN": self.options.token},
            "cap_drop": ["ALL"],
            "networks": {METRICS: {"aliases": [COLLECTOR]}},
            "deploy": {
                "endpoint_mode": "dnsrr",
                "placement": {"constraints": ["node.role == manager"]},
            },
        }

    def network(self, network: Network) -> dict[str, Any]:
        """Of this stack alone: Swarm puts the stack's name before it."""
        return _merged({"driver": "overlay"}, network.args_compose_net or {})

    def _replicated(self, name: str, networks: Sequence[Network]) -> dict[str, Any]:
        topology_file = str(self.files[0].target)
        return {
            "image": "",
            "command": ["emulate", "node", topology_file, name],
            "init": True,
            "hostname": f"{name}-{{{{.Task.Slot}}}}",
            "environment": {
                "EMULATION_SLOT": "{{.Task.Slot}}",
                "EMULATION_COLLECTOR": f"http://{COLLECTOR}:{COLLECTOR_PORT}",
                "EMULATION_TOKEN": self.options.token,
            },
            "cap_drop": ["ALL"],
            "cap_add": ["NET_ADMIN"],
            "stop_grace_period": f"{GRACE_SECONDS}s",
            "networks": {
                METRICS: {},
                **{each.name: {"aliases": [f"{name}.{each.name}"]} for each in networks},
            },
            "configs": [
                {"source": _config_name(index), "target": str(shipped.target)}
                for index, shipped in enumerate(self.files)
            ],
            "deploy": {"endpoint_mode": "dnsrr"},
        }


def _config_name(index: int) -> str:
    return f"file_{index}"


def _resources(node: Node) -> dict[str, Any]:
    given = node.resources
    if given is None:
        return {}
    if given.target_cpu_speed:
        raise InvalidTopology(f"{node.name}: Swarm knows no target_cpu_speed; give a cpu_limit")
    found = {
        "limits": _amounts(given.cpu_limit, given.mem_limit),
        "reservations": _amounts(given.cpu_reservation, given.mem_reservation),
    }
    return {name: amounts for name, amounts in found.items() if amounts}


def _amounts(cpu: float | str | None, memory: str | int | None) -> dict[str, str]:
    count = parse_memory(memory)
    found = {"cpus": str(cpu) if cpu else None, "memory": f"{count}b" if count else None}
    return {name: text for name, text in found.items() if text is not None}


def _merged(own: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """What users add to the file: mappings are put together, all else is replaced."""
    result = dict(own)
    for name, value in given.items():
        before = result.get(name)
        is_deeper = isinstance(before, Mapping) and isinstance(value, Mapping)
        result[name] = _merged(before, value) if is_deeper else value  # type: ignore[arg-type] # just seen
    return result
