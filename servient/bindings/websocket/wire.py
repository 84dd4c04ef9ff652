"""tornado's WebSocket with many frames to a read, and many to a write."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketProtocol13

from servient.bindings.websocket.frames import BrokenFrame, Frames, TooBig, text_header

# What is answered at once is answered while it is read: so much, and others have their turn.
READ_BYTES = 16 * 1024
# So much is gathered for one write; beyond, whoever sends waits.
GATHERED_BYTES = 64 * 1024
TOO_BIG = 1009


class Wire(WebSocketProtocol13):
    """tornado reads a frame in three to four pieces, each awaited, and makes a task of each write.

    This takes all frames that have come together, and sends in one piece all texts of one turn of the
    loop. Handshakes, control frames and endings are tornado's. `on_stalled` is called when a peer has
    not taken what was sent within `drain_seconds`.
    """

    def __init__(
        self,
        handler: Any,
        params: Any,
        *,
        drain_seconds: float,
        on_stalled: Callable[[], None],
    ) -> None:
        super().__init__(handler, mask_outgoing=False, params=params)
        self._frames = Frames(params.max_message_size)
        self._drain_seconds = drain_seconds
        self._on_stalled = on_stalled
        self._loop = asyncio.get_running_loop()
        self._gathered: list[bytes] = []
        self._gathered_bytes = 0
        self._sent: asyncio.Future[None] | None = None

    # Out

    def put(self, text: bytes) -> bool:
        """Have a text sent at the end of this turn. False when it is better to wait by `flush`.

        Nothing is sent any more when the connection is closing.
        """
        if self.is_closing():
            return True
        if not self._gathered:
            self._loop.call_soon(self._write_gathered)
        self._gathered += (text_header(len(text)), text)
        self._gathered_bytes += len(text)
        return self._gathered_bytes < GATHERED_BYTES and not self.stream.writing()

    async def flush(self) -> None:
        """Returns when all that was put is on its way, or the connection closed."""
        self._write_gathered()
        if self._sent is not None:
            with contextlib.suppress(StreamClosedError):
                await asyncio.shield(self._sent)

    def _write_gathered(self) -> None:
        if not self._gathered:
            return
        data = b"".join(self._gathered)
        self._gathered.clear()
        self._gathered_bytes = 0
        if self.stream.closed():
            return
        self._wire_bytes_out += len(data)
        sent = self._sent = self.stream.write(data)
        if self.stream.writing():
            timer = self._loop.call_later(self._drain_seconds, self._on_stalled)
            sent.add_done_callback(lambda _: timer.cancel())

    def _write_frame(self, *arguments: Any, **options: Any) -> "asyncio.Future[None]":
        """tornado's way to send a control frame: after what was put before it."""
        self._write_gathered()
        return super()._write_frame(*arguments, **options)

    # In

    async def _receive_frame(self) -> None:
        """All that has come, instead of one frame as tornado does."""
        size_bytes = max(READ_BYTES, self._frames.missing_bytes)
        data = await self.stream.read_bytes(size_bytes, partial=True)
        self._wire_bytes_in += len(data)
        self._frames.feed(data)
        try:
            while (message := self._frames.next()) is not None:
                handled = self._handle_message(message.opcode, message.data)
                if handled is not None:
                    await handled
                if self.client_terminated or self.stream.closed():
                    return
        except TooBig:
            self.close(TOO_BIG, "message too big")
            self._abort()
        except BrokenFrame:
            self._abort()
        if len(data) >= READ_BYTES:
            await asyncio.sleep(0)  # of who sends so much, more is there already
