"""Application files: `async def app(wot, conf, loop, **params)` of a path or a built-in name."""

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeAlias

from emulation.errors import EmulationError
from emulation.topology.apps import BuiltinApps

App: TypeAlias = Callable[..., Awaitable[None]]

BUILTIN_MODULES: dict[BuiltinApps, str] = {
    BuiltinApps.CLOCK: "clock",
    BuiltinApps.READER: "reader",
    BuiltinApps.SUBSCRIBER: "subscriber",
    BuiltinApps.CALLER: "caller",
    BuiltinApps.WORKER: "worker",
    BuiltinApps.ERROR: "error",
    BuiltinApps.HISTORIAN: "historian",
    BuiltinApps.MONGO_HISTORIAN: "historian",
    BuiltinApps.CAMERA: "camera",
    BuiltinApps.DETECTOR: "detector",
}


class NoApplication(EmulationError):
    """A path leads to no application."""


def load_application(path: str, base: Path) -> App:
    """The `app` of a built-in application or of a file, seen from `base`.

    The file itself is run, in a module of its own: files of one name do not meet. Raises
    NoApplication; what the file raises is raised.
    """
    if path in set(BuiltinApps):
        name = BUILTIN_MODULES[BuiltinApps(path)]
        module: Any = importlib.import_module(f"emulation.node.builtin.{name}")
    else:
        module = _run(base / path)
    app = getattr(module, "app", None)
    if not callable(app):
        raise NoApplication(f"{path} defines no function `app`")
    found: App = app
    return found


def _run(file: Path) -> Any:
    if not file.is_file():
        raise NoApplication(f"there is no file {file}")
    digest = hashlib.sha256(str(file).encode()).hexdigest()[:12]
    name = f"application_{digest}"
    loader = importlib.machinery.SourceFileLoader(name, str(file))
    spec = importlib.util.spec_from_loader(name, loader)
    assert spec is not None  # noqa: S101 - there is a loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    # Its neighbours, as for a program that is started by its path.
    sys.path.insert(0, str(file.parent))
    loader.exec_module(module)
    return module
