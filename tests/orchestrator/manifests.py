"""Deployment manifests in the shapes that the Node.js orchestrator sends: today's, and the next one."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from tests.orchestrator.modules import (
    Function,
    Module,
    parameters_of,
    request_body_of,
    response_of,
)

STAGES = ("execution", "deployment", "output")


@dataclass(frozen=True, slots=True)
class Step:
    """A function of a module on a device; the result of one step goes to the next."""

    device_url: str
    module: Module
    function: Function

    @classmethod
    def of(cls, device_url: str, module: Module, function: str) -> "Step":
        return cls(device_url, module, module.functions[function])

    def endpoint(self, deployment_id: str) -> dict[str, Any]:
        """How it is called."""
        request: dict[str, Any] = {"parameters": parameters_of(self.function)}
        if body := request_body_of(self.function):
            request["request_body"] = body
        return {
            "url": self.device_url,
            "path": f"/{deployment_id}/modules/{self.module.name}/{self.function.name}",
            "method": self.function.method,
            "request": request,
            "response": response_of(self.function),
        }

    def mounts(self) -> dict[str, Any]:
        return {stage: [each.document() for each in self.function.at(stage)] for stage in STAGES}


def make_manifests(
    deployment_id: str, origin: str, steps: Sequence[Step]
) -> dict[str, dict[str, Any]]:
    """What is sent to each device, by its URL; modules are fetched from the origin.

    A module stands in `modules` once for each of its steps: that is how it is sent.
    """
    manifests: dict[str, dict[str, Any]] = {}
    for step, following in zip_longest(steps, steps[1:]):
        manifest = manifests.setdefault(step.device_url, _empty(deployment_id))
        module, function = step.module.name, step.function.name
        entry = {"id": step.module.id, "name": module, "urls": step.module.urls(origin)}
        manifest["modules"].append(entry)
        endpoint = step.endpoint(deployment_id)
        instruction = {
            "from": endpoint,
            "to": following.endpoint(deployment_id) if following else None,
        }
        manifest["endpoints"].setdefault(module, {})[function] = endpoint
        manifest["instructions"]["modules"].setdefault(module, {})[function] = instruction
        manifest["mounts"].setdefault(module, {})[function] = step.mounts()
    return manifests


def make_sequences(
    deployment_id: str, origin: str, steps: Sequence[Step]
) -> dict[str, dict[str, Any]]:
    """The newer shape: every device gets all steps, and is told which of them are its own."""
    sequence = []
    for step, following in zip_longest(steps, steps[1:]):
        instructions = {"from": step.endpoint(deployment_id)}
        if following:
            instructions["to"] = following.endpoint(deployment_id)
        module = {
            "id": step.module.id,
            "name": step.module.name,
            "urls": step.module.urls(origin),
        }
        sequence.append(
            {
                "deviceId": _device_id(step.device_url),
                "deploymentId": deployment_id,
                "module": module,
                "function": step.function.name,
                "endpoint": step.endpoint(deployment_id),
                "instructions": instructions,
                "mounts": step.mounts(),
            }
        )
    return {
        step.device_url: {
            "deploymentId": deployment_id,
            "myId": _device_id(step.device_url),
            "fullManifest": {"sequence": sequence},
        }
        for step in steps
    }


def _device_id(url: str) -> str:
    return f"device-{url.rpartition(':')[2]}"


def _empty(deployment_id: str) -> dict[str, Any]:
    return {
        "deploymentId": deployment_id,
        "modules": [],
        "endpoints": {},
        "instructions": {"modules": {}},
        "mounts": {},
    }
