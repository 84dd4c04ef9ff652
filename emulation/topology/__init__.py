"""The description of an emulation, under the names that users of WoTemu know."""

from emulation.topology.apps import BuiltinApps, NodeApp, ServientApp
from emulation.topology.conditions import LinkConditions, NetworkConditions
from emulation.topology.link import Change, Jitter, Link
from emulation.topology.network import Network
from emulation.topology.node import Node, NodeResources, RestartPolicy
from emulation.topology.services import Broker, Service
from emulation.topology.topology import (
    Topology,
    TopologyDockerProxy,
    TopologyPorts,
    TopologyRedis,
)

__all__ = [
    "Broker",
    "BuiltinApps",
    "Change",
    "Jitter",
    "Link",
    "LinkConditions",
    "Network",
    "NetworkConditions",
    "Node",
    "NodeApp",
    "NodeResources",
    "RestartPolicy",
    "Service",
    "ServientApp",
    "Topology",
    "TopologyDockerProxy",
    "TopologyPorts",
    "TopologyRedis",
]
