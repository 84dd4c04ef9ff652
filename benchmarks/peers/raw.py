"""Answers on bare sockets, without looking at what is asked: how fast the load generators are.

python -m benchmarks.peers.raw HTTP_PORT WEBSOCKET_PORT COAP_PORT
"""

import asyncio
import base64
import hashlib
import socket
import sys
from typing import cast

import uvloop

_HTTP = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n21"
_END = b"\r\n\r\n"
# RFC 6455 section 1.3.
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Http(asyncio.Protocol):
    """One answer for each end of a head: requests without a body are counted on."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._transport.write(_HTTP * data.count(_END))


class WebSocket(Http):
    """Sends frames back without their masks; those of clients that mask with zeros."""

    _is_open = False
    _rest = b""

    def data_received(self, data: bytes) -> None:
        if not self._is_open:
            self._is_open = True
            self._transport.write(_accept(data))
            return
        data, at, frames = self._rest + data, 0, []
        while len(data) >= at + 8:
            length, begin = data[at + 1] & 0x7F, at + 2
            if length == 126:
                length, begin = int.from_bytes(data[begin : begin + 2], "big"), begin + 2
            end = begin + 4 + length
            if len(data) < end:
                break
            frames += [data[at : at + 1], bytes((data[at + 1] & 0x7F,)), data[at + 2 : begin]]
            frames.append(data[begin + 4 : end])
            at = end
        self._rest = data[at:]
        self._transport.write(b"".join(frames))


def _accept(head: bytes) -> bytes:
    key = head.lower().index(b"sec-websocket-key:") + 18
    digest = hashlib.sha1(head[key : head.index(b"\r\n", key)].strip() + _GUID)
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + base64.b64encode(digest.digest()) + _END
    )


class Coap:
    """Acknowledges each datagram with 2.05 and a payload."""

    def __init__(self, port: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", port))
        self._socket.setblocking(False)

    def serve(self) -> None:
        asyncio.get_running_loop().add_reader(self._socket, self._read)

    def _read(self) -> None:
        data, address = self._socket.recvfrom(2048)
        self._socket.sendto(b"\x64\x45" + data[2:8] + b"\xff21", address)


async def main(http_port: int, websocket_port: int, coap_port: int) -> None:
    loop = asyncio.get_running_loop()
    await loop.create_server(Http, "127.0.0.1", http_port)
    await loop.create_server(WebSocket, "127.0.0.1", websocket_port)
    Coap(coap_port).serve()
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(*(int(port) for port in sys.argv[1:4])))
