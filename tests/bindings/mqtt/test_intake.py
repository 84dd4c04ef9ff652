"""Requests that wait for their turn, and those that the broker sends again."""

import asyncio
from collections.abc import Callable

from servient.bindings.mqtt.intake import Intake
from servient.mqtt.message import Message


class Desk:
    """Work that ends when it is told to; what was done and what was acknowledged."""

    def __init__(self, limit: int) -> None:
        self.intake = Intake(limit)
        self.done: list[int] = []
        self.acknowledged: list[str] = []
        self.go_on = asyncio.Event()

    def put(self, number: int, *, copy: str = "", is_again: bool = False, qos: int = 1) -> bool:
        async def work() -> None:
            await self.go_on.wait()
            self.done.append(number)

        message = Message(
            "t",
            b"%d" % number,
            qos,
            packet_id=number,
            is_again=is_again,
            acknowledge=self._acknowledging(f"{number}{copy}"),
        )
        return self.intake.put(message, work)

    def _acknowledging(self, name: str) -> Callable[[], None]:
        return lambda: self.acknowledged.append(name)

    async def finish(self) -> None:
        self.go_on.set()
        while len(self.intake):
            await asyncio.sleep(0)


async def test_what_waits_is_acknowledged_when_it_begins() -> None:
    desk = Desk(2)
    assert all(desk.put(number) for number in range(4))
    assert desk.acknowledged == ["0", "1"]
    await desk.finish()
    assert desk.done == [0, 1, 2, 3]
    assert desk.acknowledged == ["0", "1", "2", "3"]


async def test_what_came_at_most_once_does_not_wait() -> None:
    desk = Desk(1)
    assert desk.put(0, qos=0)
    assert not desk.put(1, qos=0)
    assert desk.put(2)
    await desk.finish()
    assert desk.done == [0, 2]


async def test_what_comes_again_is_done_once() -> None:
    """Of what has begun, the copy is acknowledged at once; of what waits, in place of the first."""
    desk = Desk(1)
    for copy, is_again in (("", False), ("b", True)):
        for number in range(3):
            assert desk.put(number, copy=copy, is_again=is_again)
    assert desk.acknowledged == ["0", "0b"]
    await desk.finish()
    assert desk.done == [0, 1, 2]
    assert desk.acknowledged == ["0", "0b", "1b", "2b"]


async def test_another_message_with_the_same_number_is_another() -> None:
    """After a broker has lost its sessions it counts anew."""
    desk = Desk(3)
    desk.put(1)
    desk.put(1)
    await desk.finish()
    assert desk.done == [1, 1]


async def test_stopping_gives_back_what_waits() -> None:
    desk = Desk(1)
    desk.put(0)
    desk.put(1)
    assert [message.payload for message in await desk.intake.stop()] == [b"1"]
    assert not desk.put(2)
    assert desk.done == []
