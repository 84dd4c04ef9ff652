"""A deployed module: its instance, its folder and its Thing, which come and go together."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from converters.deployment import Deployment, Function, ModuleEntry
from converters.errors import ConversionError
from converters.plan import INITIALIZER, FunctionPlan, plan_functions
from converters.thing import describe
from servient.deployment.agreement import check_functions
from servient.deployment.chain import Chains
from servient.deployment.description import read_description
from servient.deployment.folder import ModuleFolder
from servient.deployment.handling import Handling
from servient.deployment.initializer import Initializer, find_initializer
from servient.deployment.pointers import Pointers
from servient.deployment.program import Run, compile_program
from servient.errors import ManifestRejected, ModuleRejected, ServientError
from servient.journal import Journal
from servient.wasm.engine import Engine
from servient.wasm.imports.standard import ImportSettings
from servient.wasm.types import Limits, WasiSettings
from servient.wot.description import Document
from servient.wot.entry import WoT
from servient.wot.thing import ExposedThing
from thing_descriptions.vocabulary import GENERATION_PROPERTY, REPLACED_EVENT


def thing_name(deployment_id: str, module_name: str) -> str:
    """The name of a module's Thing in paths; neither part may contain a colon."""
    return f"{deployment_id}:{module_name}"


class DeployedModule:
    """One module of one deployment, from its bytes to its Thing."""

    def __init__(
        self,
        entry: ModuleEntry,
        run: Run,
        folder: ModuleFolder,
        plans: tuple[FunctionPlan, ...],
        pointers: Mapping[str, Pointers],
        document: Document,
        initializer: Initializer | None,
    ) -> None:
        self.name = entry.name
        self.thing: ExposedThing | None = None
        self._functions: Mapping[str, Function] = entry.functions
        self._run = run
        self._folder = folder
        self._plans = plans
        self._pointers = pointers
        self._document = document
        self._initializer = initializer
        self._generation = 0

    @property
    def kind(self) -> str:
        """How its calls run, as in `Run`."""
        return self._run.kind

    @property
    def pending_calls(self) -> int:
        """How many of them run or wait."""
        return self._run.pending

    async def start(self, files: Mapping[str, bytes]) -> None:
        """Write the files and start the instance. Raises ModuleRejected when it does not start."""
        # What is written only later has to be known as a file of the deployment from the beginning.
        later = dict.fromkeys(self._initializer.files, b"") if self._initializer else {}
        self._folder.create({**later, **files})
        try:
            await self._run.start()
            if self._initializer:
                await self._initialize(self._initializer)
        except ServientError as error:
            raise ModuleRejected(f"module {self.name!r} does not start: {error.detail}") from error

    async def _initialize(self, initializer: Initializer) -> None:
        """Raises ModuleRejected."""
        try:
            written = await self._run.initialize(initializer)
        except ServientError as error:
            raise ModuleRejected(f"{INITIALIZER!r} failed: {error.detail}") from error
        for name in initializer.files:
            if name not in written:
                raise ModuleRejected(f"{INITIALIZER!r} wrote no file {name!r}")
            self._folder.put(name, written[name])

    def expose(
        self,
        wot: WoT,
        name: str,
        deadline_seconds: float,
        journal: Journal,
        *,
        is_checked: bool = False,
    ) -> None:
        """Make the Thing and serve it. It was checked already when it was deployed earlier."""
        thing = wot.produce(self._document, name, is_checked=is_checked)
        for plan in self._plans:
            handler = self._run.handler(plan, deadline_seconds, self._pointers.get(plan.function))
            tell = partial(self._tell_replacement, thing)
            handling = Handling(handler, thing.name, plan.function, journal, tell)
            thing.set_action_handler(plan.action, handling)
        thing.set_property(self._document[GENERATION_PROPERTY], self._generation)
        thing.expose()
        self.thing = thing

    def follow(self, chains: Chains) -> None:
        """Have results go on to where the manifest says."""
        for plan in self._plans:
            function = self._functions.get(plan.function)
            follower = chains.follower(function) if function else None
            if follower and self.thing:
                self.thing.set_follower(plan.action, follower)

    def _tell_replacement(self, thing: ExposedThing, reason: str) -> None:
        """Say so when the instance is another than at the last call, and the module's state lost."""
        if self._run.generation != self._generation:
            self._generation = self._run.generation
            thing.set_property(self._document[GENERATION_PROPERTY], self._generation)
            lost = {"generation": self._generation, "reason": reason}
            thing.emit_event(self._document[REPLACED_EVENT], lost)

    def withdraw(self) -> None:
        """Stop serving the Thing; invocations that run are let finish until `close`."""
        if self.thing is not None:
            self.thing.destroy()
            self.thing = None

    async def close(self) -> None:
        """End the instance and remove its folder."""
        await self._run.close()
        self._folder.remove()


async def build_module(
    deployment: Deployment,
    entry: ModuleEntry,
    contents: Mapping[str, bytes],
    engine: Engine,
    limits: Limits,
    instance_path: Path,
    servient_id: str,
    isolation: ImportSettings | None = None,
) -> DeployedModule:
    """Compile a module and work out its Thing; nothing is running and nothing is written yet.

    `contents` are fetched files by URL; with `isolation` the module runs in a process of its own.
    Raises ModuleRejected or ManifestRejected.
    """
    try:
        binary = contents[entry.binary_url]
        program = await compile_program(engine, binary, entry.is_stateless, isolation)
    except ModuleRejected as error:
        raise ModuleRejected(f"{entry.source}: {error.detail}") from error
    endpoints = read_description(entry, contents)
    try:
        plans = plan_functions(entry, endpoints=endpoints, signatures=program.signatures)
    except ConversionError as error:
        faults = [{"pointer": error.pointer, "detail": error.message}]
        raise ManifestRejected(str(error), faults) from error
    pointers = check_functions(plans, entry, program, contents)
    initializer = find_initializer(entry, program.signatures, limits.start_seconds)
    document = describe(deployment.id, entry, plans, servient_id=servient_id)
    folder = ModuleFolder(instance_path)
    wasi = WasiSettings(entry.environment, entry.arguments)
    run = program.run(engine, folder.path, limits, wasi, initializer)
    return DeployedModule(entry, run, folder, plans, pointers, document, initializer)
