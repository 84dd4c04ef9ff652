"""A function that the host offers to modules, and the namespace that it stands in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from servient.wasm.types import Signature


def _nothing() -> None:
    return None


@dataclass(frozen=True, slots=True)
class HostFunction:
    """`act` is called with a Caller and the arguments, on the thread of the guest that called it.

    It raises ActionFailed when it cannot do what it should; the guest ends then. What blocks must be
    bounded by the caller's `check`, `pause` or `remaining_seconds`.

    `lack` says in a sentence what this machine lacks for it; then modules may not import it.
    """

    signature: Signature
    act: Callable[..., int | float | None]
    lack: Callable[[], str | None] = _nothing


class Namespace(Protocol):
    """Host functions with their settings; built once, used by the guests of all threads."""

    @property
    def name(self) -> str: ...

    def functions(self) -> Mapping[str, HostFunction]:
        """By the names under which modules import them."""
        ...
