"""The files of one call: its inputs are there while it runs, its outputs are taken, none stays."""

from collections.abc import Mapping
from types import TracebackType
from typing import Self

from servient.wasm.folder import Folder


class Mounts:
    """To be used as a context manager around a call. Blocking, and not for two calls at a time.

    `outputs` are the files to take; with `any_output` it is the first by name of those that the guest
    writes. What else the guest leaves in its folder is its own.
    """

    def __init__(
        self,
        folder: Folder,
        inputs: Mapping[str, bytes],
        outputs: tuple[str, ...],
        any_output: bool,
    ) -> None:
        self._folder = folder
        self._inputs = inputs
        self._outputs = outputs
        self._any_output = any_output

    def __enter__(self) -> Self:
        self._mounted = self._folder.prepare(self._inputs, self._outputs)
        if self._any_output:
            self._folder.mark()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._folder.clear(self._mounted, self._names())

    def take(self) -> dict[str, bytes]:
        """The outputs that the guest wrote, by name. Raises TooLarge."""
        return self._folder.collect(self._names())

    def _names(self) -> tuple[str, ...]:
        return self._folder.written() if self._any_output else self._outputs
