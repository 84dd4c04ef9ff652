"""One request on a connection, while it comes in, and its answer."""

import asyncio
from contextlib import aclosing
from typing import Protocol

from servient.bindings.http.head import BODILESS, to_head
from servient.bindings.http.messages import Body, Response
from servient.bindings.http.watch import ClientGone

# Of a body that nobody reads, and of what a client does not take.
HIGH_WATER_BYTES = 64 * 1024


class Channel(Protocol):
    """The connection, as far as an exchange needs it."""

    scheme: str
    client: str
    server: str
    is_write_paused: bool

    @property
    def date(self) -> bytes: ...

    def write(self, data: bytes) -> None: ...

    async def drained(self) -> None: ...

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def completed(self, exchange: "Exchange") -> None: ...


class Exchange:
    """What is asked, and whether it is answered yet. Of a repeated header, the first counts."""

    __slots__ = (
        "_changed",
        "_expects_continue",
        "_has_more",
        "_pieces",
        "_size_bytes",
        "channel",
        "headers",
        "is_begun",
        "is_complete",
        "is_gone",
        "keep_alive",
        "method",
        "path",
        "query",
    )

    def __init__(
        self,
        channel: Channel,
        method: str,
        path: str,
        query: bytes,
        headers: dict[bytes, bytes],
        *,
        keep_alive: bool,
    ) -> None:
        self.channel = channel
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.keep_alive = keep_alive
        self.is_begun = self.is_complete = self.is_gone = False
        self._expects_continue = headers.get(b"expect", b"").lower() == b"100-continue"
        self._pieces: list[bytes] = []
        self._size_bytes = 0
        self._has_more = True
        self._changed: asyncio.Event | None = None

    # What comes in

    def take(self, piece: bytes) -> None:
        """Some of the body."""
        if self.is_complete:
            return
        self._pieces.append(piece)
        self._size_bytes += len(piece)
        if self._size_bytes > HIGH_WATER_BYTES:
            self.channel.pause_reading()
        self._tell()

    def end_body(self) -> None:
        self._has_more = False
        self._tell()

    def lose(self) -> None:
        """The client has gone."""
        self.is_gone = True
        self._tell()

    def take_ready_body(self) -> bytes | None:
        """The body, if it is there already, and nobody has read any of it. To be asked once."""
        return None if self._has_more else self._taken()

    async def next_piece(self) -> tuple[bytes, bool]:
        """What has come of the body, and whether there is more. Raises ClientGone."""
        if self._expects_continue and self._has_more and not self.is_gone:
            self._expects_continue = False
            self.channel.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        while self._has_more and not (self._pieces or self._is_over):
            self.channel.resume_reading()
            await self._change()
        if self._is_over:
            raise ClientGone
        return self._taken(), self._has_more

    async def gone(self) -> None:
        """Until the client goes away, or has its answer; what it sends until then is not wanted."""
        while not self._is_over:
            self._taken()
            self.channel.resume_reading()
            await self._change()

    @property
    def _is_over(self) -> bool:
        return self.is_gone or self.is_complete

    def _taken(self) -> bytes:
        pieces, self._pieces, self._size_bytes = self._pieces, [], 0
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _tell(self) -> None:
        if self._changed is not None:
            self._changed.set()

    async def _change(self) -> None:
        if self._changed is None:
            self._changed = asyncio.Event()
        self._changed.clear()
        await self._changed.wait()

    # What goes out

    async def send(self, response: Response) -> None:
        """Give an answer, as fast as the client takes it."""
        if self.channel.is_write_paused:
            await self.channel.drained()
        if isinstance(response.body, bytes):
            self.answer(response)
        else:
            async with aclosing(response.body) as body:
                await self._stream(response, body)

    def answer(self, response: Response) -> None:
        """Give one whose body is there."""
        body = response.body
        assert isinstance(body, bytes)  # noqa: S101 - others are sent
        head = to_head(response, self.channel.date, keep_alive=self.keep_alive)
        if self.is_gone:
            return
        if self.method == "HEAD" or response.status in BODILESS:
            self.channel.write(head)
        elif len(body) < HIGH_WATER_BYTES:
            self.channel.write(head + body)
        else:  # not copied once more
            self.channel.write(head)
            self.channel.write(body)
        self._complete()

    async def _stream(self, response: Response, body: Body) -> None:
        head = to_head(response, self.channel.date, keep_alive=self.keep_alive)
        if self.is_gone:
            return
        self.channel.write(head)
        if self.method != "HEAD":
            async for piece in body:
                if self.channel.is_write_paused:
                    await self.channel.drained()
                if self.is_gone:
                    return
                if piece:
                    self.channel.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            if self.is_gone:  # which is why the body ended
                return
            self.channel.write(b"0\r\n\r\n")
        self._complete()

    def _complete(self) -> None:
        self.is_complete = True
        self._tell()
        self.channel.completed(self)
