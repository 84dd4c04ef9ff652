"""Fetches what a topology names by URL, since replicas reach nothing but each other."""

import asyncio
import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from emulation.errors import EmulationError
from emulation.topology.apps import NodeApp, ServientApp
from emulation.topology.node import Node
from emulation.topology.topology import Topology

FILE_LIMIT_BYTES = 256 * 2**20
REQUEST_SECONDS = 60.0


class FetchFailed(EmulationError):
    """What a topology names cannot be had."""


async def provide(topology: Topology, base: Path, work: Path) -> Topology:
    """The same topology with all that it names in files below `work`. Raises FetchFailed."""
    provider = _Provider(base, work / "provided")
    nodes = [await _provided(provider, node) for node in topology.nodes]
    return replace(topology, nodes=nodes)


async def _provided(provider: "_Provider", node: Node) -> Node:
    app: NodeApp = node.app
    if app.path is not None and is_url(app.path):
        app = replace(app, path=str(await provider.file(app.path)))
    if app.servient is not None:
        deploys = [str(await provider.manifest(item)) for item in app.servient.deploys]
        app = replace(app, servient=ServientApp(tuple(deploys), app.servient.settings))
    return replace(node, app=app)


def is_url(text: str) -> bool:
    return urlsplit(text).scheme in ("http", "https")


class _Provider:
    """Fetches each thing once."""

    def __init__(self, base: Path, folder: Path) -> None:
        self._base = base
        self._folder = folder
        folder.mkdir(exist_ok=True)

    async def file(self, where: str) -> Path:
        """A copy of what is at a URL or a path, named by that."""
        name = hashlib.sha256(where.encode()).hexdigest()[:16]
        file = self._folder / f"{name}{Path(urlsplit(where).path).suffix}"
        if not file.exists():
            if is_url(where):
                await asyncio.to_thread(file.write_bytes, await _fetch(where))
            else:
                await asyncio.to_thread(self._copy, where, file)
        return file

    def _copy(self, where: str, file: Path) -> None:
        try:
            shutil.copyfile(self._base / where, file)
        except OSError as error:
            raise FetchFailed(f"{self._base / where}: {error.strerror}") from error

    async def manifest(self, where: str) -> Path:
        """A manifest whose files are all below the folder, of a manifest or a module."""
        if Path(urlsplit(where).path).suffix != ".json":
            return await self._write(where, _manifest_of(where))
        source = await self.file(where)
        try:
            document = json.loads(await asyncio.to_thread(source.read_bytes))
        except ValueError as error:
            raise FetchFailed(f"{where} is not JSON") from error
        return await self._write(where, document)

    async def _write(self, where: str, document: Any) -> Path:
        for module in document.get("modules", []) if isinstance(document, dict) else []:
            module["urls"] = await self._local(module.get("urls", {}), where)
        digest = hashlib.sha256(where.encode()).hexdigest()[:16]
        file = self._folder / f"{digest}.manifest"
        await asyncio.to_thread(file.write_text, json.dumps(document))
        return file

    async def _local(self, urls: Any, where: str) -> Any:
        """The same with names of files for URLs, which may be paths beside the manifest."""
        if isinstance(urls, str):
            is_beside = not is_url(urls) and not is_url(where)
            found = str((self._base / where).parent / urls) if is_beside else urls
            return (await self.file(found)).name
        if isinstance(urls, Mapping):
            return {name: await self._local(value, where) for name, value in urls.items()}
        return urls


def _manifest_of(where: str) -> dict[str, Any]:
    """That of a bare module: its functions are what it exports."""
    path = Path(urlsplit(where).path)
    name = path.stem
    binary = where if is_url(where) else path.name
    module = {"id": name, "name": name, "urls": {"binary": binary, "other": {}}}
    return {"deploymentId": name, "modules": [module]}


async def _fetch(url: str) -> bytes:
    try:
        async with httpx.AsyncClient(timeout=REQUEST_SECONDS, follow_redirects=True) as client:
            answer = await client.get(url)
            answer.raise_for_status()
    except httpx.HTTPError as error:
        raise FetchFailed(f"{url}: {error}") from error
    if len(answer.content) > FILE_LIMIT_BYTES:
        raise FetchFailed(f"{url} is larger than {FILE_LIMIT_BYTES} bytes")
    return answer.content
