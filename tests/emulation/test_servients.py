"""Servients of ours as nodes, with what they deploy; multicast, and files that are fetched."""

from pathlib import Path
from typing import Any

import pytest

from emulation.embedded.provision import FetchFailed
from emulation.topology import Broker, Link, Network, Node, NodeApp, ServientApp, Topology
from tests.emulation.running import APPS, embedded, written
from tests.files import FileServer
from tests.tools import needs

FIBONACCI = Path(__file__).parents[2] / "examples" / "fibonacci"


def asking(protocol: str, out: Path) -> NodeApp:
    params = {
        "host": f"wasm_{protocol}.lan",
        "out": out,
        "thing": "fibonacci:fibonacci",
        "action": "fibo",
        "value": '{"param0": 7}',
        "reads": "fibo_result",
    }
    return NodeApp("asker.py", params=params)


async def test_modules_over_every_protocol(tmp_path: Path) -> None:
    needs("mosquitto")
    lan = Network("lan", link=Link(latency_ms=1))
    broker = Broker("broker", [lan])
    nodes = []
    for protocol in ("http", "ws", "coap", "mqtt"):
        served: Any = {protocol: True}
        app = NodeApp(servient=ServientApp(str(FIBONACCI / "fibonacci.wasm")), **served)
        wanted = broker if protocol == "mqtt" else None
        nodes.append(Node(f"wasm_{protocol}", app, [lan], broker=wanted))
        nodes.append(Node(f"ask_{protocol}", asking(protocol, tmp_path / protocol), [lan]))
    async with embedded(Topology(nodes), tmp_path / "run") as emulation:
        assert await emulation.ready(), emulation.board
        files = [tmp_path / protocol for protocol in ("http", "ws", "coap", "mqtt")]
        for found in await written(emulation, files):
            assert found["answers"] == [21]
            assert found["read"] == {"fibo_result": 21}


async def test_multicast_crosses_a_network(tmp_path: Path) -> None:
    lan, other = Network("lan"), Network("other")
    caller = NodeApp("multicast.py", params={"out": tmp_path / "out", "answers": 3})
    nodes = [
        Node("caller", caller, [lan]),
        Node("member", NodeApp("multicast.py"), [lan], scale=3),
        Node("stranger", NodeApp("multicast.py"), [other]),
    ]
    async with embedded(Topology(nodes), tmp_path / "run") as emulation:
        assert await emulation.ready()
        (answers,) = await written(emulation, [tmp_path / "out"])
        assert len(answers) == 3
        assert all(address.startswith("10.1.") for address in answers)


async def test_an_application_at_a_url(tmp_path: Path, files: FileServer) -> None:
    lan = Network("lan")
    files.files["/quick/raw"] = (APPS / "quick.py").read_bytes()
    url = f"{files.origin}/quick/raw"
    params = {"host": "server.lan", "out": tmp_path / "out"}
    nodes = [
        Node("server", NodeApp(url, http=True), [lan]),
        Node("asker", NodeApp("asker.py", params=params), [lan]),
    ]
    async with embedded(Topology(nodes), tmp_path / "run") as emulation:
        assert await emulation.ready()
        (found,) = await written(emulation, [tmp_path / "out"])
        assert found["answers"] == ["HELLO"]


async def test_what_cannot_be_fetched(tmp_path: Path, files: FileServer) -> None:
    missing = NodeApp(f"{files.origin}/missing", http=True)
    with pytest.raises(FetchFailed, match="missing"):
        async with embedded(Topology([Node("n", missing, [Network("lan")])]), tmp_path / "run"):
            pass
    assert not (tmp_path / "run" / "work").exists()
