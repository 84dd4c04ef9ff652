"""What carries packets: the kernel where it can, a switch, or relays where there are no namespaces."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from emulation.embedded import tc
from emulation.embedded.carrier import Carrying
from emulation.embedded.plan import make_plan
from emulation.embedded.runner import Embedded, Run
from emulation.embedded.settle import known
from emulation.embedded.shaper import Fate, Line
from emulation.embedded.traffic import Traffic
from emulation.embedded.way import End, Way
from emulation.errors import CannotIsolate
from emulation.metrics.run import RunFolder
from emulation.node.broker import run_broker
from emulation.topology import (
    Broker,
    Change,
    Jitter,
    Link,
    Network,
    Node,
    NodeApp,
    Topology,
)
from tests.emulation.running import APPS, written
from tests.tools import needs

PROTOCOLS = ("http", "ws", "coap", "mqtt")


@asynccontextmanager
async def carried(topology: Topology, out: Path, carrying: Carrying) -> AsyncIterator[Embedded]:
    async with Embedded(Run(topology, APPS, RunFolder(out), carrying)) as emulation:
        assert await emulation.ready(), emulation.board
        yield emulation


def every_protocol(link: Link, folder: Path) -> tuple[Topology, list[Path]]:
    """For each protocol one who serves and one who asks, who writes what he was answered."""
    network = Network("lan", link=link)
    broker = Broker("broker", [network])
    nodes, files = [], []
    for protocol in PROTOCOLS:
        served: Any = {protocol: True}
        app = NodeApp("quick.py", **served)
        params = {"host": f"quick_{protocol}.lan", "out": folder / protocol}
        files.append(folder / protocol)
        wanted = broker if protocol == "mqtt" else None
        nodes.append(Node(f"quick_{protocol}", app, [network], broker=wanted))
        nodes.append(Node(f"ask_{protocol}", NodeApp("asker.py", params=params), [network]))
    return Topology(nodes), files


@pytest.mark.parametrize("is_shared", [True, False])
async def test_relays_over_every_protocol(tmp_path: Path, is_shared: bool) -> None:
    needs("mosquitto")
    link = Link(latency_ms=5, rate_kbit=10_000, loss_percent=1, is_shared=is_shared)
    topology, files = every_protocol(link, tmp_path)
    async with carried(topology, tmp_path / "run", Carrying.RELAY) as emulation:
        for found in await written(emulation, files):
            assert found["answers"] == ["HELLO"]
            assert found["read"] == {"answer": 42, "note": None}
        assert "a relay for each port" in " ".join(emulation.board.mechanism)
    assert emulation.board.packets > 0


async def test_the_kernel_over_every_protocol(tmp_path: Path) -> None:
    """Where it has netem, tbf, ifb and bridges; else it says what is missing."""
    needs("mosquitto")
    topology, files = every_protocol(Link(latency_ms=5, jitter_ms=1, rate_kbit=10_000), tmp_path)
    try:
        async with carried(topology, tmp_path / "run", Carrying.KERNEL) as emulation:
            for found in await written(emulation, files):
                assert found["answers"] == ["HELLO"]
            assert "netem and tbf" in " ".join(emulation.board.mechanism)
    except CannotIsolate as error:
        assert "the kernel cannot make these networks: " in str(error) or "namespaces" in str(error)
        pytest.skip(str(error))


async def test_a_relay_is_as_slow_as_its_line(tmp_path: Path) -> None:
    network = Network("slow", link=Link(latency_ms=100, rate_kbit=800))
    params = {"host": "bulk.slow", "out": tmp_path / "out", "data_bytes": 200_000}
    environment = {"environment": {"OTHER_PORTS_TCP": "9898"}}
    nodes = [
        Node("bulk", NodeApp("bulk.py"), [network], args_compose=environment),
        Node("sender", NodeApp("bulk.py", params=params), [network]),
    ]
    async with carried(Topology(nodes), tmp_path / "run", Carrying.RELAY) as emulation:
        (found,) = await written(emulation, [tmp_path / "out"])
    assert 0.4 < found["opened_seconds"] + found["round_trip_seconds"] < 1.2
    # 2 s by the rate, and heads.
    assert 2 < found["bulk_seconds"] < 4


def test_links_in_the_words_of_netem_and_tbf() -> None:
    link = Link(latency_ms=100, jitter_ms=10, rate_kbit=1_000, loss_percent=2)
    assert tc.netem(link, 0.107) == (
        "limit 1000000 delay 107.000ms rate 10gbit loss gemodel 2.000000% 98.000000%"
    )
    assert tc.tbf(link, link.rate_kbit) == "rate 1000000bit burst 3200 limit 50000"
    independent = Link(latency_ms=100, jitter_ms=10, jitter=Jitter.INDEPENDENT)
    assert tc.netem(independent, 0.1) == ("limit 1000000 delay 100.000ms 10ms distribution normal")
    bursts = Link(loss_percent=1, loss_correlation_percent=25, is_shared=False)
    assert "gemodel 0.375942% 74.624058%" in tc.netem(bursts, 0, share=0.5)
    assert tc.netem(Link(is_up=False), 0) == "limit 1000000 loss 100%"


def test_a_way_between_lines_of_their_own_loses_no_part_of_a_stream() -> None:
    link = Link(
        latency_ms=100,
        uplink_rate_kbit=80,
        downlink_rate_kbit=40,
        is_shared=False,
        queue_bytes=2000,
        schedule=(Change(5, is_up=False),),
    )
    network = Network("w", link=link)
    plan = make_plan(Topology([Node("n", NodeApp("x.py"), [network], scale=2)]))
    one, other = (End(p.name, p.ports[0], Line(link, p.name)) for p in plan.places)
    way = Way(one, other, "tcp", Traffic())
    assert way.pass_through(0, 1000) == pytest.approx(0.1 + 0.1 + 0.2)
    assert way.pass_through(0, 1800) is Fate.QUEUE
    assert way.deliver(0, 1800) is None
    one.line.begin(0)
    assert way.pass_through(6, 1000) is Fate.OUTAGE
    lossy = Line(Link(latency_ms=200, loss_percent=100), "")
    end = End("n", one.port, lossy)
    traffic = Traffic()
    assert Way(end, end, "tcp", traffic).deliver(1, 100) == pytest.approx(1.4)
    assert [count.dropped for count in traffic.take()] == [1]


def test_names_of_others_are_left_alone() -> None:
    names = {"server.lan": "127.1.0.2"}
    assert known("server.lan", names) == known(b"server.lan", names) == "127.1.0.2"
    assert known("localhost", names) == "localhost"
    assert known(None, names) is None


async def test_a_broker_where_there_is_no_mosquitto(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    ready = asyncio.Event()
    running = asyncio.create_task(run_broker("127.0.0.1", port, tmp_path, ready.set, program=""))
    async with asyncio.timeout(30):
        await ready.wait()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01a")  # CONNECT, of 3.1.1
        assert (await reader.readexactly(4))[::3] == b"\x20\x00"  # CONNACK, accepted
        writer.write(b"\xe0\x00")  # DISCONNECT
        writer.close()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
