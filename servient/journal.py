"""What happens to deployments and functions, in the exact words that pages of orchestrators look for."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened. `level` is one of `logging`'s, `function` what it happened in."""

    level: int
    message: str
    function: str
    at: datetime
    deployment_id: str | None = None
    module_name: str | None = None
    request_id: str | None = None


Reader: TypeAlias = Callable[[Entry], None]


class Journal:
    """Tells its readers what happens; where there are none it costs next to nothing.

    `thing` is the name of a module's Thing, `<deployment>:<module>`; `request_id` an invocation's id.
    """

    def __init__(self) -> None:
        self._readers: tuple[Reader, ...] = ()

    def attach(self, reader: Reader) -> Callable[[], None]:
        """Have each entry told to `reader`, which neither blocks nor raises; returns the undo."""
        self._readers = (*self._readers, reader)

        def detach() -> None:
            self._readers = tuple(each for each in self._readers if each is not reader)

        return detach

    def health_checked(self) -> None:
        self._tell(logging.INFO, "Health check done", "health")

    def deploying_module(self, thing: str) -> None:
        if self._readers:
            name = thing.partition(":")[2]
            self._tell(logging.INFO, f"Deploying module '{name}'", "deploy", thing)

    def deployment_created(self, deployment_id: str) -> None:
        self._tell(logging.INFO, "Deployment created", "deploy", deployment_id)

    def running(self, thing: str, request_id: str, function: str) -> None:
        """A function is about to be called."""
        if self._readers:
            name = thing.partition(":")[2]
            message = f"Preparing Wasm module '{name}'"
            self._tell(logging.DEBUG, message, function, thing, request_id)
            message = f"Running Wasm function '{function}'"
            self._tell(logging.DEBUG, message, function, thing, request_id)

    def completed(self, thing: str, request_id: str, function: str, number: object = None) -> None:
        """A function has returned; `number` is its result where that is no file."""
        if self._readers:
            if isinstance(number, int | float):
                message = f"Execution result: {number}"
                self._tell(logging.DEBUG, message, function, thing, request_id)
            self._tell(logging.INFO, "Module run", function, thing, request_id)

    def failed(self, thing: str, request_id: str, function: str) -> None:
        if self._readers:
            message = f"Error running WebAssembly function '{function}'"
            self._tell(logging.ERROR, message, function, thing, request_id)

    def result_url(self, thing: str, request_id: str, function: str, url: str) -> None:
        """A function has made a file, which is at `url`."""
        if self._readers:
            self._tell(logging.DEBUG, f"Result url: {url}", function, thing, request_id)

    def sub_call(self, thing: str, request_id: str, function: str, url: str) -> None:
        """A function's result is about to be sent to the next endpoint of its chain."""
        if self._readers:
            name = thing.partition(":")[2]
            message = f"Making sub-call from '{name}' to '{url}'"
            self._tell(logging.DEBUG, message, function, thing, request_id)

    def _tell(
        self,
        level: int,
        message: str,
        function: str,
        thing: str = "",
        request_id: str | None = None,
    ) -> None:
        if not self._readers:
            return
        deployment, _, module = thing.partition(":")
        at = datetime.now(UTC)
        entry = Entry(level, message, function, at, deployment or None, module or None, request_id)
        for reader in self._readers:
            reader(entry)
