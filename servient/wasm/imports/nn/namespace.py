"""The functions of `wasi_ephemeral_nn`, with the signatures of wasi-nn.witx."""

import logging
import os
from collections.abc import Callable, Mapping

from servient.errors import InvalidInput, ModuleTrapped, TooLarge
from servient.wasm.imports.caller import Caller
from servient.wasm.imports.host_function import HostFunction
from servient.wasm.imports.nn.apart import Apart
from servient.wasm.imports.nn.errno import Errno, Refused
from servient.wasm.imports.nn.graphs import Graphs
from servient.wasm.imports.nn.runtime import Runtime, lack
from servient.wasm.imports.nn.tensor import read_tensor
from servient.wasm.memory import U32
from servient.wasm.types import Signature, ValueType

logger = logging.getLogger(__name__)

ONNX, CPU = 1, 0  # of `graph_encoding` and `execution_target`
PARTS_LIMIT = 64
PART_BYTES = 8  # address and length
NAME_LIMIT_BYTES = 255
SUFFIX = ".onnx"

# Takes a caller and numbers; raises Refused.
Act = Callable[..., None]


class NeuralNetworks:
    """Models are computed by the host's onnxruntime, on one thread each, until the guest's deadline.

    Whatever goes wrong is an `nn_errno`; no address or number that a guest gives ends it.
    """

    name = "wasi_ephemeral_nn"

    def __init__(self) -> None:
        self._runtime = Runtime()
        self._apart = Apart(os.cpu_count() or 1)

    def functions(self) -> Mapping[str, HostFunction]:
        return {
            "load": _function(5, self._load),
            "load_by_name": _function(3, self._load_by_name),
            "init_execution_context": _function(2, self._init_execution_context),
            "set_input": _function(3, self._set_input),
            "compute": _function(1, self._compute),
            "get_output": _function(5, self._get_output),
        }

    def _load(
        self, caller: Caller, parts: int, count: int, encoding: int, target: int, out: int
    ) -> None:
        """A model from memory, in one part or in several that are put together."""
        if encoding != ONNX:
            raise Refused(Errno.INVALID_ENCODING, f"encoding {encoding} is not ONNX")
        if target != CPU:
            raise Refused(Errno.UNSUPPORTED_OPERATION, f"target {target} is not the CPU")
        graphs = caller.belonging(Graphs)
        self._add(caller, _read_parts(caller, parts, count & U32, graphs.check_model_size), out)

    def _load_by_name(self, caller: Caller, name: int, length: int, out: int) -> None:
        """A file of the module's folder, whose suffix `.onnx` may be left out."""
        if length & U32 > NAME_LIMIT_BYTES:
            raise Refused(Errno.NOT_FOUND, f"no file has a name of {length & U32} bytes")
        wanted = caller.read_text(name, length)
        try:
            model = caller.read_file(wanted) or caller.read_file(wanted + SUFFIX)
        except InvalidInput as error:
            raise Refused(Errno.NOT_FOUND, error.detail) from error
        except TooLarge as error:
            raise Refused(Errno.TOO_LARGE, error.detail) from error
        if model is None:
            raise Refused(Errno.NOT_FOUND, f"the module has no file {wanted!r}")
        self._add(caller, model, out)

    def _add(self, caller: Caller, model: bytes, out: int) -> None:
        graphs = caller.belonging(Graphs)
        handle = graphs.add(
            lambda: self._apart.run(lambda: self._runtime.load(model), caller), len(model)
        )
        caller.write_u32(out, handle)

    def _init_execution_context(self, caller: Caller, graph: int, out: int) -> None:
        caller.write_u32(out, caller.belonging(Graphs).open(graph))

    def _set_input(self, caller: Caller, context: int, index: int, tensor: int) -> None:
        graphs = caller.belonging(Graphs)
        graphs.context(context).set_input(index, read_tensor(caller, tensor, graphs.room_bytes))

    def _compute(self, caller: Caller, context: int) -> None:
        graphs = caller.belonging(Graphs)
        present = graphs.context(context)
        inputs, run = present.ready_inputs(), present.session.new_run()
        present.outputs.clear()
        room = graphs.room_bytes
        present.outputs += self._apart.run(lambda: run.compute(inputs, room), caller, run.stop)

    def _get_output(
        self, caller: Caller, context: int, index: int, address: int, limit: int, out: int
    ) -> None:
        output = caller.belonging(Graphs).context(context).output(index)
        size = len(output.data)
        if size > limit & U32:
            raise Refused(Errno.TOO_LARGE, f"the output has {size} bytes, and {limit & U32} fit")
        caller.write(address, output.data)
        caller.write_u32(out, size)


def _function(parameter_count: int, act: Act) -> HostFunction:
    def answer(caller: Caller, *arguments: int) -> int:
        try:
            act(caller, *arguments)
        except Refused as error:
            logger.info("a module's neural network: %s", str(error)[:300])
            return error.errno
        except ModuleTrapped:  # the guest's own pointers, or its text
            return Errno.INVALID_ARGUMENT
        return Errno.SUCCESS

    i32 = ValueType.I32
    return HostFunction(Signature((i32,) * parameter_count, (i32,)), answer, lack)


def _read_parts(
    caller: Caller, address: int, count: int, check_size: Callable[[int], None]
) -> bytes:
    """The bytes of a `graph_builder_array`. Raises Refused before any of them are copied."""
    if count > PARTS_LIMIT:
        raise Refused(Errno.TOO_LARGE, f"a model in {count} parts")
    places = [
        (caller.read_u32(at), caller.read_u32(at + 4))
        for at in range(address & U32, (address & U32) + count * PART_BYTES, PART_BYTES)
    ]
    check_size(sum(length for _, length in places))
    return b"".join(caller.read(*place) for place in places)
