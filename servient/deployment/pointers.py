"""Functions that take addresses and lengths: which of the bytes at hand they are called with."""

from collections.abc import Mapping
from dataclasses import dataclass

from converters.deployment import ModuleEntry, Stage
from converters.plan import FunctionPlan
from servient.errors import InvalidInput, ManifestRejected
from servient.wasm.memory import ALLOC, ALLOC_SIGNATURE, NO_ALLOC
from servient.wasm.types import Buffer, Signature, ValueType
from servient.wot.content import Content, Value

# What the model of a function is called, where a deployment has several data files.
MODEL = "model.pb"


@dataclass(frozen=True, slots=True)
class Pointers:
    """A function takes address and length of the model, if it has one, and of each of the files."""

    model: Buffer | None
    files: tuple[str, ...]

    def buffers(self, members: Mapping[str, Value]) -> tuple[Buffer, ...]:
        """With the files of one request. Raises InvalidInput when one is missing."""
        files = tuple(Buffer(_body(name, members.get(name))) for name in self.files)
        return (self.model, *files) if self.model else files


def find_model(entry: ModuleEntry, function: str) -> str | None:
    """The name of a function's model: the convention's, else the first mounted file, else the first."""
    named = entry.functions.get(function)
    mounted = [mount.path for mount in named.at(Stage.DEPLOYMENT)] if named else []
    return next((name for name in (MODEL, *mounted, *entry.files) if name in entry.files), None)


def find_pointers(
    plan: FunctionPlan, signatures: Mapping[str, Signature], model: bytes | None
) -> Pointers | None:
    """What a function is called with that declares files only and takes pairs of numbers.

    None for any other function. Raises ManifestRejected when it cannot be called with them.
    """
    kinds = signatures[plan.function].parameters
    names = tuple(mount.path for mount in plan.files)
    if plan.parameters or not names or set(kinds) != {ValueType.I32}:
        return None
    pairs, is_odd = divmod(len(kinds), 2)
    if is_odd or pairs not in (len(names), len(names) + 1):
        return None
    if signatures.get(ALLOC) != ALLOC_SIGNATURE:
        raise ManifestRejected(f"function {plan.function!r} takes addresses, but {NO_ALLOC}")
    if pairs == len(names):
        return Pointers(None, names)
    if model is None:
        raise ManifestRejected(
            f"function {plan.function!r} takes the address of a model before {', '.join(names)},"
            " but the module has no data file"
        )
    return Pointers(Buffer(model, is_kept=True), names)


def _body(name: str, value: Value) -> bytes:
    if isinstance(value, Content):
        return value.body
    detail = "the file is missing" if value is None else "it is not a file"
    raise InvalidInput(f"/{name}: {detail}", [{"pointer": f"/{name}", "detail": detail}])
