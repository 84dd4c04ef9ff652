"""What an orchestrator knows of an uploaded module: its code, its functions and its files."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import wasmtime


@dataclass(frozen=True, slots=True)
class Mount:
    """A file of a function; `stage` is execution, deployment or output."""

    path: str
    media_type: str
    stage: str

    def document(self) -> dict[str, str]:
        return {"path": self.path, "media_type": self.media_type, "stage": self.stage}


@dataclass(frozen=True, slots=True)
class Function:
    """What its uploader filled in: parameters as (name, type), `output` a type or a media type."""

    name: str
    parameters: tuple[tuple[str, str], ...] = ()
    output: str = "integer"
    method: str = "get"
    mounts: tuple[Mount, ...] = ()

    def at(self, stage: str) -> list[Mount]:
        return [mount for mount in self.mounts if mount.stage == stage]


@dataclass(frozen=True, slots=True)
class Module:
    """`files` are its data files by the names of their mounts."""

    id: str
    name: str
    wasm: bytes
    functions: Mapping[str, Function]
    files: Mapping[str, bytes] = field(default_factory=dict)

    def imports(self) -> list[str]:
        """Names alone: the namespace is not looked at."""
        module = wasmtime.Module(wasmtime.Engine(), self.wasm)
        return [each.name or "" for each in module.imports]

    def urls(self, origin: str) -> dict[str, Any]:
        base = f"{origin}/file/module/{self.id}"
        other = {name: f"{base}/{name}" for name in self.files}
        return {"binary": f"{base}/wasm", "description": f"{base}/description", "other": other}


def operation_of(function: Function) -> dict[str, Any]:
    """Its operation in the module's OpenAPI description."""
    response = response_of(function)
    content = {response["media_type"]: {"schema": response["schema"]}}
    operation: dict[str, Any] = {
        "tags": [],
        "summary": f"Auto-generated description of {function.name}",
        "parameters": parameters_of(function),
        "responses": {"200": {"description": "Auto-generated description", "content": content}},
    }
    if body := request_body_of(function):
        media_type = body.pop("media_type")
        operation["requestBody"] = {"content": {media_type: body}}
    return operation


def parameters_of(function: Function) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "query",
            "description": "Auto-generated description",
            "required": True,
            "schema": {"type": kind},
        }
        for name, kind in function.parameters
    ]


def request_body_of(function: Function) -> dict[str, Any] | None:
    """All files that the function reads, those of the deployment among them."""
    mounts = [*function.at("deployment"), *function.at("execution")]
    if not mounts:
        return None
    binary = {"type": "string", "format": "binary"}
    return {
        "media_type": "multipart/form-data",
        "schema": {"type": "object", "properties": {mount.path: binary for mount in mounts}},
        "encoding": {mount.path: {"contentType": mount.media_type} for mount in mounts},
    }


def response_of(function: Function) -> dict[str, Any]:
    if function.output in ("integer", "float"):
        return {"media_type": "application/json", "schema": {"type": function.output}}
    return {"media_type": function.output, "schema": {"type": "string", "format": "binary"}}


def describe(module: Module) -> dict[str, Any]:
    """The module's description, as it is served."""
    parameter = {"name": "deployment", "in": "path", "required": True, "schema": {"type": "string"}}
    variables = {"serverIp": {"default": "localhost"}, "port": {"default": "5000"}}
    return {
        "openapi": "3.0.3",
        "info": {"title": module.name, "description": "Calling functions", "version": "0.0.1"},
        "tags": [{"name": "WebAssembly", "description": "Executing WebAssembly functions"}],
        "servers": [{"url": "http://{serverIp}:{port}", "variables": variables}],
        "paths": {
            f"/{{deployment}}/modules/{module.name}/{function.name}": {
                "parameters": [parameter],
                function.method: operation_of(function),
            }
            for function in module.functions.values()
        },
    }
