"""What happens to deployments and functions, in the exact words that pages of orchestrators look for."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


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


class Reader(Protocol):
    """Gets each entry as it happens, and neither blocks nor raises."""

    @property
    def wants_entries(self) -> bool: ...

    def read(self, entry: Entry) -> None: ...


class Journal:
    """Tells its reader what happens; where nobody wants to know it costs next to nothing.

    `thing` is the name of a module's Thing, `<deployment>:<module>`; `request_id` an invocation's id.
    """

    def __init__(self, reader: Reader | None = None) -> None:
        self._reader = reader

    @property
    def is_read(self) -> bool:
        return self._reader is not None and self._reader.wants_entries

    def health_checked(self) -> None:
        self._tell(logging.INFO, "Health check done", "health")

    def deploying_module(self, thing: str) -> None:
        if self.is_read:
            name = thing.partition(":")[2]
            self._tell(logging.INFO, f"Deploying module '{name}'", "deploy", thing)

    def deployment_created(self, deployment_id: str) -> None:
        self._tell(logging.INFO, "Deployment created", "deploy", deployment_id)

    def running(self, thing: str, request_id: str, function: str) -> None:
        """A function is about to be called."""
        if self.is_read:
            name = thing.partition(":")[2]
            message = f"Preparing Wasm module '{name}'"
            self._tell(logging.DEBUG, message, function, thing, request_id)
            message = f"Running Wasm function '{function}'"
            self._tell(logging.DEBUG, message, function, thing, request_id)

    def completed(self, thing: str, request_id: str, function: str, number: object = None) -> None:
        """A function has returned; `number` is its result where that is no file."""
        if self.is_read:
            if isinstance(number, int | float):
                message = f"Execution result: {number}"
                self._tell(logging.DEBUG, message, function, thing, request_id)
            self._tell(logging.INFO, "Module run", function, thing, request_id)

    def failed(self, thing: str, request_id: str, function: str) -> None:
        if self.is_read:
            message = f"Error running WebAssembly function '{function}'"
            self._tell(logging.ERROR, message, function, thing, request_id)

    def result_url(self, thing: str, request_id: str, function: str, url: str) -> None:
        """A function has made a file, which is at `url`."""
        if self.is_read:
            self._tell(logging.DEBUG, f"Result url: {url}", function, thing, request_id)

    def sub_call(self, thing: str, request_id: str, function: str, url: str) -> None:
        """A function's result is about to be sent to the next endpoint of its chain."""
        if self.is_read:
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
        if self._reader is None or not self._reader.wants_entries:
            return
        deployment, _, module = thing.partition(":")
        at = datetime.now(UTC)
        self._reader.read(
            Entry(level, message, function, at, deployment or None, module or None, request_id)
        )
