"""A module or a manifest on this machine, as a manifest that brings its files along."""

import base64
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from converters.errors import ConversionError
from servient.cli.documents import parse_document, read_file
from servient.cli.output import CommandFailed, ExitCode
from servient.errors import ModuleRejected

WASM = b"\0asm"
SIGNATURE_SUFFIX = ".minisig"
FILES_LIMIT_BYTES = 256 * 2**20

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")


def pack(path: Path, name: str | None, description: Path | None) -> dict[str, Any]:
    """The manifest for a `.wasm`, a `.wat` or a manifest in JSON or YAML. Raises CommandFailed.

    `name` is that of the module and its deployment, or of the manifest's deployment.
    """
    try:
        body = read_file(path)
        if body.startswith(WASM) or _is_text_format(path, body):
            return _of_module(path, body, name, description)
        if description is not None:
            raise _usage("--description goes with a module: a manifest names its own")
        return _of_manifest(path, body, name)
    except ConversionError as error:
        raise _usage(error.message) from error


def _is_text_format(path: Path, body: bytes) -> bool:
    return path.suffix == ".wat" or body.lstrip()[:1] in (b"(", b";")


def _of_module(
    path: Path, body: bytes, name: str | None, description: Path | None
) -> dict[str, Any]:
    urls = {"binary": to_data_url(_binary(path, body), "application/wasm")}
    if description is not None:
        urls["description"] = _description(description)
    signature = path.with_name(path.name + SIGNATURE_SUFFIX)
    if signature.is_file():
        urls["signature"] = to_data_url(read_file(signature), "text/plain")
    called = name or _name_of(path)
    return {"deploymentId": called, "modules": [{"name": called, "urls": urls}]}


def _binary(path: Path, body: bytes) -> bytes:
    """Raises CommandFailed."""
    if body.startswith(WASM):
        return body
    # Here, since it imports the engine, which is large.
    from servient.wasm.text_format import parse_wat  # noqa: PLC0415

    try:
        return parse_wat(body)
    except ModuleRejected as error:
        raise CommandFailed(f"{path}: {error.detail}") from error


def _description(path: Path) -> str:
    """An OpenAPI document, which servients want in JSON."""
    document = parse_document(path, read_file(path))
    return to_data_url(json.dumps(document).encode(), "application/json")


def _name_of(path: Path) -> str:
    """A file's name as far as it can be that of a module."""
    name = _NOT_IN_NAMES.sub("-", path.stem).strip("-.")[:128]
    if not name:
        raise _usage(f"{path.name!r} makes no name for a module: give one as --name")
    return name


def _of_manifest(path: Path, body: bytes, name: str | None) -> dict[str, Any]:
    document = parse_document(path, body)
    if not isinstance(document, dict):
        raise _usage(f"{path} is neither a WebAssembly module nor a manifest")
    manifest = _with_files(document, path)
    return {**manifest, "deploymentId": name} if name else manifest


def _with_files(manifest: dict[str, Any], path: Path) -> dict[str, Any]:
    """What a manifest names without a scheme is a file beside it or below; it comes along."""
    folder, spent = path.resolve().parent, 0

    def bring(url: Any) -> Any:
        nonlocal spent
        if not isinstance(url, str) or not url or _SCHEME.match(url):
            return url
        file = (folder / unquote(url)).resolve()
        if not file.is_relative_to(folder):
            raise _usage(f"{path} names {url!r}, which is not in its folder")
        body = read_file(file)
        spent += len(body)
        if spent > FILES_LIMIT_BYTES:
            raise _usage(f"the files of {path} have more than {FILES_LIMIT_BYTES} bytes")
        return to_data_url(body, "application/octet-stream")

    modules = manifest.get("modules")
    if not isinstance(modules, list):
        return manifest
    return {**manifest, "modules": [_bring_into(module, bring) for module in modules]}


def _bring_into(module: Any, bring: Callable[[Any], Any]) -> Any:
    urls = module.get("urls") if isinstance(module, dict) else None
    if not isinstance(urls, dict):
        return module
    other = urls.get("other")
    changed = {
        name: bring(urls[name]) for name in ("binary", "description", "signature") if name in urls
    }
    if isinstance(other, dict):
        changed["other"] = {name: bring(url) for name, url in other.items()}
    elif isinstance(other, list) and not all(map(_is_url, other)):
        changed["other"] = {Path(str(url)).name: bring(url) for url in other}
    return {**module, "urls": {**urls, **changed}}


def _is_url(value: Any) -> bool:
    return isinstance(value, str) and _SCHEME.match(value) is not None


def to_data_url(body: bytes, media_type: str) -> str:
    return f"data:{media_type};base64,{base64.b64encode(body).decode('ascii')}"


def _usage(message: str) -> CommandFailed:
    return CommandFailed(message, ExitCode.USAGE)
