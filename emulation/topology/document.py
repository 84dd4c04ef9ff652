"""A topology as a document: in JSON or YAML, by the schema that is published beside this file."""

import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

import jsonschema

from emulation.errors import InvalidTopology
from emulation.topology.apps import BuiltinApps, NodeApp, ServientApp
from emulation.topology.conditions import LinkConditions, NetworkConditions
from emulation.topology.link import Change, Link
from emulation.topology.network import Network
from emulation.topology.node import Node, NodeResources
from emulation.topology.services import Broker, Service
from emulation.topology.topology import Topology, TopologyPorts

SCHEMA_FILE = "topology.schema.json"


def load_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of documents."""
    text = resources.files("emulation.topology").joinpath(SCHEMA_FILE).read_text()
    schema: dict[str, Any] = json.loads(text)
    return schema


def parse_topology(document: Any, name: str = "emulation") -> Topology:
    """Raises InvalidTopology, saying where the document is wrong."""
    validator = jsonschema.Draft202012Validator(load_schema())
    error = jsonschema.exceptions.best_match(validator.iter_errors(document))
    if error is not None:
        where = "/".join(map(str, error.absolute_path)) or "the document"
        raise InvalidTopology(f"{where}: {error.message[:300]}")
    networks = {n: _network(n, value) for n, value in document["networks"].items()}
    brokers = {
        n: Broker(n, [_find(networks, "network", one) for one in value["networks"]])
        for n, value in document.get("brokers", {}).items()
    }
    services = {n: Service(n, **value) for n, value in document.get("services", {}).items()}
    nodes = [_node(n, value, networks, brokers, services) for n, value in document["nodes"].items()]
    return Topology(
        nodes,
        ports=TopologyPorts(**document.get("ports", {})),
        brokers=list(brokers.values()),
        seed=document.get("seed", 0),
        name=document.get("name", name),
    )


def _find(items: Mapping[str, Any], kind: str, name: str) -> Any:
    if name not in items:
        raise InvalidTopology(f"there is no {kind} {name!r}")
    return items[name]


def _network(name: str, value: Mapping[str, Any]) -> Network:
    conditions = value.get("conditions")
    link = _link(value["link"]) if "link" in value else None
    return Network(name, value.get("netem", ()), _conditions(conditions), link)


def _conditions(name: str | None) -> NetworkConditions | LinkConditions | None:
    if name is None:
        return None
    if name in NetworkConditions.__members__:
        return NetworkConditions[name]
    return LinkConditions[name]


def _link(value: Mapping[str, Any]) -> Link:
    schedule = tuple(Change(**change) for change in value.get("schedule", ()))
    return Link(**{**value, "schedule": schedule})


def _node(
    name: str,
    value: Mapping[str, Any],
    networks: Mapping[str, Network],
    brokers: Mapping[str, Broker],
    services: Mapping[str, Service],
) -> Node:
    broker, broker_network = value.get("broker"), value.get("broker_network")
    resources = value.get("resources")
    return Node(
        name,
        _app(value["app"]),
        [_find(networks, "network", one) for one in value["networks"]],
        broker=_find(brokers, "broker", broker) if broker else None,
        broker_network=_find(networks, "network", broker_network) if broker_network else None,
        image=value.get("image"),
        resources=NodeResources(**resources) if resources else None,
        scale=value.get("scale", 1),
        services=[_find(services, "service", one) for one in value.get("services", ())],
        links={one: _link(link) for one, link in value.get("links", {}).items()},
        args_compose={"environment": value["environment"]} if "environment" in value else None,
        restart=value.get("restart", "always"),
    )


def _app(value: Mapping[str, Any]) -> NodeApp:
    members = dict(value)
    path = members.pop("path", None)
    if builtin := members.pop("builtin", None):
        path = BuiltinApps[builtin].value
    servient = members.pop("servient", None)
    if servient is not None:
        servient = ServientApp(
            **(servient if isinstance(servient, dict) else {"deploys": servient})
        )
    return NodeApp(path, servient=servient, **members)
