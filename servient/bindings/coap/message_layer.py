"""aiocoap's message layer, made fit for a server: a bounded memory, and word of what arrived."""

import asyncio
from typing import Any

from aiocoap import Message
from aiocoap.messagemanager import MessageManager
from aiocoap.numbers.codes import EMPTY, GET
from aiocoap.numbers.constants import TransportTuning
from aiocoap.numbers.types import ACK, CON, RST

from servient.bindings.coap.shelf import Shelf

WRITES_BYTES = 16 * 1024 * 1024
READS_BYTES = 4 * 1024 * 1024
# About what a remembered message takes beside its answer's bytes.
_ENTRY_BYTES = 500

_Remembered = tuple[bytes, bytes]  # the request's token, and the answer as it was sent, if any


class MessageLayer(MessageManager):
    """Confirmable messages, acknowledgements and duplicates (RFC 7252 section 4).

    aiocoap remembers every message for 247 s, however many, and takes a Message ID that comes round
    again for a duplicate. Here memory is bounded, and a duplicate has the same token, too. Many
    reads cannot push an invocation out of memory, which a late retransmission would run again.
    """

    def __init__(self, token_manager: Any) -> None:
        super().__init__(token_manager)
        lifetime_seconds = TransportTuning().EXCHANGE_LIFETIME
        self._writes: Shelf[Any, _Remembered] = Shelf(WRITES_BYTES, lifetime_seconds)
        self._reads: Shelf[Any, _Remembered] = Shelf(READS_BYTES, lifetime_seconds)
        self._awaited: dict[Any, asyncio.Future[None]] = {}

    async def delivered(self, message: Any) -> None:
        """Wait until the peer has acknowledged a message that was just handed to `send_message`.

        Who waits is cancelled when the peer rejects the message or does not answer: aiocoap ends
        the exchange that the message belongs to. A message that is not confirmable is not waited for.
        """
        if message.mtype is not CON or self._active_exchanges is None:
            return
        key = (message.remote, message.mid)
        acknowledged = self._awaited[key] = self.loop.create_future()
        try:
            await acknowledged
        finally:
            self._awaited.pop(key, None)

    def awaits(self, remote: Any, token: bytes) -> bool:
        """Whether there is a request of that token under way, such as of one who observes."""
        return bool(under_way := self.token_manager.incoming_requests) and (
            (token, remote) in under_way
        )

    def probe(self, remote: Any) -> None:
        """Ask whether a peer is there (RFC 7252 section 4.3).

        If it is, it rejects that; if not, aiocoap ends all that it has asked for.
        """
        ping = Message(code=EMPTY, _mtype=CON, payload=b"")
        ping.remote = remote
        self.send_message(ping, lambda: None)

    async def shutdown(self) -> None:
        for _, timer in self._piggyback_opportunities.values():
            timer.cancel()
        self._piggyback_opportunities.clear()
        self._writes.clear()
        self._reads.clear()
        await super().shutdown()

    # What aiocoap calls

    def _remove_exchange(self, message: Any) -> None:
        super()._remove_exchange(message)
        acknowledged = self._awaited.pop((message.remote, message.mid), None)
        if acknowledged is not None and not acknowledged.done() and message.mtype is ACK:
            acknowledged.set_result(None)

    def _deduplicate_message(self, message: Any) -> bool:
        key = (message.remote, message.mid)
        shelf = self._reads if message.code is GET else self._writes
        remembered = shelf.get(key)
        if remembered is None or remembered[0] != message.token:
            shelf.put(key, (message.token, b""), _ENTRY_BYTES)
            return False
        answer = remembered[1]
        if message.mtype is CON and answer:
            self.message_interface.send_bytes(answer, message.remote)
        return True

    def _store_response_for_duplicates(self, message: Any) -> None:
        """It is remembered as the bytes that go out, in `_send_via_transport`."""

    def _send_via_transport(self, message: Any) -> None:
        data = message.encode()
        if message.mtype in (ACK, RST):  # others have Message IDs of our own
            self._remember((message.remote, message.mid), data)
        self.message_interface.send_bytes(data, message.remote)

    def _remember(self, key: Any, answer: bytes) -> None:
        for shelf in (self._reads, self._writes):
            remembered = shelf.get(key)
            if remembered is not None and not remembered[1]:
                shelf.put(key, (remembered[0], answer), _ENTRY_BYTES + len(answer))
