"""Deploying and undeploying: all of a deployment or nothing of it."""

import asyncio
import contextlib
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from converters.deployment import Deployment, ModuleEntry
from converters.errors import ConversionError
from converters.manifest import parse_manifest
from servient.deployment.fetch import Fetcher
from servient.deployment.module import DeployedModule, build_module, thing_name
from servient.errors import Busy, ManifestRejected, NotFound
from servient.journal import Journal
from servient.wasm.engine import Engine
from servient.wasm.types import Limits
from servient.wot.entry import WoT

logger = logging.getLogger(__name__)

DEPLOYMENTS_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class Deployed:
    """A deployment whose Things are served."""

    deployment: Deployment
    modules: tuple[DeployedModule, ...]

    @property
    def id(self) -> str:
        return self.deployment.id

    def names(self) -> list[str]:
        """The names of its Things."""
        return [thing_name(self.id, module.name) for module in self.modules]


@dataclass(frozen=True, slots=True)
class DeployerSettings:
    """`deadline_seconds` bounds each call of a function."""

    instance_path: Path
    servient_id: str
    deadline_seconds: float = 10.0
    limits: Limits = field(default_factory=Limits)
    journal: Journal = field(default_factory=Journal)


class Deployer:
    """Holds the deployments of a servient. One is deployed or undeployed at a time."""

    def __init__(
        self, wot: WoT, engine: Engine, fetcher: Fetcher, settings: DeployerSettings
    ) -> None:
        self._wot = wot
        self._engine = engine
        self._fetcher = fetcher
        self._settings = settings
        self._deployed: dict[str, Deployed] = {}
        self._lock = asyncio.Lock()

    def __iter__(self) -> Iterator[Deployed]:
        return iter(tuple(self._deployed.values()))

    async def deploy(self, document: Any) -> Deployed:
        """Deploy a manifest; a deployment of the same id is replaced, with fresh instances.

        Raises ManifestRejected, FetchFailed or ModuleRejected, and then leaves nothing behind: an
        earlier deployment of the same id goes on as it was.
        """
        try:
            deployment = parse_manifest(document)
        except ConversionError as error:
            faults = [{"pointer": error.pointer, "detail": error.message}]
            raise ManifestRejected(str(error), faults) from error
        contents = await self._fetch(deployment)
        async with self._lock:
            if deployment.id not in self._deployed and len(self._deployed) >= DEPLOYMENTS_LIMIT:
                raise Busy(f"there are {DEPLOYMENTS_LIMIT} deployments; remove one first")
            async with contextlib.AsyncExitStack() as undo:
                modules = [
                    await self._start(deployment, entry, contents, undo)
                    for entry in deployment.modules
                ]
                deployed = Deployed(deployment, tuple(modules))
                earlier = self._swap(deployed)
                undo.pop_all()
            if earlier is not None:
                await _close(earlier)
        self._settings.journal.deployment_created(deployed.id)
        logger.info("deployed %s: %s", deployed.id, ", ".join(deployed.names()))
        return deployed

    async def _fetch(self, deployment: Deployment) -> Mapping[str, bytes]:
        required = {
            url for entry in deployment.modules for url in (entry.binary_url, *entry.files.values())
        }
        described = {entry.description_url for entry in deployment.modules if entry.description_url}
        return await self._fetcher.fetch_all(frozenset(required), frozenset(described))

    async def _start(
        self,
        deployment: Deployment,
        entry: ModuleEntry,
        contents: Mapping[str, bytes],
        undo: contextlib.AsyncExitStack,
    ) -> DeployedModule:
        settings = self._settings
        settings.journal.deploying_module(thing_name(deployment.id, entry.name))
        module = await build_module(
            deployment,
            entry,
            contents,
            self._engine,
            settings.limits,
            settings.instance_path,
            settings.servient_id,
        )
        undo.push_async_callback(module.close)
        await module.start({name: contents[url] for name, url in entry.files.items()})
        return module

    def _swap(self, deployed: Deployed) -> Deployed | None:
        """Serve a deployment instead of the earlier one of its id, which is returned, or nothing."""
        earlier = self._deployed.get(deployed.id)
        if earlier is not None:
            _withdraw(earlier)
        try:
            self._expose(deployed)
        except BaseException:
            _withdraw(deployed)
            if earlier is not None:
                self._expose(earlier)
            raise
        self._deployed[deployed.id] = deployed
        return earlier

    def _expose(self, deployed: Deployed) -> None:
        for module, name in zip(deployed.modules, deployed.names(), strict=True):
            module.expose(self._wot, name, self._settings.deadline_seconds, self._settings.journal)

    async def undeploy(self, deployment_id: str) -> None:
        """Remove a deployment, its Things and its files. Raises NotFound."""
        async with self._lock:
            if not await self._remove(deployment_id):
                raise NotFound(f"no deployment {deployment_id[:200]!r}")
        logger.info("undeployed %s", deployment_id)

    async def _remove(self, deployment_id: str) -> bool:
        deployed = self._deployed.pop(deployment_id, None)
        if deployed is None:
            return False
        _withdraw(deployed)
        await _close(deployed)
        return True

    async def close(self) -> None:
        """Undeploy everything: the servient stops."""
        async with self._lock:
            for deployment_id in tuple(self._deployed):
                await self._remove(deployment_id)


def _withdraw(deployed: Deployed) -> None:
    for module in deployed.modules:
        module.withdraw()


async def _close(deployed: Deployed) -> None:
    for module in deployed.modules:
        await module.close()
