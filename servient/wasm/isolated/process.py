"""The program that runs one module: it is told which on its standard input, a socket, and answers there."""

import os
import socket
import sys
from collections.abc import Iterator

from servient.errors import ServientError
from servient.wasm.current import Current
from servient.wasm.engine import Engine
from servient.wasm.folder import Folder
from servient.wasm.imports.standard import build_namespaces
from servient.wasm.isolated.answers import error_to_bytes, result_to_bytes
from servient.wasm.isolated.calls import KeptBuffers, to_call
from servient.wasm.isolated.messages import Decoder, Message, to_bytes
from servient.wasm.isolated.restraints import allow_seconds, die_with_parent, restrain
from servient.wasm.isolated.setup import Setup, to_setup
from servient.wasm.types import Call
from servient.wasm.watch import Watch

_RECEIVE_BYTES = 2**18
_ANY_SIZE = 2**32  # the servient is believed


def main() -> None:
    """Until the servient closes the socket, which is how it ends."""
    die_with_parent()
    channel = _take_over_input()
    messages = _receive(channel)
    setup = to_setup(next(messages))
    restrain(setup.limits)
    folder = Folder(setup.folder, setup.limits)
    folder.remove(setup.leftovers)
    current = _load(setup, folder)
    try:
        begun_with = setup.prelude.deadline_seconds if setup.prelude else 0.0
        allow_seconds(setup.limits.start_seconds + begun_with)
        current.ready()
    except ServientError as error:
        channel.sendall(error_to_bytes(error))
        return
    channel.sendall(to_bytes({}))
    if setup.is_stateless:
        _forget(current, folder)
    kept = KeptBuffers()
    for message in messages:
        channel.sendall(_answer(current, to_call(message, kept)))
        if setup.is_stateless:
            _forget(current, folder)


def _forget(current: Current, folder: Folder) -> None:
    """What a call of a stateless module leaves behind no other finds."""
    current.drop()
    folder.reset()


def _answer(current: Current, call: Call) -> bytes:
    allow_seconds(call.deadline_seconds)
    try:
        return result_to_bytes(current.call(call))
    except ServientError as error:
        return error_to_bytes(error)


def _load(setup: Setup, folder: Folder) -> Current:
    os.chdir(setup.directory)
    engine = Engine(setup.limits, namespaces=build_namespaces(setup.settings))
    engine.ticker.start()
    module = engine.load(setup.code, setup.digest, setup.size_bytes)
    watch = Watch(engine.ticker)
    return Current(
        engine,
        module,
        folder,
        setup.limits,
        watch,
        setup.wasi,
        setup.prelude,
        setup.is_replacement,
    )


def _take_over_input() -> socket.socket:
    """The socket for ourselves alone: nothing that reads an input finds it."""
    channel = socket.socket(fileno=os.dup(0))
    channel.setblocking(True)  # how it was made is the same for both of its ends
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.close(nothing)
    return channel


def _receive(channel: socket.socket) -> Iterator[Message]:
    decoder = Decoder(_ANY_SIZE)
    while data := channel.recv(_RECEIVE_BYTES):
        yield from decoder.feed(data)


if __name__ == "__main__":
    try:
        main()
    except (BrokenPipeError, ConnectionResetError, KeyboardInterrupt):
        sys.exit(1)  # the servient is gone
