"""One function of a module as the handler of an action."""

import math
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from converters.plan import FunctionPlan
from servient.deployment.calling import call_traced
from servient.deployment.files import input_files, to_outcome
from servient.deployment.pointers import Pointers
from servient.errors import ActionFailed, InvalidInput
from servient.wasm.perform import to_notes
from servient.wasm.running import Running, until_cancelled
from servient.wasm.types import Call, CallResult, Signature, ValueType
from servient.wot.content import Value
from servient.wot.outcome import Outcome
from servient.wot.tracer import SPAN

_INTEGERS = (ValueType.I32, ValueType.I64)


@dataclass(frozen=True)
class Function:
    """Turns an action's input into a call and the call's result into the action's output."""

    plan: FunctionPlan
    signature: Signature
    instance: Running
    deadline_seconds: float
    pointers: Pointers | None = None

    async def __call__(self, value: Value) -> Outcome:
        call = self._call(value)
        return self._outcome(await call_traced(self.instance, call))

    def begin(self, value: Value) -> Outcome | Awaitable[Outcome] | None:
        """The same, of a call that can run at once; None where it cannot, and nothing is begun."""
        if SPAN.get() is not None:
            return None  # who traces it wants to know when its turn came
        call = self._call(value)
        result = self.instance.begin(call)
        if result is None:
            return None
        return self._outcome(result) if isinstance(result, CallResult) else self._end(call, result)

    async def _end(self, call: Call, result: Awaitable[CallResult]) -> Outcome:
        return self._outcome(await until_cancelled(self.instance, call, result))

    def _call(self, value: Value) -> Call:
        members: Mapping[str, Value] = value if isinstance(value, dict) else {}
        if self._is_plain:
            arguments = self._arguments(members)
            return Call(self.plan.function, arguments, deadline_seconds=self.deadline_seconds)
        return Call(
            function=self.plan.function,
            arguments=() if self.pointers else self._arguments(members),
            inputs={} if self.pointers else input_files(self.plan, members),
            buffers=self.pointers.buffers(members) if self.pointers else (),
            outputs=tuple(mount.path for mount in self.plan.outputs),
            any_output=self.plan.is_file_result and not self.plan.outputs,
            deadline_seconds=self.deadline_seconds,
        )

    @cached_property
    def _is_plain(self) -> bool:
        """Whether it is about numbers only."""
        plan = self.plan
        return not (self.pointers or plan.files or plan.outputs or plan.is_file_result)

    def _outcome(self, result: CallResult) -> Outcome:
        returned = self._returned(result)
        if self._is_plain and not (result.stdout or result.stderr):
            return Outcome(returned)
        notes = to_notes(result.stdout, result.stderr)
        return to_outcome(self.plan, returned, result.files, notes)

    @cached_property
    def _parameters(self) -> tuple[tuple[str, ValueType], ...]:
        return tuple(zip(self.plan.parameters, self.signature.parameters, strict=True))

    def _arguments(self, members: Mapping[str, Value]) -> tuple[int | float, ...]:
        return tuple([_to_wasm(name, members.get(name), kind) for name, kind in self._parameters])

    def _returned(self, result: CallResult) -> Value:
        schema = self.plan.result_schema
        if schema is None or not result.values:
            return None
        if not self._is_plain and self.plan.is_file_result:
            return result.values[0]
        if schema.get("type") == "array":  # a function of several results
            return [_from_wasm(self.plan.function, value, {}) for value in result.values]
        return _from_wasm(self.plan.function, result.values[0], schema)


def _to_wasm(name: str, value: Value, kind: ValueType) -> int | float:
    """An argument of the export's own type; one that the input leaves out is zero."""
    if type(value) is int:
        return value
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
    wanted = schema.get("type")
    if type(value) is int:
        return bool(value) if wanted == "boolean" else value
    if not math.isfinite(value):
        raise ActionFailed(f"{function!r} returned {value}, which JSON cannot say")
    if wanted == "boolean":
        return bool(value)
    return int(value) if wanted == "integer" and float(value).is_integer() else value
