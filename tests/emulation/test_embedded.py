"""Emulations on this machine: programs, limits, crashes, and that nothing stays behind."""

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import sqlite3
import sys
import time
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from emulation.embedded.runner import Embedded
from emulation.topology import (
    Broker,
    BuiltinApps,
    Change,
    Link,
    Network,
    Node,
    NodeApp,
    NodeResources,
    RestartPolicy,
    Topology,
)
from tests.emulation.running import embedded, written
from tests.tools import needs

PROTOCOLS = ("http", "ws", "coap", "mqtt")


def lan() -> Network:
    return Network("lan", link=Link(latency_ms=1))


async def until(emulation: Embedded, is_so: Any) -> None:
    running = asyncio.create_task(emulation.run(60))
    while not is_so():
        assert not running.done(), emulation.board
        await asyncio.sleep(0.05)
    running.cancel()


async def test_old_programs_over_every_protocol(tmp_path: Path) -> None:
    needs("mosquitto")
    network = lan()
    broker = Broker("broker", [network])
    nodes, files = [], []
    for protocol in PROTOCOLS:
        served: Any = {protocol: True}
        app = NodeApp("quick.py", **served)
        params = {"host": f"quick_{protocol}.lan", "out": tmp_path / protocol}
        files.append(tmp_path / protocol)
        wanted = broker if protocol == "mqtt" else None
        nodes.append(Node(f"quick_{protocol}", app, [network], broker=wanted))
        nodes.append(Node(f"ask_{protocol}", NodeApp("asker.py", params=params), [network]))
    async with embedded(Topology(nodes), tmp_path / "run") as emulation:
        assert await emulation.ready()
        for found in await written(emulation, files):
            assert found["answers"] == ["HELLO"]
            assert found["read"] == {"answer": 42, "note": None}
            assert found["conf"][:5] == [9090, 80, 5683, 81, 1883]


async def test_names_of_replicas_and_other_networks(tmp_path: Path) -> None:
    one, other = Network("one"), Network("other")
    server = Node("server", NodeApp("quick.py", http=True), [one, other], scale=2)
    files = [tmp_path / "first", tmp_path / "second"]
    askers = [
        Node(f"asker_{number}", NodeApp("asker.py", params={"host": host, "out": file}), [other])
        for number, (host, file) in enumerate(
            zip(("server.other", "server-2.other"), files, strict=True)
        )
    ]
    async with embedded(Topology([server, *askers]), tmp_path / "run") as emulation:
        assert await emulation.ready()
        for found in await written(emulation, files):
            assert found["answers"] == ["HELLO"]


async def test_a_replica_that_crashes_is_started_again(tmp_path: Path) -> None:
    app = NodeApp(BuiltinApps.ERROR, params={"mean_time": 0.1})
    nodes = [
        Node("again", app, [lan()]),
        Node("once", app, [lan()], restart=RestartPolicy.NEVER),
    ]
    async with embedded(Topology(nodes), tmp_path / "run") as emulation:
        statuses = emulation.board.statuses
        await until(
            emulation,
            lambda: statuses["again"].starts > 2 and statuses["once"].state == "crashed",
        )
        assert statuses["once"].starts == 1
        assert "Died: as planned" in statuses["once"].detail


async def test_limits(tmp_path: Path) -> None:
    half = NodeResources(cpu_limit=0.5)
    small = NodeResources(mem_limit="200M")
    busy = NodeApp("greedy.py", params={"out": tmp_path / "busy", "busy_seconds": 3})
    greedy = NodeApp("greedy.py", params={"out": tmp_path / "greedy", "megabytes": 400})
    nodes = [
        Node("busy", busy, [lan()], resources=half),
        Node("greedy", greedy, [lan()], resources=small, restart=RestartPolicy.NEVER),
    ]
    async with embedded(Topology(nodes), tmp_path / "run") as emulation:
        assert await emulation.ready()
        (share,) = await written(emulation, [tmp_path / "busy"])
        await until(emulation, lambda: emulation.board.statuses["greedy"].state == "crashed")
        assert share < 0.65
        assert not (tmp_path / "greedy").exists()


def processes_with(mark: str) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            texts = (folder / "environ").read_bytes()
        except OSError:
            continue
        if mark.encode() in texts:
            found.append(int(folder.name))
    return found


def interfaces() -> set[str]:
    return {line.split(":")[0].strip() for line in Path("/proc/net/dev").read_text().splitlines()}


