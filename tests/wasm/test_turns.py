"""Callers that wait for an idle instance: in their order, bounded, and none is forgotten."""

import asyncio
import random

import pytest

from servient.errors import Busy
from servient.wasm.turns import Turns


class Place:
    """What is idle or not."""

    def __init__(self, limit: int = 10) -> None:
        self.is_idle = False
        self.turns = Turns(lambda: self.is_idle, limit)

    def become_idle(self) -> None:
        self.is_idle = True
        self.turns.advance()


async def test_who_comes_first_is_first() -> None:
    place, order = Place(), list[int]()

    async def use(number: int) -> None:
        await place.turns.wait()
        with place.turns.taken():
            order.append(number)
            await asyncio.sleep(0)

    tasks = [asyncio.create_task(use(number)) for number in range(5)]
    await asyncio.sleep(0)
    assert order == []
    assert place.turns.has_waiting
    place.become_idle()
    late = asyncio.create_task(use(5))
    await asyncio.gather(*tasks, late)
    assert order == list(range(6))
    assert place.turns.is_free


async def test_too_many_are_busy() -> None:
    place = Place(limit=1)
    first = asyncio.create_task(place.turns.wait())
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await place.turns.wait()
    place.become_idle()
    await first
    place.turns.leave()
    assert place.turns.is_free


async def test_who_goes_leaves_the_turn_to_others() -> None:
    dice = random.Random(5)
    place, used = Place(limit=1000), 0

    async def use() -> None:
        nonlocal used
        await place.turns.wait()
        with place.turns.taken():
            await asyncio.sleep(0)
            used += 1

    for _ in range(50):
        place.is_idle = False
        tasks = [asyncio.create_task(use()) for _ in range(10)]
        await asyncio.sleep(0)
        gone = dice.sample(tasks, 4)
        for task in gone[:2]:
            task.cancel()
        place.become_idle()
        for task in gone[2:]:
            task.cancel()
            await asyncio.sleep(0)
        await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10)
        assert place.turns.is_free
    assert used >= 50 * 6
