"""How much the files of a deployment may be, and how long they may take."""

from dataclasses import dataclass

from servient.errors import FetchFailed


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """`deadline_seconds` bounds all files of one deployment together, however slowly they drip."""

    file_bytes: int = 64 * 2**20
    deployment_bytes: int = 256 * 2**20
    deadline_seconds: float = 15.0
    connections: int = 8


class Budget:
    """The bytes that one deployment may still fetch."""

    def __init__(self, limit_bytes: int) -> None:
        self._left = self._limit = limit_bytes

    def spend(self, count: int, url: str) -> None:
        self._left -= count
        if self._left < 0:
            raise FetchFailed(f"{url} brings the deployment over its {self._limit} bytes")
