"""Runs programs by others, and ends them."""

import asyncio
import contextlib
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from dataclasses import dataclass

DEADLINE_SECONDS = 40.0


@dataclass(frozen=True, slots=True)
class Ended:
    """What a program that has ended left behind."""

    code: int
    output: bytes

    @property
    def text(self) -> str:
        return self.output.decode()


async def run(*command: str, given: bytes = b"") -> Ended:
    """Run a program to its end; one that does not end is killed, and TimeoutError raised."""
    async with _process(*command) as process, asyncio.timeout(DEADLINE_SECONDS):
        output, _ = await process.communicate(given)
        return Ended(await process.wait(), output)


@contextlib.asynccontextmanager
async def running(*command: str, given: bytes = b"") -> AsyncIterator[asyncio.StreamReader]:
    """The output of a program that runs no longer than the block."""
    async with _process(*command) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(given)
        process.stdin.close()
        yield process.stdout


@contextlib.asynccontextmanager
async def _process(*command: str) -> AsyncIterator[Process]:
    # Its standard error is ours: pytest shows it when the test fails.
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    try:
        yield process
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        # Not wait() alone: what is still in the pipes would keep them, and a warning, alive.
        await process.communicate()


async def line_of(output: asyncio.StreamReader) -> str:
    """The next line. Raises TimeoutError, and EOFError at the end."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        line = await output.readline()
    if not line:
        raise EOFError("the program has ended")
    return line.decode().rstrip("\r\n")


async def lines_of(output: asyncio.StreamReader) -> AsyncIterator[str]:
    """All lines, to the end. Raises TimeoutError."""
    with contextlib.suppress(EOFError):
        while True:
            yield await line_of(output)
