"""What a conversion could not carry over: where it stood, what it was and why it is lost."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Protocol

from converters.reading import Node, escape, show

LOSSES_LIMIT = 100_000

VENDOR = "an extension of a vendor has no meaning in a Thing Description"
UNKNOWN = "this member has no place in a Thing Description"


@dataclass(frozen=True, slots=True, order=True)
class Loss:
    """A construct of the source that the result does not have, or has in a weaker form.

    `pointer` is the JSON pointer of the construct, with "<file>#" before it in another document.
    """

    pointer: str
    what: str
    why: str


class Report(Protocol):
    """Whom a conversion tells of what it leaves out."""

    def drop(self, node: Node, what: str, why: str) -> None:
        """A construct that the result cannot express."""

    def fault(self, node: Node, message: str) -> None:
        """A value that is not what its place asks for. May raise ConversionError."""


class Losses:
    """A report that keeps every loss once, up to a bound; the last one then says so."""

    def __init__(self) -> None:
        self._losses: dict[Loss, None] = {}

    def __iter__(self) -> Iterator[Loss]:
        return iter(self._losses)

    def __len__(self) -> int:
        return len(self._losses)

    def drop(self, node: Node, what: str, why: str) -> None:
        if len(self._losses) < LOSSES_LIMIT:
            self._losses[Loss(node.pointer, what, why)] = None
        else:
            why = f"more than {LOSSES_LIMIT} losses are not listed"
            self._losses[Loss("", "further losses", why)] = None

    def fault(self, node: Node, message: str) -> None:
        self.drop(node, show(node.value), message)

    def rest(self, node: Node, known: Collection[str]) -> None:
        """Each member of an object that is not among the `known` ones."""
        for name in node.value if node.is_object else ():
            if name not in known:
                place = Node(None, f"{node.pointer}/{escape(str(name))}")
                self.drop(place, str(name), VENDOR if str(name).startswith("x-") else UNKNOWN)


class Strict:
    """A report for documents whose faults are refused and whose extras nobody asks for."""

    def drop(self, node: Node, what: str, why: str) -> None:
        pass

    def fault(self, node: Node, message: str) -> None:
        raise node.fail(message)
