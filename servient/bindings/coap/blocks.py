"""Bodies that do not fit a datagram (RFC 7959): those that come in, and those that go out."""

import asyncio
from typing import Any, TypeAlias

from aiocoap import Message
from aiocoap.numbers.codes import GET

from servient.bindings.coap.answers import Answer
from servient.bindings.coap.incoming import Asked
from servient.bindings.coap.options import Block
from servient.bindings.coap.refusals import BlocksMissing
from servient.bindings.coap.shelf import Shelf
from servient.errors import InvalidInput, TooLarge

# The largest block over UDP; what is larger is cut.
BLOCK_EXPONENT = 6
BLOCK_BYTES = 16 << BLOCK_EXPONENT
# A transfer in which nothing happens for so long is over (RFC 7252 section 4.8.2, MAX_TRANSMIT_WAIT).
KEEP_SECONDS = 93.0
# All unfinished transfers of one direction together may take as many bodies of the greatest size.
BODIES_LIMIT = 4
_ENTRY_BYTES = 1000
# A client that fetches an observed value by blocks and pauses for so long gets the next value.
PAUSE_SECONDS = 5.0

_Key: TypeAlias = tuple[Any, ...]


def _key(request: Asked) -> _Key:
    """Which requests belong to one transfer (RFC 7959 section 2.4)."""
    options = request.options
    return (
        request.remote.blockwise_key,
        request.code,
        options.path,
        options.queries,
        options.accept,
        options.request_tags,
    )


class Uploads:
    """Bodies of requests. No more than `limit_bytes` of one are ever kept."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._bodies: Shelf[_Key, bytearray] = Shelf(BODIES_LIMIT * limit_bytes, KEEP_SECONDS)

    def take(self, request: Asked) -> bytes | None:
        """The body of a request, or None when blocks of it are still to come.

        Raises TooLarge as soon as it is, BlocksMissing, and InvalidInput for a block of a wrong size.
        """
        block = request.options.block1
        payload: bytes = request.payload
        if block is None:
            self._require_room(len(payload))
            return payload
        if block.more and len(payload) != block.size:
            raise InvalidInput(f"a block of {block.size} bytes has {len(payload)}")
        key = _key(request)
        body = bytearray() if block.number == 0 else self._bodies.get(key)
        if body is None or len(body) != block.start:
            self._bodies.drop(key)
            raise BlocksMissing(f"block {block.number} does not follow what came before")
        self._bodies.drop(key)
        self._require_room(max(len(body) + len(payload), request.options.size1 or 0))
        body += payload
        if not block.more:
            return bytes(body)
        self._bodies.put(key, body, len(body) + _ENTRY_BYTES)
        return None

    def _require_room(self, size_bytes: int) -> None:
        if size_bytes > self._limit_bytes:
            raise TooLarge(f"the body is larger than {self._limit_bytes} bytes")

    def clear(self) -> None:
        self._bodies.clear()


class Download:
    """An answer that a client fetches block by block, always of the same bytes."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._etag = answer.etag()
        self.size_bytes = len(answer.body) + _ENTRY_BYTES
        self._asked = asyncio.Event()
        self._is_fetched = False

    def part(self, block: Block) -> Message:
        """Raises BlocksMissing."""
        message = self._answer.part(block, self._etag)
        self._is_fetched = not message.opt.block2.more
        self._asked.set()
        return message

    async def fetched(self) -> None:
        """Wait until the last block was asked for, or the client has paused."""
        while not self._is_fetched:
            self._asked.clear()
            try:
                async with asyncio.timeout(PAUSE_SECONDS):
                    await self._asked.wait()
            except TimeoutError:
                return


class Downloads:
    """Answers that clients are fetching."""

    def __init__(self, limit_bytes: int) -> None:
        self._kept: Shelf[_Key, Download] = Shelf(BODIES_LIMIT * limit_bytes, KEEP_SECONDS)

    def resume(self, request: Asked) -> Message | None:
        """The later block that a request asks for, of an answer that its client has begun to fetch.

        None when the request is for something else. Raises BlocksMissing when the answer is not
        kept and getting it anew would repeat an action.
        """
        block = request.options.block2
        if block is None or block.number == 0:
            return None
        key = _key(request)
        download = self._kept.get(key)
        if download is not None:
            self._kept.put(key, download, download.size_bytes)
            return download.part(block)
        if request.code is not GET:
            raise BlocksMissing("the answer is not kept any more")
        return None

    def begin(self, request: Asked, answer: Answer) -> tuple[Message, Download | None]:
        """The first message of an answer, and the download that continues it when it is cut."""
        block = request.options.block2 or Block(0, False, BLOCK_EXPONENT)
        if block.number == 0 and len(answer.body) <= block.size:
            return answer.message(), None
        download = Download(answer)
        message = download.part(block)
        self._kept.put(_key(request), download, download.size_bytes)
        return message, download

    def clear(self) -> None:
        self._kept.clear()
