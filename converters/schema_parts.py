"""What is known of a data schema while it is built, and when it is done."""

from dataclasses import dataclass, field
from typing import NamedTuple

from converters.reading import Node
from converters.schema_keywords import Schema


class Built(NamedTuple):
    schema: Schema
    is_exact: bool = True
    nodes: int = 0
    cuts: tuple[Node, ...] = ()
    # The references that are open above, at which this was cut.
    loops: frozenset[str] = frozenset()


@dataclass(slots=True)
class Parts:
    """What is known of a schema while its keywords are read."""

    schema: Schema
    is_exact: bool = True
    nodes: int = 1
    cuts: list[Node] = field(default_factory=list)
    loops: set[str] = field(default_factory=set)

    def take(self, built: Built) -> Schema:
        self.is_exact = self.is_exact and built.is_exact
        self.nodes += built.nodes
        self.cuts += built.cuts
        self.loops |= built.loops
        return built.schema

    def built(self) -> Built:
        return Built(
            self.schema, self.is_exact, self.nodes, tuple(self.cuts), frozenset(self.loops)
        )
