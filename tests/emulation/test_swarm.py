"""The parts of the Swarm backend that need no Docker: a node in a namespace, its collector, the end."""

import os
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from emulation.metrics.run import RunFolder
from emulation.report.report import make_report
from emulation.swarm.collector import serve_collector, upload
from emulation.swarm.docker import Docker, DockerFailed, stop_stack
from emulation.swarm.shaping import to_arguments
from emulation.topology import BuiltinApps, Link, Network, Node, NodeApp, Topology
from emulation.topology.conditions import CONDITIONS, NetworkConditions
from servient.wot.catalogue import close_catalogue
from tests.emulation.runs import write_run
from tests.tools import needs

WORD = "correct horse"
ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
async def collector(tmp_path: Path) -> AsyncIterator[str]:
    server = serve_collector(tmp_path / "collected", WORD, "127.0.0.1", 0)
    [socket] = server._sockets.values()
    yield f"http://127.0.0.1:{socket.getsockname()[1]}"
    await close_catalogue(server)


async def test_a_collector_keeps_what_its_stack_sends(collector: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    for content in (b"first", b"second" * 100_000):
        file.write_bytes(content)
        await upload(file, "reader-2", collector, WORD)
        assert (tmp_path / "collected" / "reader-2.sqlite").read_bytes() == content


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("reader", "wrong"),
        ("reader", "0"),
        ("..%2F..%2Fescaped", WORD),
        (".hidden", WORD),
        ("a" * 200, WORD),
        ("reader.sqlite", WORD),
    ],
)
async def test_a_collector_refuses(path: str, word: str, collector: str, tmp_path: Path) -> None:
    async with httpx.AsyncClient() as client:
        headers = {"Authorization": f"Bearer {word}"}
        url = f"{collector}/metrics/{path}"
        answer = await client.put(url, content=b"evil", headers=headers)
    assert answer.status_code in (401, 404)
    assert list((tmp_path / "collected").iterdir()) == []
    assert not (tmp_path / "escaped.sqlite").exists()


def test_links_in_the_words_of_tc() -> None:
    mobile = CONDITIONS[NetworkConditions.REGULAR_3G]
    head = "qdisc replace dev eth0 root netem limit 10000"
    words = " ".join(to_arguments("eth0", mobile))
    assert words == f"{head} delay 300ms 150ms distribution normal rate 1500kbit"
    lossy = Link(latency_ms=10, loss_percent=1, loss_correlation_percent=25)
    assert " ".join(to_arguments("eth0", lossy)) == f"{head} delay 10ms loss 1% 25%"
    assert " ".join(to_arguments("eth0", Link(is_up=False))) == f"{head} loss 100%"


TOPOLOGY = """
from emulation.topology import Network, Node, NodeApp, Topology
def topology():
    clock = Node("clock", NodeApp("app.py", http=True), [Network("plain")])
    return Topology([clock], name="alone")
"""

APP = """
import asyncio, os, pathlib
from emulation.node.builtin import clock, reader
async def app(wot, conf, loop):
    thing = clock.THING["id"]
    read = reader.app(wot, conf, loop, "clock.plain", thing, interval="0.2")
    loop.call_later(4, pathlib.Path(os.environ["ENOUGH"]).touch)
    await asyncio.gather(clock.app(wot, conf, loop), read)
"""

# A network and names as Docker gives containers.
SCRIPT = """
ip link set lo up
mount --bind "$HOSTS" /etc/hosts
"$PYTHON" -m servient emulate collect "$COLLECTED" --port 8899 & collector=$!
"$PYTHON" -m servient emulate node "$TOPOLOGY" clock & clock=$!
for _ in $(seq 300); do [ -e "$ENOUGH" ] && break; sleep 0.1; done
kill $clock
wait $clock
kill $collector
wait $collector
"""
# Not a space of process ids: its /proc, which cannot be mounted everywhere, is what is measured by.
SPACES = ("--user", "--map-root-user", "--net", "--mount", "--fork", "--kill-child")


def test_a_node_is_measured_and_sends_what_it_measured(tmp_path: Path) -> None:
    unshare = needs("unshare")
    needs("ip")
    (tmp_path / "hosts").write_text("127.0.0.1 localhost clock.plain collector\n")
    (tmp_path / "topology.py").write_text(TOPOLOGY)
    (tmp_path / "app.py").write_text(APP)
    folder = RunFolder(tmp_path / "run")
    folder.make()
    environment = {
        **os.environ,
        "PYTHON": sys.executable,
        "PYTHONPATH": str(ROOT),
        "HOSTS": str(tmp_path / "hosts"),
        "TOPOLOGY": str(tmp_path / "topology.py"),
        "COLLECTED": str(folder.metrics_path),
        "ENOUGH": str(tmp_path / "enough"),
        "EMULATION_SLOT": "1",
        "EMULATION_COLLECTOR": "http://collector:8899",
        "EMULATION_TOKEN": WORD,
    }
    command = [unshare, *SPACES, "sh", "-c", SCRIPT]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=90, check=False
    )
    if "unshare failed" in done.stderr or "Operation not permitted" in done.stderr:
        pytest.skip("this machine gives its users no namespaces")
    written = write_run(tmp_path / "other").read()
    folder.write(written)
    [found] = make_report([folder.path]).documents()
    assert found["byProtocol"].get("http", {}).get("calls", 0) > 3, done.stderr[-3000:]
    assert found["ties"]["by_trace"] > 3
    assert {each["replica"] for each in found["replicas"]} == {"clock"}
    assert {each["network"] for each in found["networks"]} == {"plain"}


DOCKER = """#!/bin/sh
echo "$@" >> "$0.log"
case "$1 $2" in
  "service ls") echo lab_collector; echo lab_server; echo lab_reader ;;
  "ps --quiet") echo 0123456789ab ;;
  "cp 0123456789ab:/results/.") cp "$0.results/"* "$3" ;;
esac
"""


def fake_docker(tmp_path: Path) -> Path:
    """A program in Docker's place that notes what it was called with."""
    program = tmp_path / "docker"
    program.write_text(DOCKER)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def topology() -> Topology:
    return Topology([Node("reader", NodeApp(BuiltinApps.CLOCK), [Network("wifi")])], name="lab")


def test_a_stack_ends_after_its_metrics_are_taken(tmp_path: Path) -> None:
    program = fake_docker(tmp_path)
    write_run(tmp_path / "measured").metrics_path.rename(tmp_path / "docker.results")
    folder = RunFolder(tmp_path / "run")
    stop_stack(topology(), "lab", folder, Docker(str(program)), pause=lambda _: None)
    calls = (tmp_path / "docker.log").read_text().splitlines()
    assert calls[1] == "service rm lab_server lab_reader"
    assert calls[-1] == "stack rm lab"
    [found] = make_report([folder.path]).documents()
    assert found["calls"]["calls"] == 200
    assert found["description"]["backend"] == "swarm"
    assert found["description"]["seconds"] > 10


def test_a_stack_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DockerFailed, match="no stack other"):
        stop_stack(
            topology(), "other", RunFolder(tmp_path / "run"), Docker(str(fake_docker(tmp_path)))
        )
    with pytest.raises(DockerFailed, match="nowhere"):
        Docker(str(tmp_path / "nowhere"))("ps")
