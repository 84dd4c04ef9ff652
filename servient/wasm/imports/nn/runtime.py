"""Computes models with onnxruntime, which is imported when the first is loaded."""

import contextlib
import importlib
import importlib.util
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from servient.wasm.imports.nn.errno import Errno, Refused
from servient.wasm.imports.nn.model import check_model
from servient.wasm.imports.nn.tensor import Tensor

PACKAGE = "onnxruntime"
# The package's own session starts again, with other settings, where the first try failed.
NATIVE = "onnxruntime.capi._pybind_state"
PROVIDER = "CPUExecutionProvider"
MISSING = "neural networks want a package that is not installed here: pip install wasm-servient[nn]"
# What all models together may take, weights and results; it belongs to the process.
MEMORY_LIMIT_BYTES = 512 * 2**20
_QUIET = 4  # fatal errors alone: what else there is arrives as an exception
_GROW_AS_REQUESTED = 1


def lack() -> str | None:
    """What is missing, as a sentence."""
    return None if importlib.util.find_spec(PACKAGE) else MISSING


class Session:
    """A model that is ready to be computed, and what it takes, by name."""

    def __init__(self, package: Any, native: Any) -> None:
        self._package = package
        self._native = native
        self._outputs = [each.name for each in native.outputs_meta]
        self.inputs = {each.name: str(each.type) for each in native.inputs_meta}

    def new_run(self) -> "Run":
        return Run(self._package, self._native, self._outputs)


class Run:
    """One computation; `stop` may be called from any thread."""

    def __init__(self, package: Any, native: Any, outputs: Sequence[str]) -> None:
        self._native = native
        self._outputs = outputs
        self._options = package.RunOptions()
        self._options.log_severity_level = _QUIET

    def compute(self, inputs: Mapping[str, Tensor], room_bytes: int) -> list[Tensor]:
        """The outputs in their order. Raises Refused, also when there is no room for them."""
        arrays = {name: _to_array(each) for name, each in inputs.items()}
        try:
            outputs = self._native.run(self._outputs, arrays, self._options)
        except Exception as error:  # its own types have no base of their own
            raise Refused(Errno.RUNTIME_ERROR, f"onnxruntime: {error}") from error
        if sum(getattr(each, "nbytes", 0) for each in outputs) > room_bytes:
            raise Refused(Errno.TOO_LARGE, f"outputs of over {room_bytes} bytes")
        return [_to_tensor(each) for each in outputs]

    def stop(self) -> None:
        """Between two operations of the model: none is interrupted in its midst."""
        self._options.terminate = True


def _to_array(tensor: Tensor) -> Any:
    numpy = importlib.import_module("numpy")
    return numpy.frombuffer(tensor.data, tensor.type).reshape(tensor.shape)


def _to_tensor(output: Any) -> Tensor:
    """Raises Refused for what is no tensor of numbers: lists, maps, texts."""
    dtype = getattr(output, "dtype", None)
    if dtype is None or dtype.hasobject:
        raise Refused(Errno.UNSUPPORTED_OPERATION, "an output of the model is no tensor of numbers")
    return Tensor(dtype.name, output.shape, output.tobytes())


class Runtime:
    """Loads models. Blocking; for all threads."""

    def __init__(self) -> None:
        self._opening = threading.Lock()
        self._package: Any = None

    def load(self, model: bytes) -> Session:
        """Raises Refused."""
        check_model(model)
        package = self._open()
        options = package.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = _QUIET
        options.add_session_config_entry("session.use_env_allocators", "1")
        options.add_session_config_entry("session.load_model_format", "ONNX")
        try:
            native = importlib.import_module(NATIVE).InferenceSession(options, model, False, False)
            # Folding would compute here, where neither time nor memory is bounded.
            native.initialize_session([PROVIDER], [{}], {"ConstantFolding"})
            return Session(package, native)
        except Exception as error:  # its own types have no base of their own
            raise Refused(Errno.INVALID_ENCODING, f"onnxruntime: {error}") from error

    def _open(self) -> Any:
        with self._opening:
            if self._package is None:
                package = importlib.import_module(PACKAGE)
                _bound_memory(package)
                self._package = package
            return self._package


def _bound_memory(package: Any) -> None:
    """All sessions of the process take their memory from one place, which has an end."""
    place = package.OrtMemoryInfo(
        "Cpu", package.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, package.OrtMemType.DEFAULT
    )
    settings = package.OrtArenaCfg(
        {
            "max_mem": MEMORY_LIMIT_BYTES,
            "arena_extend_strategy": _GROW_AS_REQUESTED,
            "initial_chunk_size_bytes": -1,
            "max_dead_bytes_per_chunk": -1,
        }
    )
    # Another engine of this process may have done so.
    with contextlib.suppress(RuntimeError):
        package.create_and_register_allocator(place, settings)
