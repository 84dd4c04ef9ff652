"""Deploying and undeploying: all of a deployment or nothing of it, kept until it is undeployed."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from converters.deployment import Deployment, ModuleEntry
from converters.package import Package
from servient.deployment.chain import Chains
from servient.deployment.deployed import Deployed
from servient.deployment.deployer_settings import DeployerSettings
from servient.deployment.fetch import Fetcher
from servient.deployment.manifests import parse, unpack
from servient.deployment.module import DeployedModule, build_module, thing_name
from servient.deployment.results import forget_results, restore_results
from servient.deployment.uninterrupted import uninterrupted
from servient.errors import Busy, NotFound, ServientError
from servient.storage.deployments import DeploymentStore, StoredDeployment
from servient.wasm.engine import Engine
from servient.wot.entry import WoT
from servient.wot.servient import Servient

logger = logging.getLogger(__name__)

DEPLOYMENTS_LIMIT = 1000


class Deployer:
    """Holds the deployments of a servient. One is deployed or undeployed at a time."""

    def __init__(
        self,
        servient: Servient,
        engine: Engine,
        fetcher: Fetcher,
        store: DeploymentStore,
        chains: Chains,
        settings: DeployerSettings,
    ) -> None:
        self._servient = servient
        self._wot = WoT(servient)
        self._engine = engine
        self._fetcher = fetcher
        self._store = store
        self._chains = chains
        self._settings = settings
        self._deployed: dict[str, Deployed] = {}
        self._lost: dict[str, str] = {}
        self._lock = asyncio.Lock()

    def __iter__(self) -> Iterator[Deployed]:
        return iter(tuple(self._deployed.values()))

    @property
    def lost(self) -> Mapping[str, str]:
        """Why deployments could not be brought back that are still kept, by their ids."""
        return self._lost

    async def restore(self) -> None:
        """Bring back what is kept, without fetching; what cannot be is `lost` until the next start."""
        async with self._lock:
            first_invocations: dict[str, int] = {}
            for stored in await self._store.all():
                if (deployed := await self._try_to_bring_back(stored)) is not None:
                    first_invocations |= dict.fromkeys(deployed.names(), stored.first_invocation)
            await restore_results(self._servient, first_invocations)
            known = self._deployed.keys() | self._lost.keys()
            forget_results(self._servient, lambda each: each not in known, first_invocations)
        if self._deployed:
            logger.info("brought back %d deployments", len(self._deployed))

    async def _try_to_bring_back(self, stored: StoredDeployment) -> Deployed | None:
        try:
            return await self._bring_back(stored)
        except ServientError as error:
            self._lost[stored.id] = error.detail
            logger.error("deployment %s cannot be brought back: %s", stored.id, error.detail)
        except Exception as error:  # the others come back nevertheless
            self._lost[stored.id] = str(error)
            logger.exception("deployment %s cannot be brought back", stored.id)
        return None

    async def _bring_back(self, stored: StoredDeployment) -> Deployed:
        deployment = parse(stored.manifest)
        contents = await self._store.contents(stored)
        async with self._started(deployment, contents) as deployed:
            self._swap(deployed, is_checked=True)
        return deployed

    async def deploy(self, manifest: Any) -> Deployed:
        """Deploy a manifest; a deployment of the same id is replaced, with fresh instances.

        One that brings files along may have been opened by `unpack` already.
        Raises ManifestRejected, FetchFailed or ModuleRejected, and then leaves nothing behind: an
        earlier deployment of the same id goes on as it was.
        """
        package = manifest if isinstance(manifest, Package) else unpack(manifest)
        deployment = parse(package.manifest)
        contents = await self._fetch(deployment, package.files)
        async with self._lock:
            self._require_room(deployment.id)
            async with self._started(deployment, contents) as deployed:
                keeping = self._keep_and_serve(deployed, package.manifest, contents)
                earlier = await uninterrupted(keeping, f"keep deployment {deployed.id}")
            if earlier is not None:
                forget_results(self._servient, deployed.id.__eq__)
                await earlier.close()
        self._settings.journal.deployment_created(deployed.id)
        logger.info("deployed %s: %s", deployed.id, ", ".join(deployed.names()))
        return deployed

    def _require_room(self, deployment_id: str) -> None:
        """Raises Busy."""
        taken = self._deployed.keys() | self._lost.keys()
        if deployment_id not in taken and len(taken) >= DEPLOYMENTS_LIMIT:
            raise Busy(f"there are {DEPLOYMENTS_LIMIT} deployments; remove one first")

    async def _keep_and_serve(
        self, deployed: Deployed, document: Any, contents: Mapping[str, bytes]
    ) -> Deployed | None:
        """Returns the earlier deployment of its id, if it was served. Raises StorageFailed."""
        first_invocation = self._servient.invocations.next_number
        replaced = await self._store.save(deployed.id, document, contents, first_invocation)
        try:
            earlier = self._swap(deployed)
        except BaseException:
            await self._store.put_back(deployed.id, replaced)
            raise
        self._store.release(replaced)
        self._lost.pop(deployed.id, None)
        return earlier

    async def _fetch(
        self, deployment: Deployment, brought: Mapping[str, bytes]
    ) -> Mapping[str, bytes]:
        required = {
            url for entry in deployment.modules for url in (entry.binary_url, *entry.files.values())
        }
        required |= self._settings.trust.signature_urls(deployment)
        described = {entry.description_url for entry in deployment.modules if entry.description_url}
        return await self._fetcher.fetch_all(frozenset(required), frozenset(described), brought)

    @contextlib.asynccontextmanager
    async def _started(
        self, deployment: Deployment, contents: Mapping[str, bytes]
    ) -> AsyncIterator[Deployed]:
        """All modules of a deployment, running; they end when the block raises.

        Raises Untrusted before any of them is compiled.
        """
        self._settings.trust.require(deployment, contents)
        async with contextlib.AsyncExitStack() as undo:
            modules = [
                await self._start(deployment, entry, contents, undo) for entry in deployment.modules
            ]
            yield Deployed(deployment, tuple(modules))
            undo.pop_all()

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
            settings.complete(entry),
            contents,
            self._engine,
            settings.limits,
            settings.instance_path,
            settings.servient_id,
            settings.imports if entry.is_isolated or settings.isolates_all else None,
        )
        undo.push_async_callback(module.close)
        await module.start({name: contents[url] for name, url in entry.files.items()})
        return module

    def _swap(self, deployed: Deployed, *, is_checked: bool = False) -> Deployed | None:
        """Serve a deployment instead of the earlier one of its id, which is returned, or nothing."""
        earlier = self._deployed.get(deployed.id)
        if earlier is not None:
            earlier.withdraw()
        try:
            self._expose(deployed, is_checked=is_checked)
        except BaseException:
            deployed.withdraw()
            if earlier is not None:
                self._expose(earlier, is_checked=True)
            raise
        self._deployed[deployed.id] = deployed
        return earlier

    def _expose(self, deployed: Deployed, *, is_checked: bool) -> None:
        for module, name in zip(deployed.modules, deployed.names(), strict=True):
            module.expose(
                self._wot,
                name,
                self._settings.deadline_seconds,
                self._settings.journal,
                is_checked=is_checked,
            )
            module.follow(self._chains)

    async def undeploy(self, deployment_id: str) -> None:
        """Remove a deployment, its Things and its files. Raises NotFound."""
        async with self._lock:
            if deployment_id not in self._deployed and deployment_id not in self._lost:
                raise NotFound(f"no deployment {deployment_id[:200]!r}")
            await uninterrupted(self._undeploy(deployment_id), f"undeploy {deployment_id}")
        logger.info("undeployed %s", deployment_id)

    async def _undeploy(self, deployment_id: str) -> None:
        await self._store.delete(deployment_id)
        self._lost.pop(deployment_id, None)
        forget_results(self._servient, deployment_id.__eq__)
        await self._end(deployment_id)

    async def _end(self, deployment_id: str) -> None:
        """Serve it no more."""
        deployed = self._deployed.pop(deployment_id, None)
        if deployed is not None:
            deployed.withdraw()
            await deployed.close()

    async def close(self) -> None:
        """End everything, and keep what is kept: the servient stops."""
        async with self._lock:
            for deployment_id in tuple(self._deployed):
                await self._end(deployment_id)
