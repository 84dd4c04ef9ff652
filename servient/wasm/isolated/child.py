"""The servient's side of a module's process: spawned, asked, killed."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections import deque
from collections.abc import Callable, Sequence

from servient.errors import Busy
from servient.wasm.isolated.complaints import Complaints
from servient.wasm.isolated.messages import Decoder, Malformed, Message

PROGRAM = (sys.executable, "-P", "-m", "servient.wasm.isolated.process")
# For an end of the socket that somebody else holds, after the process has ended.
EOF_SECONDS = 0.2


class ProcessEnded(Exception):
    """The process will not answer any more; says why."""


class Child:
    """One process. It answers what it is asked in order, or it is killed.

    `on_end` is called once, with the reason, as soon as nothing can be expected of it any more.
    """

    def __init__(self, name: str, on_end: Callable[["Child", str], None]) -> None:
        self._on_end = on_end
        self._complaints = Complaints(name)
        self._decoder = Decoder()
        self._asked: deque[asyncio.Future[Message]] = deque()
        self._reason: str | None = None
        self._has_hung_up = False
        self._has_exited = False
        self._is_gone = asyncio.Event()
        self._process: asyncio.SubprocessTransport | None = None
        self._transport: asyncio.WriteTransport | None = None

    async def spawn(self, program: Sequence[str] = PROGRAM) -> None:
        """Spawned and not forked: a fork would take along what the servient has. Raises Busy."""
        loop = asyncio.get_running_loop()
        try:
            ours, theirs = socket.socketpair()
        except OSError as error:
            raise _no_process(error) from error
        try:
            with theirs:
                self._process, _ = await loop.subprocess_exec(
                    lambda: _Process(self),
                    *program,
                    stdin=theirs.fileno(),
                    stdout=asyncio.subprocess.DEVNULL,
                    stderr=asyncio.subprocess.PIPE,
                    cwd="/",
                    env={"PYTHONPATH": ":".join(path for path in sys.path if path)},
                    start_new_session=True,  # so that all of it is killed, and by nobody else
                )
            ours.setblocking(False)
            self._transport, _ = await loop.create_unix_connection(
                lambda: _Channel(self), sock=ours
            )
        except OSError as error:
            ours.close()
            raise _no_process(error) from error
        except BaseException:
            ours.close()
            raise

    @property
    def pid(self) -> int:
        assert self._process is not None  # noqa: S101 - asked of what was spawned
        return self._process.get_pid()

    def ask(self, parts: Sequence[bytes], answer_limit_bytes: int) -> asyncio.Future[Message]:
        """Send a message in parts; its answer is of so many bytes at most. The future raises ProcessEnded."""
        future: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        if self._reason is not None or self._transport is None:
            future.set_exception(ProcessEnded(self._reason))
            return future
        self._asked.append(future)
        self._decoder.limit_bytes = answer_limit_bytes
        for part in parts:
            self._transport.write(part)
        return future

    def kill(self, reason: str) -> None:
        """At once, whatever it does."""
        self._end(reason)
        if self._process is not None and self._process.get_returncode() is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                # It leads a session: this is whatever it may have started, too.
                os.killpg(self._process.get_pid(), signal.SIGKILL)

    async def wait(self) -> None:
        """Until it is gone, after `kill`."""
        if self._process is not None:
            await self._is_gone.wait()

    # What its transports tell

    def received(self, data: bytes) -> None:
        if self._reason is not None:
            return
        try:
            for message in self._decoder.feed(data):
                if not self._asked:
                    raise Malformed("an answer to nothing")
                future = self._asked.popleft()
                if not future.done():
                    future.set_result(message)
        except Malformed as error:
            self.kill(f"its process sent nonsense: {error}")

    def complained(self, text: bytes) -> None:
        self._complaints.add(text)

    def hung_up(self) -> None:
        """The socket is closed: how the process ended is told in a moment."""
        self._has_hung_up = True
        self._close("its process closed its socket")

    def exited(self) -> None:
        """The process is gone: what it sent before is still in the socket."""
        self._has_exited = True
        self._close(_how_it_ended(self._process))

    def _close(self, reason: str) -> None:
        """Socket and process end together, or one of them is made to."""
        if self._has_exited and self._has_hung_up:
            self._end(_how_it_ended(self._process))
            if self._process is not None:
                self._process.close()
            self._is_gone.set()
        else:
            asyncio.get_running_loop().call_later(EOF_SECONDS, self._enforce, reason)

    def _enforce(self, reason: str) -> None:
        self.kill(reason)
        if self._transport is not None:
            self._transport.abort()

    def _end(self, reason: str) -> None:
        if self._reason is not None:
            return
        self._reason = reason
        for future in self._asked:
            if not future.done():
                future.set_exception(ProcessEnded(reason))
        self._asked.clear()
        self._on_end(self, reason)


class _Channel(asyncio.Protocol):
    """The socket between the two."""

    def __init__(self, child: Child) -> None:
        self._child = child

    def data_received(self, data: bytes) -> None:
        self._child.received(data)

    def connection_lost(self, error: Exception | None) -> None:
        self._child.hung_up()


class _Process(asyncio.SubprocessProtocol):
    """The process as the system sees it."""

    def __init__(self, child: Child) -> None:
        self._child = child

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self._child.complained(data)

    def process_exited(self) -> None:
        self._child.exited()


def _no_process(error: OSError) -> Busy:
    return Busy(f"no process can be started for the module: {error.strerror}")


def _how_it_ended(process: asyncio.SubprocessTransport | None) -> str:
    code = process.get_returncode() if process else None
    if code is None or code >= 0:
        return f"its process ended with exit code {code or 0}"
    try:
        name = signal.Signals(-code).name
    except ValueError:  # one of the real-time signals
        name = f"signal {-code}"
    return f"its process was ended by {name}"
