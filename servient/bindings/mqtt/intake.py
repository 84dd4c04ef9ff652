"""Requests as they come in: so many are served at once, the others wait in order."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from servient.mqtt.message import Message

# Not all brokers hold back what was not acknowledged: MQTT 3.1.1 has no words for it, and mosquitto
# 2.0 sends more than it is told to.
WAITING_LIMIT = 4096
WAITING_LIMIT_BYTES = 64 * 1024 * 1024
_REMEMBERED = 2 * WAITING_LIMIT

# Does it at once, or gives what takes waiting.
Work = Callable[[], Coroutine[Any, Any, None] | None]
_Key = tuple[object, ...]


@dataclass(slots=True)
class _Waiting:
    message: Message
    work: Work


class Intake:
    """Acknowledges a message when its work begins, so that the broker keeps what is not begun.

    One that the broker sends again after a lost connection, although we have it, is not done twice.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting: deque[_Waiting] = deque()
        self._waiting_bytes = 0
        self._seen: OrderedDict[int, _Key] = OrderedDict()
        self._is_stopped = False

    def put(self, message: Message, work: Work) -> bool:
        """False when there is no room for it. What came at most once does not wait."""
        if self._is_stopped:
            return False
        if self._is_known(message):
            return True
        if not self._waiting and len(self._tasks) < self._limit:
            self._begin(message, work)
        elif message.qos and self._has_room(message):
            self._waiting.append(_Waiting(message, work))
            self._waiting_bytes += len(message.payload)
        else:
            return False
        return True

    async def stop(self) -> list[Message]:
        """Cancel what is under way; gives back what still waits."""
        self._is_stopped = True
        left = [waiting.message for waiting in self._waiting]
        self._waiting.clear()
        self._waiting_bytes = 0
        await asyncio.sleep(0)  # what has just begun gets as far as to hear of its end
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return left

    def __len__(self) -> int:
        return len(self._tasks) + len(self._waiting)

    def _has_room(self, message: Message) -> bool:
        is_small = self._waiting_bytes + len(message.payload) <= WAITING_LIMIT_BYTES
        return is_small and len(self._waiting) < WAITING_LIMIT

    def _begin(self, message: Message, work: Work) -> None:
        message.acknowledge()
        rest = work()
        if rest is not None:
            task = asyncio.create_task(rest, name="MQTT request")
            self._tasks.add(task)
            task.add_done_callback(self._end)

    def _end(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        while self._waiting and len(self._tasks) < self._limit:
            taken = self._waiting.popleft()
            self._waiting_bytes -= len(taken.message.payload)
            self._begin(taken.message, taken.work)

    def _is_known(self, message: Message) -> bool:
        """Whether a message has come before, on a connection that was lost (MQTT 5 section 4.4)."""
        if not message.qos:
            return False
        key = (message.topic, message.correlation, len(message.payload), hash(message.payload))
        is_known = message.is_again and self._seen.get(message.packet_id) == key
        if is_known:
            self._acknowledge_again(message)
        self._seen[message.packet_id] = key
        self._seen.move_to_end(message.packet_id)
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return is_known

    def _acknowledge_again(self, message: Message) -> None:
        """At once when it has begun; when it waits, it is the later copy that is acknowledged."""
        for waiting in self._waiting:
            if waiting.message == message and waiting.message.packet_id == message.packet_id:
                waiting.message = message
                return
        message.acknowledge()
