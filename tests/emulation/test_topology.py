"""Topologies in Python, in JSON and in YAML; what is wrong with one is said."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulation.embedded.plan import make_plan
from emulation.errors import InvalidTopology
from emulation.topology import (
    Broker,
    BuiltinApps,
    Change,
    Link,
    LinkConditions,
    Network,
    NetworkConditions,
    Node,
    NodeApp,
    NodeResources,
    Service,
    Topology,
)
from emulation.topology.conditions import CONDITIONS
from emulation.topology.document import load_schema, parse_topology
from emulation.topology.load import load_topology
from emulation.topology.node import parse_memory

DOCUMENT: dict[str, Any] = {
    "name": "field",
    "seed": 7,
    "ports": {"http": 8080},
    "networks": {
        "field": {"conditions": "NB_IOT"},
        "cloud": {"link": {"latency_ms": 5, "schedule": [{"at_seconds": 3, "is_up": False}]}},
        "old": {"netem": ["delay --time 15 --jitter 10", "rate --rate 1.5mbit"]},
    },
    "brokers": {"broker": {"networks": ["cloud"]}},
    "services": {"mongo": {"image": "mongo:4", "command": ["mongod"]}},
    "nodes": {
        "sensor": {
            "app": {"builtin": "CLOCK", "coap": True, "mqtt": True, "params": {"interval": 1}},
            "networks": ["field", "cloud"],
            "broker": "broker",
            "scale": 3,
            "resources": {"mem_limit": "100M", "cpu_limit": 0.5},
            "links": {"cloud": {"latency_ms": 1, "is_shared": False, "uplink_rate_kbit": 100}},
        },
        "runner": {
            "app": {"servient": ["module.wasm"], "http": True},
            "networks": ["cloud"],
            "services": ["mongo"],
            "restart": "never",
        },
    },
}


def test_the_presets() -> None:
    asked = {
        name: (link.latency_ms, link.jitter_ms, link.rate_kbit)
        for name, link in CONDITIONS.items()
        if isinstance(name, NetworkConditions)
    }
    assert asked == {
        "GPRS": (700, 100, 50),
        "EDGE": (700, 100, 100),
        "REGULAR_3G": (300, 150, 1500),
        "FAST_3G": (150, 50, 4000),
        "LTE": (40, 10, 15_000),
        "WIFI": (25, 5, 50_000),
        "CABLE": (5, 5, 100_000),
    }
    assert set(LinkConditions) < set(CONDITIONS)


def test_a_python_file(tmp_path: Path) -> None:
    file = tmp_path / "quick.py"
    file.write_text(
        "from emulation.topology import *\n"
        "def topology():\n"
        "    net = Network(name='3g', conditions=NetworkConditions.REGULAR_3G)\n"
        "    server = Node(name='server', app=NodeApp(path='x.py', http=True),"
        " networks=[net], scale=1)\n"
        "    host = '{}.{}'.format(server.name, net.name)\n"
        "    app = NodeApp(path=BuiltinApps.READER, params={'servient_host': host})\n"
        "    resources = NodeResources(mem_limit='150M')\n"
        "    reader = Node(name='reader', app=app, networks=[net], resources=resources, scale=4)\n"
        "    return Topology(nodes=[server, reader])\n"
    )
    topology = load_topology(file)
    server, reader = topology.nodes
    assert reader.replicas == ("reader", "reader-2", "reader-3", "reader-4")
    assert reader.app.params == {"servient_host": "server.3g"}
    assert reader.resources is not None
    assert reader.resources.memory_bytes == 150 * 2**20
    assert server.networks == topology.networks
    assert topology.networks[0].effective_link.rate_kbit == 1500


def test_a_document() -> None:
    topology = parse_topology(DOCUMENT)
    sensor, runner = topology.nodes
    assert (topology.name, topology.seed, topology.ports.http) == ("field", 7, 8080)
    assert sensor.app.protocols == ("coap", "mqtt")
    assert sensor.app.path == BuiltinApps.CLOCK
    assert sensor.app.text_params == {"interval": "1"}
    assert sensor.broker_host == "broker.cloud"
    assert sensor.links["cloud"].uplink_rate_kbit == 100
    assert runner.app.servient is not None
    assert runner.app.servient.deploys == ("module.wasm",)
    assert runner.services[0].options == {"command": ["mongod"]}
    cloud = next(network for network in topology.networks if network.name == "cloud")
    assert not cloud.effective_link.at(3).is_up
    jsonschema.Draft202012Validator.check_schema(load_schema())


def test_json_and_yaml_files(tmp_path: Path) -> None:
    for name in ("t.json", "t.yaml", "t.yml"):
        file = tmp_path / name
        file.write_text(json.dumps(DOCUMENT))  # which is YAML, too
        assert load_topology(file) == parse_topology(DOCUMENT)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"nodes": {}}, "nodes"),
        ({"networks": {"cloud": {"conditions": "FAST"}}}, "networks/cloud/conditions"),
        ({"networks": {"cloud": {}}}, "no network 'field'"),
        ({"brokers": {}}, "no broker 'broker'"),
        ({"networks": {"a": {"link": {"loss_percent": 101}}}}, "networks/a/link/loss_percent"),
        ({"surplus": 1}, "surplus"),
        ({"nodes": {"n": {"app": {}, "networks": ["cloud"]}}}, "nodes/n/app"),
    ],
)
def test_wrong_documents(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidTopology, match=re.escape(reason)):
        parse_topology({**DOCUMENT, **change})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.json", "{"),
        ("t.json", '{"nodes": 1}'),
        ("t.yaml", "a: [1"),
        ("t.yaml", "!!python/object/apply:os.system ['true']"),
        ("t.py", "x = 1"),
        ("t.py", "def topology(): return 1"),
    ],
)
def test_files_that_are_no_topologies(tmp_path: Path, name: str, text: str) -> None:
    file = tmp_path / name
    file.write_text(text)
    with pytest.raises(InvalidTopology):
        load_topology(file)


json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["a", "app", "networks", "link", "path"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@given(
    st.sampled_from(["networks", "nodes", "brokers", "services", "ports", "seed", "name"]),
    json_values,
)
def test_any_document_is_read_or_refused(member: str, value: Any) -> None:
    try:
        parse_topology({**DOCUMENT, member: value})
    except InvalidTopology:
        return


def lan(**options: Any) -> Network:
    return Network("lan", **options)


def app() -> NodeApp:
    return NodeApp("x.py", http=True)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Network("no good!"),
        lambda: Network(""),
        lambda: Network("x" * 64),
        lambda: lan(link=Link(), conditions=NetworkConditions.LTE),
        lambda: lan(conditions="LTE+"),
        lambda: lan(netem=["explode --soon now"]),
        lambda: lan(netem=["rate --rate fast"]),
        lambda: Link(latency_ms=-1),
        lambda: Link(latency_ms=float("nan")),
        lambda: Link(loss_percent=float("nan")),
        lambda: Link(rate_kbit=0),
        lambda: Link(uplink_rate_kbit=5),
        lambda: Link(queue_bytes=10),
        lambda: Link(schedule=(Change(5, loss_percent=200),)),
        lambda: Link(schedule=(Change(5),), schedule_period_seconds=4),
        lambda: Change(-1),
        NodeApp,
        lambda: Node("n", app(), []),
        lambda: Node("n", app(), [lan()], scale=0),
        lambda: Node("n", NodeApp("x.py", mqtt=True), [lan()]),
        lambda: Node("n", app(), [lan()], links={"other": Link()}),
        lambda: Node(
            "n", app(), [lan()], broker=Broker("b", [lan()]), broker_network=Network("other")
        ),
        lambda: NodeResources(cpu_limit=1, target_cpu_speed=200),
        lambda: NodeResources(mem_limit="lots"),
        lambda: NodeResources(cpu_limit="much"),
        lambda: Topology([]),
        lambda: Topology([Node("n", app(), [lan()]), Node("n", app(), [lan()])]),
        lambda: Topology([Node("n", app(), [lan()]), Node("m", app(), [lan(netem=["loss"])])]),
    ],
)
def test_what_cannot_be_described(make: Any) -> None:
    with pytest.raises(InvalidTopology):
        make()


def test_names_become_snake_case() -> None:
    assert Network("EdgeNet").name == "edge_net"
    assert Network("edge-2G").name == "edge_2_g" or Network("edge-2G").name == "edge_2g"
    assert Service("MongoDB", "mongo:4", restart_policy={"condition": "any"}).options


def test_amounts_of_memory() -> None:
    assert [parse_memory(text) for text in ("150M", "1g", "512k", "10b", "7", 5, None)] == [
        150 * 2**20,
        2**30,
        512 * 2**10,
        10,
        7,
        5,
        None,
    ]


def test_links_over_time() -> None:
    link = Link(
        latency_ms=10,
        schedule=(Change(4, is_up=True, latency_ms=20), Change(2, is_up=False)),
        schedule_period_seconds=10,
    )
    assert [link.at(seconds).is_up for seconds in (0, 2, 3.9, 4, 9, 12, 14)] == [
        *(True, False, False, True, True, False, True)
    ]
    assert [link.at(seconds).latency_ms for seconds in (0, 4, 11)] == [10, 20, 20]
    assert [link.next_change(seconds) for seconds in (0, 2, 4, 12)] == [2, 4, 12, 14]
    assert Link().next_change(5) == float("inf")


def test_hosts_of_a_plan() -> None:
    one, other = Network("one"), Network("other")
    nodes = [Node("both", app(), [one, other], scale=2), Node("single", app(), [other])]
    plan = make_plan(Topology(nodes))
    single = plan.places[-1]
    hosts = {
        name: line.split()[0]
        for line in plan.hosts_file(single).splitlines()
        for name in line.split()[1:]
    }
    assert hosts["both-2.other"] == hosts["both-2.one"] == "10.2.0.3"
    assert hosts["both.other"] == hosts["both-1.other"] == hosts["both"]
    assert hosts["single.other"] == hosts["single"]
    assert len({port.mac for place in plan.places for port in place.ports}) == 5
