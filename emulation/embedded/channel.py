"""Messages between the runner and the processes of an emulation: JSON, one per packet."""

import json
import socket
import struct
from collections import deque
from typing import Any

MESSAGE_BYTES = 65_536
UNSENT_LIMIT = 1000
# What the runner says: that all are ready, so that schedules count from now; and that it is over.
BEGIN, STOP = b"begin", b"stop"
CREDENTIALS = struct.Struct("3i")


def make_channel() -> tuple[socket.socket, socket.socket]:
    """The runner's end, which learns who writes, and the other, which all processes inherit."""
    runner, emulation = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    runner.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    runner.setblocking(False)
    return runner, emulation


def receive(channel: socket.socket) -> tuple[dict[str, Any], int] | None:
    """A message and its sender's process id as it is called here; None when all senders are gone.

    Raises BlockingIOError when there is none.
    """
    space = socket.CMSG_SPACE(CREDENTIALS.size)
    text, extra, _, _ = channel.recvmsg(MESSAGE_BYTES, space)
    if not text:
        return None
    process = 0
    for level, kind, value in extra:
        if level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS:
            process = CREDENTIALS.unpack(value)[0]
    return json.loads(text), process


class Speaker:
    """Sends messages without ever waiting: what finds no room is sent before the next."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._unsent: deque[bytes] = deque(maxlen=UNSENT_LIMIT)

    def say(self, kind: str, **content: Any) -> None:
        self._unsent.append(json.dumps({"kind": kind, **content}).encode())
        while self._unsent:
            try:
                self._channel.send(self._unsent[0], socket.MSG_DONTWAIT)
            except OSError:
                return  # full, or the runner is gone: then this process ends soon
            self._unsent.popleft()
