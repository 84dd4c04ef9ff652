"""What a deployed binary is, a core module or a component: its functions, and how they are run."""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from converters.plan import FunctionPlan, Signature, is_only_program
from servient.deployment.component_function import ComponentFunction
from servient.deployment.function import Function
from servient.deployment.initializer import Initializer
from servient.deployment.pointers import Pointers, find_pointers
from servient.deployment.program_function import ProgramFunction
from servient.errors import ModuleRejected
from servient.wasm.components.component import Component
from servient.wasm.components.instance import ComponentInstance
from servient.wasm.engine import Engine, is_component
from servient.wasm.imports.standard import ImportSettings
from servient.wasm.instance import Instance
from servient.wasm.isolated.instance import IsolatedInstance
from servient.wasm.isolated.setup import Isolation
from servient.wasm.module import Module
from servient.wasm.running import Running
from servient.wasm.stateless import StatelessInstances
from servient.wasm.types import Limits, WasiSettings
from servient.wot.content import Value
from servient.wot.thing import Outcome


class Handler(Protocol):
    """What carries out the action of a function."""

    async def __call__(self, value: Value) -> Outcome: ...

    def begin(self, value: Value) -> Outcome | Awaitable[Outcome] | None:
        """The same where it can be done at once; None where it cannot, and nothing is begun."""
        ...


class Run(Protocol):
    """A program that runs, once it is started."""

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    async def initialize(self, initializer: Initializer) -> Mapping[str, bytes]:
        """Run it; returns the files that it wrote. Raises ServientError."""
        ...

    @property
    def generation(self) -> int:
        """How often its instance was replaced, its state lost."""
        ...

    @property
    def kind(self) -> str:
        """How its calls run: "ordered", "stateless", "isolated" or "component"."""
        ...

    @property
    def pending(self) -> int:
        """How many calls run or wait."""
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

    def run(
        self,
        engine: Engine,
        folder: Path,
        limits: Limits,
        wasi: WasiSettings,
        initializer: Initializer | None,
    ) -> Run:
        """Not started, nor initialized: only what takes the place of an instance is at once."""
        ...


async def compile_program(
    engine: Engine,
    binary: bytes,
    is_stateless: bool = False,
    isolation: ImportSettings | None = None,
) -> Program:
    """With `isolation` it runs in a process of its own, where it may reach that. Raises ModuleRejected."""
    if not is_component(binary):
        return CoreProgram(await engine.compile(binary), is_stateless, isolation)
    if isolation is not None:
        raise ModuleRejected(
            "a component cannot run in a process of its own, as `isolated` beside the module or this"
            " servient's setting `isolate_modules` demands"
        )
    if is_stateless:
        raise ModuleRejected("a component cannot be declared stateless; leave `stateless` out")
    return ComponentProgram(await engine.compile_component(binary))


@dataclass(frozen=True, slots=True)
class CoreProgram:
    module: Module
    is_stateless: bool
    isolation: ImportSettings | None = None

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

    def run(
        self,
        engine: Engine,
        folder: Path,
        limits: Limits,
        wasi: WasiSettings,
        initializer: Initializer | None,
    ) -> "CoreRun":
        is_stateless = self.is_stateless or is_only_program(self.signatures)
        prelude = initializer.to_call() if initializer and not is_stateless else None
        if self.isolation is not None:
            isolation = Isolation(self.isolation, is_stateless, wasi, prelude)
            isolated = IsolatedInstance(self.module, folder, limits, isolation)
            return CoreRun(self.module, isolated, "isolated")
        if is_stateless:
            instances = StatelessInstances(engine, self.module, folder, limits, wasi)
            return CoreRun(self.module, instances, "stateless")
        return CoreRun(self.module, Instance(engine, self.module, folder, limits, wasi, prelude))


@dataclass(frozen=True, slots=True)
class CoreRun:
    module: Module
    instance: Running
    kind: str = "ordered"

    @property
    def generation(self) -> int:
        return self.instance.generation

    @property
    def pending(self) -> int:
        return self.instance.pending

    async def start(self) -> None:
        await self.instance.start()

    async def close(self) -> None:
        await self.instance.close()

    async def initialize(self, initializer: Initializer) -> Mapping[str, bytes]:
        return (await self.instance.call(initializer.to_call())).files

    def handler(
        self, plan: FunctionPlan, deadline_seconds: float, pointers: Pointers | None
    ) -> Handler:
        if plan.is_program:
            return ProgramFunction(plan, self.instance, deadline_seconds)
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

    def run(
        self,
        engine: Engine,
        folder: Path,
        limits: Limits,
        wasi: WasiSettings,
        initializer: Initializer | None,
    ) -> "ComponentRun":
        return ComponentRun(ComponentInstance(engine, self.component, folder, limits, wasi))


@dataclass(frozen=True, slots=True)
class ComponentRun:
    instance: ComponentInstance
    kind: str = "component"

    @property
    def generation(self) -> int:
        return self.instance.generation

    @property
    def pending(self) -> int:
        return self.instance.pending

    async def start(self) -> None:
        await self.instance.start()

    async def close(self) -> None:
        await self.instance.close()

    async def initialize(self, initializer: Initializer) -> Mapping[str, bytes]:
        return {}  # no function of a component can have such a name

    def handler(
        self, plan: FunctionPlan, deadline_seconds: float, pointers: Pointers | None
    ) -> Handler:
        return ComponentFunction(plan, self.instance, deadline_seconds)
