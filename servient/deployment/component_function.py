"""One function of a component as the handler of an action."""

from collections.abc import Mapping
from dataclasses import dataclass

from converters.plan import FunctionPlan
from servient.deployment.calling import call_traced
from servient.deployment.files import input_files, to_outcome
from servient.wasm.components.call import ComponentCall, ComponentResult
from servient.wasm.components.instance import ComponentInstance
from servient.wasm.perform import to_notes
from servient.wot.content import OCTET_STREAM, Content, Value
from servient.wot.thing import Outcome


@dataclass(frozen=True, slots=True)
class ComponentFunction:
    """Hands an action's input to the component, whose values are JSON's already, but for bytes."""

    plan: FunctionPlan
    instance: ComponentInstance
    deadline_seconds: float

    def begin(self, _: Value) -> None:
        """Its calls take longer than it would pay."""

    async def __call__(self, value: Value) -> Outcome:
        members: Mapping[str, Value] = value if isinstance(value, dict) else {}
        result = await call_traced(
            self.instance,
            ComponentCall(
                function=self.plan.function,
                arguments={
                    name: _bytes_of(members[name])
                    for name in self.plan.parameters
                    if name in members
                },
                inputs=input_files(self.plan, members),
                outputs=tuple(mount.path for mount in self.plan.outputs),
                deadline_seconds=self.deadline_seconds,
            ),
        )
        notes = to_notes(result.stdout, result.stderr)
        return to_outcome(self.plan, self._returned(result), result.files, notes)

    def _returned(self, result: ComponentResult) -> Value:
        if isinstance(result.value, bytes):
            return Content(result.value, self.plan.result_media_type or OCTET_STREAM)
        return result.value


def _bytes_of(value: Value) -> Value:
    return value.body if isinstance(value, Content) else value
