"""What a stream's client missed while it was away (WHATWG HTML section 9.2.4, `Last-Event-ID`)."""

import asyncio
from typing import TypeAlias

from servient.wot.door import Door, Interaction
from servient.wot.operations import Operation
from servient.wot.subscription import Notification, Subscription

# For as long as this nobody has to ask for what is kept; then it is forgotten.
LINGER_SECONDS = 300.0
KEPT_LIMIT = 64
# Of what may be whole files.
BULKY_LIMIT = 4
RECORDS_LIMIT = 256

_Key: TypeAlias = tuple[Operation, str, str]


class Replays:
    """Keeps the last notifications of what is streamed, from its first stream on.

    What nobody streams costs nothing. One that is not asked for any more is forgotten after a while.
    """

    def __init__(self, door: Door, linger_seconds: float = LINGER_SECONDS) -> None:
        self._door = door
        self._linger_seconds = linger_seconds
        self._records: dict[_Key, tuple[Subscription, asyncio.TimerHandle]] = {}

    def missed(self, interaction: Interaction, last_id: int | None) -> tuple[Notification, ...]:
        """What was published after the notification `last_id`; keeps what comes from now on.

        Nothing for a client that has seen none. Raises what the door raises.
        """
        record = self._record(interaction)
        if last_id is None:
            return ()
        return tuple(each for each in record.pending() if each.id > last_id)

    def _record(self, interaction: Interaction) -> Subscription:
        key = (interaction.operation, interaction.thing, interaction.affordance)
        record, timer = self._records.pop(key, (None, None))
        if timer is not None:
            timer.cancel()
        if record is None or record.is_ended:
            limit = KEPT_LIMIT if self._is_light(interaction) else BULKY_LIMIT
            record = self._door.subscribe(interaction, limit)
        if len(self._records) >= RECORDS_LIMIT:
            self._forget(next(iter(self._records)))
        loop = asyncio.get_running_loop()
        self._records[key] = (record, loop.call_later(self._linger_seconds, self._forget, key))
        return record

    def _is_light(self, interaction: Interaction) -> bool:
        return self._door.is_json(interaction)

    def _forget(self, key: _Key) -> None:
        record, timer = self._records.pop(key)
        timer.cancel()
        record.close()

    def close(self) -> None:
        for key in tuple(self._records):
            self._forget(key)
