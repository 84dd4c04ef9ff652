"""A deployed module: its instance, its folder and its Thing, which come and go together."""

from collections.abc import Mapping
from pathlib import Path

from converters.deployment import Deployment, ModuleEntry
from converters.errors import ConversionError
from converters.plan import FunctionPlan, plan_functions
from converters.thing import describe
from servient.deployment.description import read_description
from servient.deployment.folder import ModuleFolder
from servient.deployment.function import Function
from servient.errors import ManifestRejected, ModuleRejected, ServientError
from servient.wasm.engine import Engine
from servient.wasm.instance import Instance
from servient.wasm.module import Module
from servient.wasm.types import Limits
from servient.wot.description import Document
from servient.wot.entry import WoT
from servient.wot.thing import ExposedThing


def thing_name(deployment_id: str, module_name: str) -> str:
    """The name of a module's Thing in paths; neither part may contain a colon."""
    return f"{deployment_id}:{module_name}"


class DeployedModule:
    """One module of one deployment, from its bytes to its Thing."""

    def __init__(
        self,
        name: str,
        module: Module,
        instance: Instance,
        folder: ModuleFolder,
        plans: tuple[FunctionPlan, ...],
        document: Document,
    ) -> None:
        self.name = name
        self.thing: ExposedThing | None = None
        self._module = module
        self._instance = instance
        self._folder = folder
        self._plans = plans
        self._document = document

    async def start(self, files: Mapping[str, bytes]) -> None:
        """Write the files and start the instance. Raises ModuleRejected when it does not start."""
        self._folder.create(files)
        try:
            await self._instance.start()
        except ServientError as error:
            raise ModuleRejected(f"module {self.name!r} does not start: {error.detail}") from error

    def expose(self, wot: WoT, name: str, deadline_seconds: float) -> None:
        """Make the Thing and serve it."""
        thing = wot.produce(self._document, name)
        for plan in self._plans:
            signature = self._module.signatures[plan.function]
            thing.set_action_handler(
                plan.action, Function(plan, signature, self._instance, deadline_seconds)
            )
        thing.expose()
        self.thing = thing

    def withdraw(self) -> None:
        """Stop serving the Thing; invocations that run are let finish until `close`."""
        if self.thing is not None:
            self.thing.destroy()
            self.thing = None

    async def close(self) -> None:
        """End the instance and remove its folder."""
        await self._instance.close()
        self._folder.remove()


async def build_module(
    deployment: Deployment,
    entry: ModuleEntry,
    contents: Mapping[str, bytes],
    engine: Engine,
    limits: Limits,
    instance_path: Path,
    servient_id: str,
) -> DeployedModule:
    """Compile a module and work out its Thing; nothing is running and nothing is written yet.

    `contents` are fetched files by URL. Raises ModuleRejected or ManifestRejected.
    """
    try:
        module = await engine.compile(contents[entry.binary_url])
    except ModuleRejected as error:
        raise ModuleRejected(f"{entry.binary_url}: {error.detail}") from error
    signatures = {
        name: (tuple(signature.parameters), tuple(signature.results))
        for name, signature in module.signatures.items()
    }
    endpoints = read_description(entry, contents)
    try:
        plans = plan_functions(entry, endpoints=endpoints, signatures=signatures)
    except ConversionError as error:
        faults = [{"pointer": error.pointer, "detail": error.message}]
        raise ManifestRejected(str(error), faults) from error
    for plan in plans:
        _check(plan, entry, module)
        if (named := entry.functions.get(plan.function)) and named.next:
            raise ManifestRejected(
                f"/instructions/modules/{entry.name}/{plan.function}/to: this servient does not pass"
                " results on to a next endpoint"
            )
    document = describe(deployment.id, entry.name, plans, servient_id=servient_id)
    folder = ModuleFolder(instance_path)
    instance = Instance(engine, module, folder.path, limits)
    return DeployedModule(entry.name, module, instance, folder, plans, document)


def _check(plan: FunctionPlan, entry: ModuleEntry, module: Module) -> None:
    """Raises ManifestRejected when the module has no such function, or it takes other arguments."""
    signature = module.signatures.get(plan.function)
    if signature is None:
        offered = ", ".join(sorted(module.signatures)) or "none"
        raise ManifestRejected(
            f"module {entry.name!r} exports no function {plan.function!r}; it exports {offered[:300]}"
        )
    if len(plan.parameters) != len(signature.parameters):
        raise ManifestRejected(
            f"function {plan.function!r} of module {entry.name!r} takes {len(signature.parameters)}"
            f" arguments, not {len(plan.parameters)}: {', '.join(plan.parameters) or 'none declared'}"
        )
