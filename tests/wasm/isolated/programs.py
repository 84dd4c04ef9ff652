"""Programs in the place of the one that runs modules, which do not do as they should."""

import sys
import zlib
from collections.abc import Sequence

# Takes what it is told and says that it is ready; what it does then is `then`.
_BEGINNING = """
import os, socket, sys, time, zlib
from servient.wasm.isolated.messages import Decoder, to_bytes
channel, decoder = socket.socket(fileno=0), Decoder(2**32)
channel.setblocking(True)
def receive():
    while True:
        data = channel.recv(2**20)
        if not data:
            sys.exit(0)
        if list(decoder.feed(data)):
            return
receive()
"""


def program(then: str) -> Sequence[str]:
    """One that says that it is ready, and goes on with `then`."""
    return (sys.executable, "-c", f"{_BEGINNING}channel.sendall(to_bytes({{}}))\n{then}")


def answering(answer: bytes) -> Sequence[str]:
    """One that gives the same answer to every call."""
    packed = zlib.compress(answer)  # a command line has a limit
    then = "while True:\n    receive()\n    channel.sendall(zlib.decompress(%r))"
    return program(then % packed)


def starting(then: str) -> Sequence[str]:
    """One that was told what to do and does `then`."""
    return (sys.executable, "-c", f"{_BEGINNING}{then}")
