"""What a deployed binary is, a core module or a component: its functions, and how they are run."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

from converters.plan import FunctionPlan, Signature
from servient.deployment.component_function import ComponentFunction
from servient.deployment.function import Function
from servient.deployment.pointers import Pointers, find_pointers
from servient.errors import ModuleRejected
from servient.wasm.components.component import Component
from servient.wasm.components.instance import ComponentInstance
from servient.wasm.engine import Engine, is_component
from servient.wasm.instance import Instance
from servient.wasm.module import Module
from servient.wasm.stateless import StatelessInstances
from servient.wasm.types import Limits
from servient.wot.content import Value
from servient.wot.thing import Outcome

Handler: TypeAlias = Callable[[Value], Awaitable[Outcome]]


class Run(Protocol):
    """A program that runs, once it is started."""

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    @property
    def generation(self) -> int:
        """How often its instance was replaced, its state lost."""
        ...

    def handler(
        self, plan: FunctionPlan, deadline_seconds: float, pointers: Pointers | None
    ) -> Handler:
        """What carries out the action of a function; `pointers` are those that `Program` gave."""
        ...


class Program(Protocol):
    """Compiled code of either kind."""

    @property
    def signatures(self) -> Mapping[str, Signature]:
        """The exported functions whose values JSON can carry."""
        ...

    def parameter_count(self, function: str) -> int: ...

    def pointers(self, plan: FunctionPlan, model: bytes | None) -> Pointers | None:
        """What a function is called with that takes addresses. Raises ManifestRejected."""
        ...

    def run(self, engine: Engine, folder: Path, limits: Limits) -> Run: ...


async def compile_program(engine: Engine, binary: bytes, is_stateless: bool = False) -> Program:
    """Raises ModuleRejected."""
    if not is_component(binary):
        return CoreProgram(await engine.compile(binary), is_stateless)
    if is_stateless:
        raise ModuleRejected("a component cannot be declared stateless; leave `stateless` out")
    return ComponentProgram(await engine.compile_component(binary))


@dataclass(frozen=True, slots=True)
class CoreProgram:
    module: Module
    is_stateless: bool

    @property
    def signatures(self) -> Mapping[str, Signature]:
        return {
            name: (tuple(signature.parameters), tuple(signature.results))
            for name, signature in self.module.signatures.items()
        }

    def parameter_count(self, function: str) -> int:
        return len(self.module.signatures[function].parameters)

    def pointers(self, plan: FunctionPlan, model: bytes | None) -> Pointers | None:
        return find_pointers(plan, self.module.signatures, model)

    def run(self, engine: Engine, folder: Path, limits: Limits) -> "CoreRun":
        kind = StatelessInstances if self.is_stateless else Instance
        return CoreRun(self.module, kind(engine, self.module, folder, limits))


@dataclass(frozen=True, slots=True)
class CoreRun:
    module: Module
    instance: Instance | StatelessInstances

    @property
    def generation(self) -> int:
        return self.instance.generation

    async def start(self) -> None:
        await self.instance.start()

    async def close(self) -> None:
        await self.instance.close()

    def handler(
        self, plan: FunctionPlan, deadline_seconds: float, pointers: Pointers | None
    ) -> Handler:
        signature = self.module.signatures[plan.function]
        return Function(plan, signature, self.instance, deadline_seconds, pointers)


@dataclass(frozen=True, slots=True)
class ComponentProgram:
    component: Component

    @property
    def signatures(self) -> Mapping[str, Signature]:
        return self.component.signatures

    def parameter_count(self, function: str) -> int:
        return len(self.component.signatures[function].parameters)

    def pointers(self, plan: FunctionPlan, model: bytes | None) -> Pointers | None:
        return None  # a component's memory is its own

    def run(self, engine: Engine, folder: Path, limits: Limits) -> "ComponentRun":
        return ComponentRun(ComponentInstance(engine, self.component, folder, limits))


@dataclass(frozen=True, slots=True)
class ComponentRun:
    instance: ComponentInstance

    @property
    def generation(self) -> int:
        return self.instance.generation

    async def start(self) -> None:
        await self.instance.start()

    async def close(self) -> None:
        await self.instance.close()

    def handler(
        self, plan: FunctionPlan, deadline_seconds: float, pointers: Pointers | None
    ) -> Handler:
        return ComponentFunction(plan, self.instance, deadline_seconds)
