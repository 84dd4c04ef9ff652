"""What a process is told about the module that it is to run."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from servient.wasm.imports.standard import ImportSettings
from servient.wasm.isolated.messages import Message, to_parts
from servient.wasm.module import Module
from servient.wasm.types import NO_SETTINGS, Call, Limits, WasiSettings


@dataclass(frozen=True, slots=True)
class Isolation:
    """How an isolated module runs: what it may reach, and whether each call finds a fresh copy.

    `prelude` is the call that each copy begins with which takes the place of another.
    """

    settings: ImportSettings = field(default_factory=ImportSettings)
    is_stateless: bool = False
    wasi: WasiSettings = NO_SETTINGS
    prelude: Call | None = None


@dataclass(frozen=True, slots=True)
class Setup:
    """`code` is compiled; `leftovers` are files of a call that did not come to its end.

    `directory` is where relative paths in the settings begin. `is_replacement`: there was a process
    for this module before.
    """

    code: bytes
    digest: str
    size_bytes: int
    folder: Path
    directory: Path
    limits: Limits
    settings: ImportSettings
    leftovers: Sequence[str] = ()
    is_stateless: bool = False
    wasi: WasiSettings = NO_SETTINGS
    prelude: Call | None = None
    is_replacement: bool = False


def make_setup(
    module: Module,
    folder: Path,
    limits: Limits,
    isolation: Isolation,
    leftovers: Sequence[str],
    is_replacement: bool = False,
) -> Setup:
    """Blocking: the code is copied."""
    needed = _needed(module, isolation.settings)
    is_relative = needed.camera_source or needed.sensor_source
    return Setup(
        code=bytes(module.native.serialize()),
        digest=module.digest,
        size_bytes=module.size_bytes,
        folder=folder.absolute(),
        directory=Path.cwd() if is_relative else Path("/"),
        limits=limits,
        settings=needed,
        leftovers=leftovers,
        is_stateless=isolation.is_stateless,
        wasi=isolation.wasi,
        prelude=isolation.prelude,
        is_replacement=is_replacement,
    )


def setup_to_parts(setup: Setup) -> tuple[bytes, ...]:
    settings = setup.settings
    header = {
        "digest": setup.digest,
        "size_bytes": setup.size_bytes,
        "folder": os.fspath(setup.folder),
        "directory": os.fspath(setup.directory),
        "limits": asdict(setup.limits),
        "leftovers": list(setup.leftovers),
        "is_stateless": setup.is_stateless,
        "environment": dict(setup.wasi.environment),
        "arguments": setup.wasi.arguments,
        "prelude": _prelude_to_header(setup.prelude),
        "is_replacement": setup.is_replacement,
        "settings": {
            "camera_source": settings.camera_source,
            "sensor_source": settings.sensor_source,
            "rpc_targets": dict(settings.rpc_targets),
            "ping_networks": [str(network) for network in settings.ping_networks],
        },
    }
    return to_parts(header, (setup.code,))


def to_setup(message: Message) -> Setup:
    """What `setup_to_parts` wrote: the servient is believed."""
    header, settings = message.header, message.header["settings"]
    networks = tuple(map(IPv4Network, settings["ping_networks"]))
    return Setup(
        code=message.frames[0],
        digest=header["digest"],
        size_bytes=header["size_bytes"],
        folder=Path(header["folder"]),
        directory=Path(header["directory"]),
        limits=Limits(**header["limits"]),
        settings=ImportSettings(**{**settings, "ping_networks": networks}),
        leftovers=tuple(header["leftovers"]),
        is_stateless=header["is_stateless"],
        wasi=WasiSettings(header["environment"], tuple(header["arguments"])),
        prelude=_to_prelude(header["prelude"]),
        is_replacement=header["is_replacement"],
    )


def _prelude_to_header(prelude: Call | None) -> Mapping[str, Any] | None:
    """It has no arguments."""
    if prelude is None:
        return None
    return {
        "function": prelude.function,
        "outputs": prelude.outputs,
        "deadline_seconds": prelude.deadline_seconds,
    }


def _to_prelude(header: Mapping[str, Any] | None) -> Call | None:
    if header is None:
        return None
    outputs, seconds = tuple(header["outputs"]), header["deadline_seconds"]
    return Call(header["function"], outputs=outputs, deadline_seconds=seconds)


def _needed(module: Module, settings: ImportSettings) -> ImportSettings:
    """Only what is of use to this module: the rest is none of its process's business."""
    used = {name.partition(".")[0] for name in module.imports}
    unused = {
        "camera": {"camera_source": None},
        "dht": {"sensor_source": None},
        "communication": {"rpc_targets": {}},
        "network": {"ping_networks": ()},
    }
    for namespace, nothing in unused.items():
        if namespace not in used:
            settings = replace(settings, **nothing)  # type: ignore[arg-type] # a table of fields
    return settings
