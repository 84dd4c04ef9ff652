"""What a servient left behind when it ran last, and goes on with."""

import asyncio
import uuid
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from servient.config.kept import KeptSettings
from servient.storage.store import Store
from servient.wasm.removal import remove_tree
from servient.wot.invocations import Bounds, Invocations
from servient.wot.tally import Tally


@dataclass(frozen=True, slots=True)
class Kept:
    """`modules_path` is an empty folder: modules are made anew of what is in the store."""

    store: Store
    invocations: Invocations
    modules_path: Path
    servient_id: str


async def open_kept(settings: KeptSettings, tally: Tally, stack: AsyncExitStack) -> Kept:
    path = settings.instance_path
    await asyncio.to_thread(path.mkdir, 0o700, parents=True, exist_ok=True)
    # First of all: it says whether another servient uses the folder.
    store = await stack.enter_async_context(Store(path))
    bounds = Bounds(history=settings.history_limit, age_seconds=settings.history_age_seconds)
    records, next_number = await store.invocations.restore()
    invocations = Invocations(bounds, store.invocations, records, next_number, tally)
    modules_path = await asyncio.to_thread(_prepare_folder, path)
    return Kept(store, invocations, modules_path, await asyncio.to_thread(_servient_id, path))


def _prepare_folder(instance_path: Path) -> Path:
    modules_path = instance_path / "modules"
    if modules_path.is_dir():
        remove_tree(modules_path)
    modules_path.mkdir(mode=0o700)
    return modules_path


def _servient_id(instance_path: Path) -> str:
    """A random id that stays the same for as long as the instance folder is kept."""
    file = instance_path / "servient-id"
    if not file.is_file():
        file.write_text(str(uuid.uuid4()))
    return file.read_text().strip()
