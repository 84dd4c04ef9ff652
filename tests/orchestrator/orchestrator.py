"""An orchestrator as devices see it: it finds them, deploys, executes, and watches over them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp

from tests.orchestrator.devices import Device, Devices
from tests.orchestrator.execution import Body, Caller, Executed
from tests.orchestrator.manifests import Step, make_manifests
from tests.orchestrator.modules import Module
from tests.orchestrator.server import Server
from tests.orchestrator.shapes import check_description, check_health

DEPLOY_SECONDS = 20.0
REQUEST_SECONDS = 60.0
UNREACHABLE = (aiohttp.ClientError, TimeoutError, OSError)
Wanted = tuple[Module, str, str | None]
Shape = Callable[[str, str, Sequence[Step]], dict[str, dict[str, Any]]]


class DeployFailed(Exception):
    """A device did not take a manifest."""


@dataclass(slots=True)
class Deployment:
    """`wanted` are the steps as they were asked for: module, function and a device's name or None."""

    id: str
    wanted: Sequence[Wanted]
    manifests: dict[str, dict[str, Any]]
    steps: list[Step]

    @property
    def endpoint(self) -> dict[str, Any]:
        """Where an execution begins."""
        return self.steps[0].endpoint(self.id)


class Orchestrator:
    """`health_seconds` is between two checks of a device: 15 s in earnest.

    `shape` makes manifests, by the URLs of their devices.
    """

    def __init__(
        self,
        client: aiohttp.ClientSession,
        body: Body = Body.NODE,
        health_seconds: float = 1.0,
        shape: Shape = make_manifests,
    ) -> None:
        self.devices = Devices()
        self.server = Server(self._registered)
        self.deployments: dict[str, Deployment] = {}
        self.caller = Caller(client, body)
        self._client = client
        self._health_seconds = health_seconds
        self._shape = shape
        self._ids = iter(range(0x6B0245D64195DE0AFD6AFCB8, 0x6B0245D64195DE0AFD6AFFFF))

    # Devices

    async def _registered(self, document: dict[str, Any]) -> None:
        scheme = "https" if document["properties"]["tls"] == "1" else "http"
        await self.discovered(
            Device(document["name"], document["addresses"][0], document["port"], scheme)
        )

    async def discovered(self, device: Device) -> Device:
        """Ask a new device what it is and how it is, and tell it where we are."""
        if self.devices.add(device):
            path = "/.well-known/wasmiot-device-description"
            async with self._client.get(device.url + path) as answer:
                assert answer.status == 200
                device.description = await answer.json()
            check_description(device.description)
            await self.check(device)
        return self.devices[device.name]

    async def check(self, device: Device) -> bool:
        """One check of a device's health; whether it is well."""
        try:
            async with self._client.get(
                f"{device.url}/health",
                headers={"X-Forwarded-For": "127.0.0.1"},
                timeout=aiohttp.ClientTimeout(5),
            ) as answer:
                if not answer.ok:
                    return False
                device.health = await answer.json()
                is_told = answer.headers.get("Custom-Orchestrator-Set") == "true"
            check_health(device.health)
            if not is_told:
                async with self._client.post(
                    f"{device.url}/register", json={"url": self.server.origin}
                ) as answer:
                    assert answer.status == 200, await answer.text()
        except UNREACHABLE:
            return False
        return True

    @contextlib.asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Check all devices again and again for as long as the block runs."""
        task = asyncio.create_task(self._watch(), name="health of the devices")
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._health_seconds)
            for device in self.devices:
                if device.count(await self.check(device)):
                    await self._redeploy(device)

    async def _redeploy(self, device: Device) -> None:
        """Put what is, or by its owner's wish should be, on a device where it belongs now."""
        for deployment in tuple(self.deployments.values()):
            is_there = device.url in deployment.manifests
            is_wished = any(name == device.name for *_, name in deployment.wanted)
            if is_wished if device.is_active else is_there:
                with contextlib.suppress(DeployFailed, *UNREACHABLE):  # until a device comes back
                    await self.deploy(deployment.wanted, deployment.id)

    # Deployments

    def upload(self, module: Module) -> Module:
        self.server.modules[module.id] = module
        return module

    async def deploy(
        self, wanted: Sequence[Wanted], deployment_id: str | None = None
    ) -> Deployment:
        """Place the steps, and send every device its manifest. Raises DeployFailed."""
        deployment_id = deployment_id or f"{next(self._ids):x}"
        steps = []
        for module, function, name in wanted:
            self.upload(module)
            steps.append(Step.of(self._place(module, name).url, module, function))
        manifests = self._shape(deployment_id, self.server.origin, steps)
        for url, manifest in manifests.items():
            await self.send(url, manifest)
        self.deployments[deployment_id] = Deployment(deployment_id, wanted, manifests, steps)
        return self.deployments[deployment_id]

    def _place(self, module: Module, name: str | None) -> Device:
        """The device that is wished for, else any that offers what the module imports."""
        fit = [d for d in self.devices.active() if set(module.imports()) <= d.interfaces]
        if not fit:
            raise DeployFailed(f"no device offers {module.imports()}")
        return next((device for device in fit if device.name == name), fit[0])

    async def send(self, device_url: str, manifest: Mapping[str, Any]) -> None:
        """POST a manifest. The path of what is joined begins with a slash of its own."""
        timeout = aiohttp.ClientTimeout(DEPLOY_SECONDS)
        async with self._client.post(
            f"{device_url}//deploy", json=manifest, timeout=timeout
        ) as answer:
            if not answer.ok:
                raise DeployFailed(f"{answer.status}: {await answer.text()}")
            assert (await answer.json())["deploymentId"] == manifest["deploymentId"]

    async def execute(
        self,
        deployment: Deployment,
        arguments: Mapping[str, Any] | None = None,
        files: Mapping[str, bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Executed:
        """Raises ExecutionFailed."""
        return await self.caller.execute(deployment.endpoint, arguments or {}, files or {}, headers)

    async def history(self, device_url: str) -> list[dict[str, Any]]:
        """All entries of a device's history."""
        async with self._client.get(f"{device_url}/request-history") as answer:
            assert answer.status == 200, await answer.text()
            entries: list[dict[str, Any]] = await answer.json()
            return entries

    async def result_file(self, deployment: Deployment, name: str) -> bytes:
        """A file of the last step, as the page of results gets it: by the module's id."""
        last = deployment.steps[-1]
        path = f"/module_results/{deployment.id}/{last.module.id}/{name}"
        async with self._client.get(last.device_url + path) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.read()


@contextlib.asynccontextmanager
async def orchestrating(
    body: Body = Body.NODE, health_seconds: float = 1.0, shape: Shape = make_manifests
) -> AsyncIterator[Orchestrator]:
    timeout = aiohttp.ClientTimeout(REQUEST_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as client:
        orchestrator = Orchestrator(client, body, health_seconds, shape)
        async with orchestrator.server.running():
            yield orchestrator
