"""Observing properties and subscribing to events (RFC 7641)."""

import asyncio
import itertools
from typing import NoReturn

from aiocoap import Message
from aiocoap.numbers.codes import CONTENT

from servient.bindings.coap.answers import Answer, content_answer, to_answer
from servient.bindings.coap.blocks import Download, Downloads
from servient.bindings.coap.endpoint import Exchange
from servient.bindings.coap.incoming import Incoming
from servient.errors import Busy, NotFound, NoValue, OperationNotAllowed
from servient.wot.door import Door, Interaction
from servient.wot.operations import Operation
from servient.wot.subscription import QUEUE_LIMIT, Notification, Subscription

OBSERVERS_LIMIT = 4096
# An observer that there was nothing to tell for so long may have gone.
IDLE_SECONDS = 600.0
# Values of Observe in a request (RFC 7641 section 2).
REGISTER = 0
DEREGISTER = 1

# An observer that is slow gets a property's newest value, and of events each, in order.
_WAITING_LIMIT = {Operation.OBSERVE_PROPERTY: 1, Operation.SUBSCRIBE_EVENT: QUEUE_LIMIT}
_NUMBERS = 1 << 24


class Observations:
    """All observers. Each has one notification under way, and gets the next when that arrived."""

    def __init__(self, door: Door, downloads: Downloads) -> None:
        self._door = door
        self._downloads = downloads
        # One counter for all: numbers also grow when a client registers anew with the same token.
        self._numbers = itertools.count(1)
        self._subscriptions: set[Subscription] = set()

    def __len__(self) -> int:
        return len(self._subscriptions)

    def end(self) -> None:
        """Let every observer know that this is over."""
        for subscription in self._subscriptions:
            subscription.end()

    async def run(self, exchange: Exchange, interaction: Interaction) -> NoReturn:
        """Notify until the client is not interested any more, which cancels this.

        Raises NotFound when the Thing is gone: that ends the observation (RFC 7641 section 4.2).
        """
        if len(self) >= OBSERVERS_LIMIT:
            raise Busy(f"there are {OBSERVERS_LIMIT} observers; try again later")
        limit = _WAITING_LIMIT[interaction.operation]
        accept = exchange.request.options.accept
        async with self._door.subscribe(interaction, limit) as subscription:
            self._subscriptions.add(subscription)
            try:
                present = await self._present(interaction, accept)
                message, download = self._message(exchange.request, present)
                await exchange.begin(message)
                await _fetched(download)
                while (notification := await _next(subscription, exchange)) is not None:
                    answer = content_answer(notification.content, CONTENT, accept)
                    message, download = self._message(exchange.request, answer)
                    await exchange.notify(message)
                    await _fetched(download)
            finally:
                self._subscriptions.discard(subscription)
        raise NotFound(f"Thing {interaction.thing[:100]!r} is not served any more")

    async def _present(self, interaction: Interaction, accept: int | None) -> Answer:
        """The first answer: a property's value, or nothing when there is none to tell."""
        if interaction.operation is Operation.SUBSCRIBE_EVENT:
            return Answer(CONTENT)
        read = Interaction(Operation.READ_PROPERTY, interaction.thing, interaction.affordance)
        try:
            return to_answer(await self._door.perform(read), CONTENT, accept)
        except (NoValue, OperationNotAllowed):
            return Answer(CONTENT)

    def _message(self, request: Incoming, answer: Answer) -> tuple[Message, Download | None]:
        message, download = self._downloads.begin(request, answer)
        message.opt.observe = next(self._numbers) % _NUMBERS
        return message, download


async def _next(subscription: Subscription, exchange: Exchange) -> Notification | None:
    """The next notification, None at the end; who waits long for it is asked whether it is there."""
    while True:
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                return await anext(subscription)
        except TimeoutError:
            exchange.probe()
        except StopAsyncIteration:
            return None


async def _fetched(download: Download | None) -> None:
    """A further notification would replace the blocks that the client is still fetching."""
    if download is not None:
        await download.fetched()
