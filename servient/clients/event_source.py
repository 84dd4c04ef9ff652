"""The reading side of Server-Sent Events (WHATWG HTML section 9.2.6)."""

from collections.abc import AsyncIterable, AsyncIterator

LINE_LIMIT_BYTES = 64 * 1024 * 1024


async def read_events(chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """The data of each message; comments, names and ids are left out."""
    data: list[bytes] = []
    async for line in _lines(chunks):
        if not line:
            if data:
                yield b"\n".join(data)
            data = []
            continue
        field, _, value = line.partition(b":")
        if field == b"data":
            data.append(value.removeprefix(b" "))


async def _lines(chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Lines that end with LF, CRLF or CR, and nothing else, however the bytes arrive in chunks.

    Raises ValueError for a line over the limit.
    """
    rest = bytearray()
    after_cr = False
    async for chunk in chunks:
        if after_cr:
            chunk = chunk.removeprefix(b"\n")
        after_cr = chunk.endswith(b"\r")
        lines = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        for line in lines[:-1]:
            rest += line
            yield bytes(rest)
            rest.clear()
        rest += lines[-1]
        if len(rest) > LINE_LIMIT_BYTES:
            raise ValueError(f"a line of the event stream is over {LINE_LIMIT_BYTES} bytes")
