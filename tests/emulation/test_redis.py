"""Runs under WoTemu's keys, in a real Redis."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from emulation.metrics.redis_keys import RedisFailed
from emulation.reporting import export_to_redis
from tests.emulation.runs import START, write_run
from tests.tools import needs


@pytest.fixture
async def redis(tmp_path: Path) -> AsyncIterator[Redis]:
    """On a socket of its own, keeping nothing."""
    socket = tmp_path / "redis.sock"
    arguments = ("--port", "0", "--unixsocket", str(socket), "--save", "", "--appendonly", "no")
    process = await asyncio.create_subprocess_exec(
        needs("redis-server"), *arguments, stdout=asyncio.subprocess.DEVNULL, cwd=tmp_path
    )
    async with asyncio.timeout(30):
        while not socket.exists():
            await asyncio.sleep(0.02)
    client = Redis.from_url(f"unix://{socket}")
    yield client
    await client.aclose()
    process.terminate()
    await process.wait()


async def test_what_was_measured_is_under_wotemu_s_keys(redis: Redis, tmp_path: Path) -> None:
    write_run(tmp_path / "run")
    url = f"unix://{tmp_path / 'redis.sock'}"
    assert await asyncio.to_thread(export_to_redis, tmp_path / "run", url) > 500
    names: Any = await redis.keys("wotemu:*")
    keys = {name.decode() for name in names}
    kinds = ("info", "system", "thing", "packet:wifi")
    assert keys == {f"wotemu:{kind}:{name}" for kind in kinds for name in ("reader", "server")}
    found: Any = await redis.zrange("wotemu:thing:reader", 0, -1)
    things = [json.loads(item) for item in found]
    calls = [item for item in things if "latency" in item]
    assert len(calls) == 200
    assert sum(item["error"] is not None for item in calls) == 5
    assert {item["class"] for item in calls} == {"ConsumedThing"}
    assert sum(item.get("event") == "on_next" for item in things) == 40
    found = await redis.zrange("wotemu:info:server", 0, -1, withscores=True)
    [(member, score)] = found
    assert (json.loads(member)["cpu_count"], score) == (2, START)


async def test_a_redis_that_is_not_there(tmp_path: Path) -> None:
    write_run(tmp_path / "run")
    with pytest.raises(RedisFailed):
        await asyncio.to_thread(export_to_redis, tmp_path / "run", f"unix://{tmp_path}/none")
    with pytest.raises(RedisFailed):
        await asyncio.to_thread(export_to_redis, tmp_path / "run", "nonsense")
