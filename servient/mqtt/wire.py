"""The socket of a connection: whole packets in; bytes out, once per turn of the event loop."""

import asyncio
import logging
import socket
from collections.abc import Callable

from servient.mqtt.packets import variable_integer

logger = logging.getLogger(__name__)

# What is answered at once is answered while it is read: so much, and others have their turn.
READ_BYTES = 16 * 1024
LARGE_READ_BYTES = 1024 * 1024
# What is to go out beyond that waits with those who send it.
FULL_BYTES = 1024 * 1024
# What can wait does so for so long after something was sent, for others to go out with it.
LINGER_SECONDS = 0.001

OnPacket = Callable[[int, bytes], None]


class Wire:
    """Between `open` and `end`, which calls `on_end` with its reason, once.

    `on_packet` gets a packet's first byte and what follows its length; whatever it raises ends the
    connection. `on_room` is called when the socket has taken what it was too full for.
    """

    def __init__(
        self,
        connected: socket.socket,
        on_packet: OnPacket,
        on_room: Callable[[], None],
        on_end: Callable[[str], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._socket = connected
        self._on_packet = on_packet
        self._on_room = on_room
        self._on_end: Callable[[str], None] | None = on_end
        self._received = bytearray()
        self._wanted_bytes = 0
        self._out: list[bytes | memoryview] = []
        self._out_bytes = 0
        self._is_flush_due = False
        self._linger: asyncio.TimerHandle | None = None
        self._lingers_until = 0.0
        self._is_writer_waiting = False

    def open(self) -> None:
        self._loop.add_reader(self._socket, self._read)

    @property
    def is_over(self) -> bool:
        return self._on_end is None

    @property
    def is_full(self) -> bool:
        return self._out_bytes >= FULL_BYTES

    def write(self, data: bytes, *, can_wait: bool = False) -> None:
        """Have it sent, together with what else there is to send in this turn of the loop.

        What can wait is sent at once when there was nothing lately, else within a moment.
        """
        if self._on_end is None:
            return
        self._out.append(data)
        self._out_bytes += len(data)
        if self._is_flush_due or (can_wait and self._linger is not None):
            return
        if can_wait and self._loop.time() < self._lingers_until:
            self._linger = self._loop.call_at(self._lingers_until, self._flush)
            return
        self._is_flush_due = True
        self._loop.call_soon(self._flush)

    def flush(self) -> None:
        """Send now what the socket takes."""
        if self._on_end is not None and self._out:
            self._send()

    def end(self, reason: str) -> None:
        """Close the socket, without a word to the broker."""
        if self._on_end is None:
            return
        on_end, self._on_end = self._on_end, None
        self._loop.remove_writer(self._socket)
        self._loop.remove_reader(self._socket)
        self._socket.close()
        self._out.clear()
        self._stop_lingering()
        on_end(reason)

    # Out

    def _flush(self) -> None:
        if self._on_end is not None and self._out and not self._is_writer_waiting:
            self._send()

    def _stop_lingering(self) -> None:
        linger, self._linger = self._linger, None
        if linger is not None:
            linger.cancel()

    def _send(self) -> None:
        self._stop_lingering()
        self._lingers_until = self._loop.time() + LINGER_SECONDS
        was_full = self.is_full
        data = self._out[0] if len(self._out) == 1 else b"".join(self._out)
        try:
            count = self._socket.send(data)
        except (BlockingIOError, InterruptedError):
            count = 0
        except OSError as error:
            self.end(f"nothing can be sent: {error}")
            return
        self._out_bytes = len(data) - count
        # A view: a large message is not to be copied as often as a part of it goes out.
        self._out = [memoryview(data)[count:]] if self._out_bytes else []
        self._wait_for_room(bool(self._out))
        if was_full and not self.is_full:
            self._on_room()

    def _wait_for_room(self, is_needed: bool) -> None:
        self._is_flush_due = is_needed  # while the socket takes no more, nobody need ask
        if is_needed == self._is_writer_waiting:
            return
        self._is_writer_waiting = is_needed
        if is_needed:
            self._loop.add_writer(self._socket, self._send)
        else:
            self._loop.remove_writer(self._socket)

    # In

    def _read(self) -> None:
        try:
            missing_bytes = self._wanted_bytes - len(self._received)
            data = self._socket.recv(min(max(READ_BYTES, missing_bytes), LARGE_READ_BYTES))
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self.end(f"nothing can be received: {error}")
            return
        if not data:
            self.end("the broker closed the connection")
            return
        try:
            self._take(data)
        except Exception as error:
            logger.debug("a packet could not be read", exc_info=True)
            self.end(f"the broker sent something malformed: {error!r}")

    def _take(self, received: bytes) -> None:
        if self._received:  # the beginning of a packet
            self._received += received
            if len(self._received) < self._wanted_bytes:
                return
            received = bytes(self._received)
            self._received.clear()
            self._wanted_bytes = 0
        at = 0
        while self._on_end is not None and (begin_end := _bounds(received, at)) is not None:
            begin, end = begin_end
            if end > len(received):
                self._wanted_bytes = end - at
                break
            self._on_packet(received[at], received[begin:end])
            at = end
        if at < len(received):
            self._received += received[at:]


def _bounds(received: bytes, at: int) -> tuple[int, int] | None:
    """Where what follows the length of a packet begins and ends (MQTT 5 section 2.1).

    None while the length is not there. Raises Malformed.
    """
    try:
        length, begin = variable_integer(received, at + 1)
    except IndexError:
        return None
    return begin, begin + length


async def open_socket(host: str, port: int) -> socket.socket:
    """A connected socket. Raises OSError."""
    loop = asyncio.get_running_loop()
    failure = OSError("the name has no address")
    for family, kind, protocol, _, address in await loop.getaddrinfo(
        host, port, type=socket.SOCK_STREAM
    ):
        opened = socket.socket(family, kind, protocol)
        opened.setblocking(False)
        try:
            await loop.sock_connect(opened, address)
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            opened.close()
            failure = error
        except BaseException:
            opened.close()
            raise
        else:
            return opened
    raise failure
