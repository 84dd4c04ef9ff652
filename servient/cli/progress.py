"""How far long work is, on the terminal; nothing where standard error is none."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

PIECE_BYTES = 64 * 1024


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """A spinner with the time that has passed, of work whose end nobody knows."""
    with _progress() as progress:
        progress.add_task(what, total=None)
        yield


class Upload:
    """A body with a bar while it is sent, and a spinner from then on."""

    def __init__(self, body: bytes, sending: str, awaiting: str) -> None:
        self._body = body
        self._awaiting = awaiting
        self._progress = _progress(BarColumn(), DownloadColumn())
        self._task = self._progress.add_task(sending, total=len(body))

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    async def pieces(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._body), PIECE_BYTES):
            yield self._body[start : start + PIECE_BYTES]
            self._progress.advance(self._task, PIECE_BYTES)
        self._progress.update(self._task, description=self._awaiting)


def _progress(*columns: ProgressColumn) -> Progress:
    console = Console(stderr=True)
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        *columns,
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