@contextlib.asynccontextmanager
async def cli(tmp_path: Path, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    code = "from emulation.cli import cli; cli()"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code, "run", *arguments),
        env={**os.environ, "EMULATION_MARK": str(tmp_path), "NO_COLOR": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def read_line(process: asyncio.subprocess.Process, said: str) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(60):
        line = await process.stdout.readline()
    assert line, said
    return line.decode()


THIRTY = """
from emulation.topology import *

def topology():
    wifi = Network("wifi", conditions=NetworkConditions.WIFI)
    clock = Node("clock", NodeApp(BuiltinApps.CLOCK, http=True), [wifi])
    params = {"servient_host": "clock.wifi", "thing_id": "urn:org:fundacionctic:thing:clock"}
    readers = Node("reader", NodeApp(BuiltinApps.READER, params=params), [wifi], scale=29)
    return Topology([clock, readers])
"""


@pytest.mark.parametrize(
    ("number", "replicas"), [(signal.SIGINT, 30), (signal.SIGTERM, 3), (signal.SIGKILL, 30)]
)
async def test_nothing_stays_behind(tmp_path: Path, number: signal.Signals, replicas: int) -> None:
    file = tmp_path / "thirty.py"
    file.write_text(THIRTY.replace("scale=29", f"scale={replicas - 1}"))
    before, hosts = interfaces(), Path("/etc/hosts").read_bytes()
    out = tmp_path / "out"
    async with cli(tmp_path, str(file), "--out", str(out)) as process:
        said = ""
        while len(re.findall(": ready", said)) < replicas:
            said += await read_line(process, said)
        assert len(processes_with(str(tmp_path))) >= replicas, said
        process.send_signal(number)
        end = time.monotonic() + 30
        while processes_with(str(tmp_path)) and time.monotonic() < end:
            await asyncio.sleep(0.05)
        assert processes_with(str(tmp_path)) == [], said
        await process.communicate()
    assert interfaces() == before
    assert Path("/etc/hosts").read_bytes() == hosts
    assert not (out / "work").exists()
    if number is not signal.SIGKILL:
        assert process.returncode == 0
        assert (out / "report.html").is_file()


async def test_nothing_stays_behind_without_namespaces(tmp_path: Path) -> None:
    """Relays, replicas, and what a replica has started: a broker."""
    needs("mosquitto")
    document = {
        "networks": {"lan": {"conditions": "CABLE"}},
        "brokers": {"broker": {"networks": ["lan"]}},
        "nodes": {
            "clock": {
                "app": {"builtin": "CLOCK", "mqtt": True},
                "networks": ["lan"],
                "broker": "broker",
            }
        },
    }
    file = tmp_path / "topology.json"
    file.write_text(json.dumps(document))
    options = ("--out", str(tmp_path / "out"), "--networks", "relay")
    async with cli(tmp_path, str(file), *options) as process:
        said = ""
        while len(re.findall(": ready", said)) < 2:
            said += await read_line(process, said)
        # The runner, who keeps the emulation, its first process, relays, two replicas, mosquitto.
        assert len(processes_with(str(tmp_path))) >= 7, said
        process.kill()
        end = time.monotonic() + 30
        while processes_with(str(tmp_path)) and time.monotonic() < end:
            await asyncio.sleep(0.05)
        assert processes_with(str(tmp_path)) == [], said
    assert not (tmp_path / "out" / "work").exists()


async def test_a_time_limit_ends_a_run(tmp_path: Path) -> None:
    document = {
        "networks": {"lan": {"conditions": "CABLE"}},
        "nodes": {
            "clock": {"app": {"builtin": "CLOCK", "coap": True}, "networks": ["lan"]},
            "reader": {
                "app": {
                    "builtin": "READER",
                    "params": {
                        "servient_host": "clock.lan",
                        "thing_id": "urn:org:fundacionctic:thing:clock",
                        "interval": 0.2,
                    },
                },
                "networks": ["lan"],
                "resources": {"mem_limit": "150M"},
                "scale": 2,
            },
        },
    }
    file = tmp_path / "topology.json"
    file.write_text(json.dumps(document))
    out = tmp_path / "out"
    options = ("--seconds", "3", "--out", str(out), "--threshold", "errors <= 0%")
    async with cli(tmp_path, str(file), *options) as process:
        said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    assert (out / "report.html").is_file()
    assert re.search("switch in user space|netem and tbf", said.decode())
    with closing(sqlite3.connect(out / "run.sqlite")) as database:
        rows = database.execute(
            "SELECT protocol, count(*) FROM interaction WHERE side = 'consumed' AND error = ''"
        ).fetchall()
        assert rows[0][0] == "coap"
        assert rows[0][1] > 10
        (packets,) = database.execute(
            "SELECT sum(packets) FROM traffic WHERE protocol = 'coap'"
        ).fetchone()
        assert packets >= 2 * rows[0][1]
        states = set(database.execute("SELECT replica, state FROM state").fetchall())
        assert ("reader-2", "ready") in states
        assert database.execute("SELECT count(*) FROM usage").fetchone()[0] > 0


async def test_a_topology_that_cannot_be_run(tmp_path: Path) -> None:
    file = tmp_path / "wrong.json"
    file.write_text('{"networks": {"lan": {"conditions": "FAST"}}, "nodes": {}}')
    async with cli(tmp_path, str(file)) as process:
        said, _ = await process.communicate()
    assert process.returncode == 2
    assert "networks/lan/conditions" in said.decode() or "nodes" in said.decode()


async def test_an_outage(tmp_path: Path) -> None:
    """A link that is down for the first second of every two loses what is sent meanwhile."""
    changes = (Change(0, is_up=False), Change(1, is_up=True))
    link = Link(latency_ms=1, schedule=changes, schedule_period_seconds=2)
    network = Network("flaky", link=link)
    probe = {
        "host": "echo.flaky",
        "out": tmp_path / "out",
        "rate_kbit": 800,
        "size": 100,
        "flood_seconds": 4,
    }
    nodes = [
        Node("echo", NodeApp("echo.py"), [network]),
        Node("probe", NodeApp("probe.py", params=probe), [network]),
    ]
    async with embedded(Topology(nodes), tmp_path / "run") as emulation:
        assert await emulation.ready()
        (found,) = await written(emulation, [tmp_path / "out"])
    assert 0.3 < found["packets"] / found["sent"] < 0.7
    with closing(sqlite3.connect(tmp_path / "run" / "metrics" / "emulation.sqlite")) as database:
        query = "SELECT DISTINCT reason FROM traffic WHERE dropped > 0"
        assert database.execute(query).fetchall() == [("outage",)]


async def test_without_any_privilege(tmp_path: Path) -> None:
    """As nobody, with no capability even in the bounding set; root only hands over the files."""
    file, out = tmp_path / "small.py", tmp_path / "out"
    file.write_text(THIRTY.replace("scale=29", "scale=2"))
    out.mkdir()
    arguments = ("run", str(file), "--seconds", "1", "--out", str(out))
    program = [sys.executable, "-c", "from emulation.cli import cli; cli()", *arguments]
    if os.geteuid() == 0:
        needs("setpriv")
        shutil.chown(out, 65534, 65534)
        for folder in (tmp_path, *tmp_path.parents[:3]):
            if folder.stat().st_uid == 0 and folder != Path("/"):
                folder.chmod(folder.stat().st_mode | 0o055)
        program = unprivileged(tmp_path, program)
    process = await asyncio.create_subprocess_exec(
        *program,
        env={**os.environ, "HOME": str(out), "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said = (await process.communicate())[0].decode()
    assert process.returncode == 0, said
    assert "in a user namespace, unprivileged" in said
    assert "reader-2: ready" in said


def unprivileged(tmp_path: Path, program: list[str]) -> list[str]:
    """The command as nobody, who finds Python also where it lies in root's home.

    That is shown to this one process only, in a mount namespace of its own.
    """
    python = Path(os.path.realpath(sys.executable)).parent.parent
    behind = tmp_path / "python"
    behind.mkdir()
    commands = [
        f"mount --bind {python} {behind}",
        "mount -t tmpfs -o mode=755 tmpfs /root",
        f"mkdir -p {python}",
        f"mount --bind {behind} {python}",
    ]
    if not python.is_relative_to("/root"):
        commands = []
    drop = "setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --bounding-set=-all"
    script = " && ".join([*commands, f'exec {drop} "$@"'])
    return ["unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh", *program]


@pytest.mark.parametrize("networks", ["auto", "switch"])
async def test_where_nothing_can_be_isolated(tmp_path: Path, networks: str) -> None:
    """Root without capabilities cannot be mapped into a user namespace: it is said what helps."""
    if os.geteuid() != 0:
        pytest.skip("wants root to begin with")
    needs("setpriv")
    file = tmp_path / "small.py"
    file.write_text(THIRTY.replace("scale=29", "scale=2").replace('"}', '", "interval": 0.2}'))
    options = ("--seconds", "3", "--networks", networks, "--out", str(tmp_path / "out"))
    process = await asyncio.create_subprocess_exec(
        *("setpriv", "--inh-caps=-all", "--bounding-set=-all", sys.executable, "-c"),
        *("from emulation.cli import cli; cli()", "run", str(file), *options),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said = (await process.communicate())[0].decode()
    assert "no namespaces" in said
    assert "Traceback" not in said
    if networks == "switch":
        assert process.returncode == 2
        return
    assert process.returncode == 0, said
    assert "a relay for each port" in said
    first = int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
    assert ("http is 8080" in said) == (first > 80)
    with closing(sqlite3.connect(tmp_path / "out" / "run.sqlite")) as database:
        query = "SELECT count(*), min(seconds) FROM interaction WHERE side = 'consumed'"
        calls, quickest = database.execute(f"{query} AND error = ''").fetchone()
    assert calls > 3
    assert quickest > 0.02  # a round trip of WIFI takes 50 ms, give or take the jitter
