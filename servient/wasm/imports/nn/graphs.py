"""The models that a guest has loaded, and its computations with them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from servient.wasm.imports.nn.errno import Errno, Refused
from servient.wasm.imports.nn.runtime import Session
from servient.wasm.imports.nn.tensor import Tensor

GRAPHS_LIMIT = 8
CONTEXTS_LIMIT = 64
# Tensors that the contexts hold, besides what a computation takes while it runs.
TENSORS_LIMIT_BYTES = 256 * 2**20
# How the runtime calls the types that numpy has.
TYPE_NAMES = {
    "float16": "tensor(float16)",
    "float32": "tensor(float)",
    "float64": "tensor(double)",
    "uint8": "tensor(uint8)",
    "int32": "tensor(int32)",
    "int64": "tensor(int64)",
}

T = TypeVar("T")


@dataclass(slots=True)
class Context:
    """Inputs by name, and the outputs of the last computation."""

    session: Session
    inputs: dict[str, Tensor] = field(default_factory=dict)
    outputs: list[Tensor] = field(default_factory=list)

    def set_input(self, index: int, tensor: Tensor) -> None:
        """Raises Refused."""
        names = list(self.session.inputs)
        if not 0 <= index < len(names):
            raise Refused(Errno.INVALID_ARGUMENT, f"the model has no input {index}")
        wanted = self.session.inputs[names[index]]
        if TYPE_NAMES[tensor.type] != wanted:
            raise Refused(Errno.INVALID_ARGUMENT, f"input {index} is {wanted}")
        self.inputs[names[index]] = tensor

    def ready_inputs(self) -> Mapping[str, Tensor]:
        """Raises Refused while one is missing."""
        if absent := self.session.inputs.keys() - self.inputs.keys():
            raise Refused(Errno.INVALID_ARGUMENT, f"{len(absent)} inputs of the model are not set")
        return self.inputs

    def output(self, index: int) -> Tensor:
        """Raises Refused."""
        if not 0 <= index < len(self.outputs):
            raise Refused(Errno.INVALID_ARGUMENT, f"there is no output {index}")
        return self.outputs[index]

    @property
    def size_bytes(self) -> int:
        tensors = (*self.inputs.values(), *self.outputs)
        return sum(len(each.data) for each in tensors)


class Graphs:
    """Of one guest; they end with it, since it has no word for letting them go."""

    def __init__(self) -> None:
        self._sessions: list[Session] = []
        self._contexts: list[Context] = []

    def add(self, load: Callable[[], Session]) -> int:
        """The handle of a model. Raises Refused."""
        if len(self._sessions) >= GRAPHS_LIMIT:
            raise Refused(Errno.BUSY, f"{GRAPHS_LIMIT} models are loaded already")
        self._sessions.append(load())
        return len(self._sessions) - 1

    def open(self, graph: int) -> int:
        """The handle of a new context. Raises Refused."""
        if len(self._contexts) >= CONTEXTS_LIMIT:
            raise Refused(Errno.BUSY, f"{CONTEXTS_LIMIT} contexts are open already")
        self._contexts.append(Context(_take(self._sessions, graph, "model")))
        return len(self._contexts) - 1

    def context(self, number: int) -> Context:
        """Raises Refused."""
        return _take(self._contexts, number, "context")

    def check_size(self) -> None:
        """Raises Refused when the contexts hold too much."""
        if sum(each.size_bytes for each in self._contexts) > TENSORS_LIMIT_BYTES:
            raise Refused(Errno.TOO_LARGE, f"tensors of over {TENSORS_LIMIT_BYTES} bytes")


def _take(things: list[T], number: int, what: str) -> T:
    if not 0 <= number < len(things):
        raise Refused(Errno.INVALID_ARGUMENT, f"there is no {what} {number}")
    return things[number]
