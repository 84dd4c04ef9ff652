"""One function of a module as the handler of an action."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from converters.plan import FunctionPlan
from servient.deployment.calling import call_traced
from servient.deployment.files import input_files, to_outcome
from servient.deployment.pointers import Pointers
from servient.errors import ActionFailed, InvalidInput
from servient.wasm.perform import to_notes
from servient.wasm.running import Running
from servient.wasm.types import Call, CallResult, Signature, ValueType
from servient.wot.content import Value
from servient.wot.thing import Outcome

_INTEGERS = (ValueType.I32, ValueType.I64)


@dataclass(frozen=True, slots=True)
class Function:
    """Turns an action's input into a call and the call's result into the action's output."""

    plan: FunctionPlan
    signature: Signature
    instance: Running
    deadline_seconds: float
    pointers: Pointers | None = None

    async def __call__(self, value: Value) -> Outcome:
        members: Mapping[str, Value] = value if isinstance(value, dict) else {}
        result = await call_traced(
            self.instance,
            Call(
                function=self.plan.function,
                arguments=() if self.pointers else self._arguments(members),
                inputs={} if self.pointers else input_files(self.plan, members),
                buffers=self.pointers.buffers(members) if self.pointers else (),
                outputs=tuple(mount.path for mount in self.plan.outputs),
                any_output=self.plan.is_file_result and not self.plan.outputs,
                deadline_seconds=self.deadline_seconds,
            ),
        )
        notes = to_notes(result.stdout, result.stderr)
        return to_outcome(self.plan, self._returned(result), result.files, notes)

    def _arguments(self, members: Mapping[str, Value]) -> tuple[int | float, ...]:
        return tuple(
            _to_wasm(name, members.get(name), kind)
            for name, kind in zip(self.plan.parameters, self.signature.parameters, strict=True)
        )

    def _returned(self, result: CallResult) -> Value:
        schema = self.plan.result_schema
        if schema is None or not result.values:
            return None
        if self.plan.is_file_result:
            return result.values[0]
        if schema.get("type") == "array":  # a function of several results
            return [_from_wasm(self.plan.function, value, {}) for value in result.values]
        return _from_wasm(self.plan.function, result.values[0], schema)


def _to_wasm(name: str, value: Value, kind: ValueType) -> int | float:
    """An argument of the export's own type; one that the input leaves out is zero."""
    match value:
        case None:
            return 0
        case bool():
            return int(value)
        case float() if kind in _INTEGERS and value.is_integer():
            return int(value)
        case int() | float():
            return value
        case _:
            detail = f"{type(value).__name__} is not a number"
            raise InvalidInput(f"/{name}: {detail}", [{"pointer": f"/{name}", "detail": detail}])


def _from_wasm(function: str, value: int | float, schema: Mapping[str, Any]) -> Value:
    if not math.isfinite(value):
        raise ActionFailed(f"{function!r} returned {value}, which JSON cannot say")
    match schema.get("type"):
        case "boolean":
            return bool(value)
        case "integer" if float(value).is_integer():
            return int(value)
        case "number":
            return value
        case _:
            return value
