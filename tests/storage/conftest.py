"""A store in a folder of its own, and records to keep in it."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from servient.errors import ServientError
from servient.storage.store import Store
from servient.wot.record import Kept, Record, Status

Keep = Callable[..., Awaitable[Kept | ServientError]]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with Store(tmp_path) as opened:
        yield opened


def record(number: int = 1, **changes: Any) -> Record:
    now = time.time()
    members: dict[str, Any] = {
        "number": number,
        "thing": "d:m",
        "action": "f",
        "input": {"n": 7},
        "context": {},
        "requested_at_seconds": now,
        "status": Status.COMPLETED,
        "output": 21,
        "ended_at_seconds": now,
    }
    return Record(**members | changes)


async def keep(store: Store, *records: Record) -> list[Kept | ServientError]:
    """All of them at once; returns what became of each."""
    answers: list[asyncio.Future[Kept | ServientError]] = []
    for each in records:
        answer: asyncio.Future[Kept | ServientError] = asyncio.get_running_loop().create_future()
        store.invocations.record(each, answer.set_result)
        answers.append(answer)
    return await asyncio.gather(*answers)
