"""Work beside everything else: ended with its block, and never in silence."""

import asyncio
import logging

import pytest

from servient.background import Background


class Counting(Background):
    task_name = "counting"

    def __init__(self, limit: int | None = None) -> None:
        self.count = 0
        self._limit = limit

    async def _run(self) -> None:
        while self.count != self._limit:
            self.count += 1
            await asyncio.sleep(0)
        raise ValueError("no further")


def tasks() -> set[str]:
    return {task.get_name() for task in asyncio.all_tasks()}


async def test_it_lasts_as_long_as_its_block(caplog: pytest.LogCaptureFixture) -> None:
    async with Counting() as counting:
        while counting.count < 3:
            await asyncio.sleep(0)
        assert "counting" in tasks()
    assert "counting" not in tasks()
    assert caplog.records == []


async def test_a_fault_is_logged_and_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    async with Counting(limit=2) as counting:
        while not caplog.records:
            await asyncio.sleep(0)
    [record] = caplog.records
    assert (record.levelno, record.getMessage()) == (logging.ERROR, "counting has ended")
    assert record.exc_info is not None
    assert str(record.exc_info[1]) == "no further"
    assert counting.count == 2
