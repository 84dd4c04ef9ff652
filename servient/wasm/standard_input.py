"""What a guest reads from its standard input: a file in memory."""

import contextlib
import os
from collections.abc import Iterator


@contextlib.contextmanager
def stdin_file(body: bytes | None) -> Iterator[str | None]:
    """The path of a file with these bytes, to be opened within the block; None for no input."""
    if body is None:
        yield None
        return
    fd = os.memfd_create("wasm-stdin")
    with os.fdopen(fd, "wb") as file:
        file.write(body)
        file.flush()
        yield f"/proc/self/fd/{fd}"
