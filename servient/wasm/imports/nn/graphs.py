"""The models that a guest has loaded, and its computations with them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from servient.wasm.imports.nn.errno import Errno, Refused
from servient.wasm.imports.nn.runtime import Session
from servient.wasm.imports.nn.tensor import Tensor

GRAPHS_LIMIT = 8
CONTEXTS_LIMIT = 64
# All models of a guest, as it gave them.
MODELS_LIMIT_BYTES = 128 * 2**20
# Tensors that all contexts of a guest hold, besides what a computation takes while it runs.
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
        self._models_bytes = 0

    def add(self, load: Callable[[], Session], size_bytes: int) -> int:
        """The handle of a model of so many bytes. Raises Refused."""
        if len(self._sessions) >= GRAPHS_LIMIT:
            raise Refused(Errno.BUSY, f"{GRAPHS_LIMIT} models are loaded already")
        self.check_model_size(size_bytes)
        self._sessions.append(load())
        self._models_bytes += size_bytes
        return len(self._sessions) - 1

    def check_model_size(self, size_bytes: int) -> None:
        """Raises Refused when there is no room for a model of this size."""
        if self._models_bytes + size_bytes > MODELS_LIMIT_BYTES:
            raise Refused(Errno.TOO_LARGE, f"models of over {MODELS_LIMIT_BYTES} bytes")

    def open(self, graph: int) -> int:
        """The handle of a new context. Raises Refused."""
        if len(self._contexts) >= CONTEXTS_LIMIT:
            raise Refused(Errno.BUSY, f"{CONTEXTS_LIMIT} contexts are open already")
        self._contexts.append(Context(_take(self._sessions, graph, "model")))
        return len(self._contexts) - 1

    def context(self, number: int) -> Context:
        """Raises Refused."""
        return _take(self._contexts, number, "context")

    @property
    def room_bytes(self) -> int:
        """How much the contexts may hold besides what they do."""
        return TENSORS_LIMIT_BYTES - sum(each.size_bytes for each in self._contexts)


def _take(things: list[T], number: int, what: str) -> T:
    if not 0 <= number < len(things):
        raise Refused(Errno.INVALID_ARGUMENT, f"there is no {what} {number}")
    return things[number]
