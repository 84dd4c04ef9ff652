"""The applications that come with the emulator, together in one emulation."""

import asyncio
import json
import socket
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import mongomock
import pytest

from emulation.node.archive import Archive
from emulation.node.builtin.camera import make_picture
from emulation.node.builtin.detector import find_faces
from emulation.node.history import History, SqliteHistory
from emulation.node.mongo_history import MongoHistory
from emulation.topology import BuiltinApps, Link, Network, Node, NodeApp, Topology
from tests.emulation.running import embedded

CLOCK, WORKER = "urn:org:fundacionctic:thing:clock", "urn:org:fundacionctic:thing:worker"
HISTORIAN = "urn:org:fundacionctic:thing:historian"
EXPECTED = {
    ("reader", "readproperty", "time"),
    ("caller", "invokeaction", "doWork"),
    ("historian", "readproperty", "time"),
    ("uplink", "invokeaction", "list"),
    ("uplink", "invokeaction", "get"),
    ("detector", "invokeaction", "controlPTZ"),
}


def topology() -> Topology:
    lan = Network("lan", link=Link(latency_ms=1))

    def node(name: str, path: BuiltinApps, **params: object) -> Node:
        return Node(name, NodeApp(path, http=True, params=params), [lan])

    clock = {"servient_host": "clock.lan", "thing_id": CLOCK}
    worker = {"servient_host": "worker.lan", "thing_id": WORKER}
    work = {"doWork": {"total": 0.1, "step": 0.05, "sleep": 0.01}}
    downlink = {"downlink_servient_host": "historian.lan", "downlink_thing_id": HISTORIAN}
    return Topology(
        [
            node("clock", BuiltinApps.CLOCK, interval=0.2),
            node("reader", BuiltinApps.READER, **clock, interval=0.2),
            node("subscriber", BuiltinApps.SUBSCRIBER, **clock),
            node("worker", BuiltinApps.WORKER),
            node("caller", BuiltinApps.CALLER, **worker, params=json.dumps(work)),
            node(
                "historian",
                BuiltinApps.HISTORIAN,
                observed_things=json.dumps([clock]),
                observe_interval=0.2,
            ),
            node("uplink", BuiltinApps.MONGO_HISTORIAN, **downlink, downlink_interval=1),
            node("camera", BuiltinApps.CAMERA, fps=4),
            node(
                "detector",
                BuiltinApps.DETECTOR,
                cameras=json.dumps([{"servient_host": "camera.lan"}]),
            ),
        ]
    )


def interactions(folder: Path) -> set[tuple[str, str, str]]:
    """Those of consumers that succeeded."""
    found: set[tuple[str, str, str]] = set()
    for file in (folder / "metrics").glob("*.sqlite"):
        with closing(sqlite3.connect(file)) as database:
            query = "SELECT replica, operation, affordance FROM interaction"
            query += " WHERE side = 'consumed' AND error = ''"
            found |= set(database.execute(query).fetchall())
    return found


async def test_they_work_together(tmp_path: Path) -> None:
    async with embedded(topology(), tmp_path / "run") as emulation:
        assert await emulation.ready(), emulation.board
        statuses = emulation.board.statuses
        running = asyncio.create_task(emulation.run(90))
        while not (
            interactions(tmp_path / "run") >= EXPECTED
            and statuses["subscriber"].events > 3
            and statuses["detector"].events > 1
        ):
            assert not running.done(), (interactions(tmp_path / "run"), statuses)
            await asyncio.sleep(0.5)
        running.cancel()
        assert {status.starts for status in statuses.values()} == {1}


def test_faces_are_found_where_there_are_any() -> None:
    assert [len(find_faces(make_picture(number))) for number in (1, 10, 20)] == [1, 1, 1]
    assert find_faces(b"no picture") == []


@pytest.fixture(params=["sqlite", "mongo"])
def history(request: pytest.FixtureRequest, tmp_path: Path) -> History:
    """In SQLite, and in what behaves as a collection of MongoDB."""
    if request.param == "sqlite":
        return SqliteHistory(tmp_path / "history.sqlite")
    client: Any = mongomock.MongoClient()
    return MongoHistory(client["wotemu"]["history"])


def test_a_history_is_asked_by_time_and_name(history: History) -> None:
    now = time.time()
    key = {"propertyName": "time", "thingId": "urn:t", "servient": "host"}
    for number in range(10):
        history.write({**key, "unixTime": now - 10 + number, "value": {"n": number}})
    history.write({**key, "propertyName": "other", "value": 1})
    assert history.keys() == [{**key, "propertyName": "other"}, key]
    found = history.get({"propertyName": "time", "fromUnix": now - 5.5})
    assert [entry["value"]["n"] for entry in found] == [5, 6, 7, 8, 9]
    span = {"propertyName": "time", "fromUnix": now - 10, "toUnix": now}
    assert len(history.get(span)) == 10
    assert [entry["value"]["n"] for entry in history.get({**span, "buckets": 2})] == [0, 5]
    assert history.get({"propertyName": "time", "servient": "elsewhere"}) == []


async def test_where_there_is_no_mongodb_values_are_kept_all_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    uri = f"mongodb://127.0.0.1:{port}/?serverSelectionTimeoutMS=100"
    archive = await Archive.open(tmp_path / "history.sqlite", uri)
    assert "values are kept in SQLite" in caplog.text
    key = {"propertyName": "time", "thingId": "urn:t", "servient": "host"}
    await archive.write({**key, "value": 7})
    assert await archive.keys() == [key]
    assert [entry["value"] for entry in await archive.get(key)] == [7]
