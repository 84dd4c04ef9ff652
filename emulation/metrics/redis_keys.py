"""What was measured under the keys of WoTemu's Redis, for programs that read them there.

| key, a sorted set by time | members, as JSON |
|---|---|
| `wotemu:info:<replica>` | `time`, `hostname`, `task_id`, `cpu_count`, `mem_total` |
| `wotemu:system:<replica>` | `time`, `cpu_percent` (100 is one core), `mem_mb`, `mem_percent` |
| `wotemu:thing:<replica>` | `time`, `host`, `thing`, `name`, `verb`, `class`, `latency`, `error` |
| `wotemu:packet:<network>:<replica>` | `time`, `src`, `dst`, `proto`, `len`, `packets` |

Of subscriptions, `event` says what became of them, in the place of a latency. One member is all packets
of a second. Results of interactions are not kept.
"""

import json
import sqlite3
from collections.abc import Generator, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from emulation.errors import EmulationError
from emulation.metrics.export import MissingPackage
from emulation.metrics.run import RunDescription

NAMESPACE = "wotemu"
BATCH = 500
_CLASSES = {"consumed": "ConsumedThing", "exposed": "ExposedThing"}
_CHANGES = {"begun": "on_subscribe", "ended": "on_finally", "failed": "on_error"}


class RedisFailed(EmulationError):
    """A Redis is not there, or refuses what it gets."""


class Member(NamedTuple):
    """One member of a sorted set; its score is its time."""

    key: str
    score: float
    value: dict[str, Any]


def write_to_redis(merged: Path, description: RunDescription, url: str) -> int:
    """How many members were written. Raises MissingPackage, RedisFailed."""
    try:
        # Here, since few want it.
        import redis  # noqa: PLC0415
    except ImportError as error:
        raise MissingPackage("Redis needs its client: install wasm-servient[redis]") from error
    try:
        with (
            closing(redis.Redis.from_url(url)) as client,
            closing(members(merged, description)) as found,
        ):
            return _write(client, found)
    except (redis.RedisError, ValueError) as error:
        raise RedisFailed(f"Redis does not take it: {error}") from error


def _write(client: Any, found: Iterator[Member]) -> int:
    written = 0
    while batch := list(islice(found, BATCH)):
        pipeline = client.pipeline(transaction=False)
        for key, score, value in batch:
            pipeline.zadd(key, {json.dumps({**value, "time": score}, sort_keys=True): score})
        pipeline.execute()
        written += len(batch)
    return written


def members(merged: Path, description: RunDescription) -> Generator[Member, None, None]:
    """Everything of a merged file that WoTemu has a key for."""
    with closing(sqlite3.connect(merged)) as database:
        yield from _info(description)
        yield from _system(database, description)
        yield from _interactions(database)
        yield from _subscriptions(database)
        yield from _packets(database)


def _key(*parts: str) -> str:
    return ":".join((NAMESPACE, *parts))


def _info(description: RunDescription) -> Iterator[Member]:
    for node in description.nodes:
        for replica in node.replicas:
            value = {
                "hostname": replica,
                "task_id": replica,
                "cpu_count": description.cores,
                "mem_total": description.memory_bytes,
            }
            yield Member(_key("info", replica), description.started_at, value)


def _system(database: sqlite3.Connection, description: RunDescription) -> Iterator[Member]:
    for replica, at, cpu, memory in database.execute(
        "SELECT replica, at, cpu, memory_bytes FROM usage"
    ):
        value = {
            "cpu_percent": round(cpu * 100, 1),
            "mem_mb": round(memory / 2**20, 2),
            "mem_percent": round(memory / description.memory_bytes * 100, 1),
        }
        yield Member(_key("system", replica), at, value)


def _interactions(database: sqlite3.Connection) -> Iterator[Member]:
    for replica, side, at, seconds, thing, name, verb, error in database.execute(
        "SELECT replica, side, at, seconds, thing, affordance, operation, error FROM interaction"
    ):
        value = {
            "host": replica,
            "thing": thing,
            "name": name,
            "verb": verb,
            "class": _CLASSES[side],
            "latency": seconds,
            "error": _error(error),
        }
        yield Member(_key("thing", replica), at + seconds, value)


def _subscriptions(database: sqlite3.Connection) -> Iterator[Member]:
    rows = database.execute(
        "SELECT replica, at, thing, affordance, operation, change, error FROM subscription"
        " UNION ALL SELECT replica, at, thing, affordance, operation, '', '' FROM event"
    )
    for replica, at, thing, name, verb, change, error in rows:
        value = {
            "host": replica,
            "thing": thing,
            "name": name,
            "verb": verb,
            "class": "ConsumedThing",
            "event": _CHANGES.get(change, "on_next"),
            "error": _error(error),
        }
        yield Member(_key("thing", replica), at, value)


def _packets(database: sqlite3.Connection) -> Iterator[Member]:
    for at, network, sender, receiver, protocol, packets, size in database.execute(
        "SELECT at, network, sender, receiver, protocol, packets, data_bytes FROM traffic"
        " WHERE packets > 0"
    ):
        value = {
            "src": sender,
            "dst": receiver,
            "proto": protocol,
            "len": size,
            "packets": packets,
        }
        for replica in dict.fromkeys((sender, receiver)):
            yield Member(_key("packet", network, replica), at, value)


def _error(text: str) -> dict[str, str] | None:
    kind, _, message = text.partition(": ")
    return {"type": kind, "message": message} if text else None
