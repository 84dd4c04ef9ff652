"""A manifest that brings files along: each `data:` URL of a module's files (RFC 2397) is one.

    "urls": {"binary": "data:application/wasm;base64,AGFzbQ…"}

Of the manifest remains what names each of them by its digest, so that nothing past here sees a URL
of megabytes: not the history, not the log, and no message about what is wrong.
"""

import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from converters.file_urls import name_of
from converters.media_types import MEDIA_TYPE_LIMIT_CHARS
from converters.reading import Node

INLINE_LIMIT_BYTES = 64 * 2**20

_SCHEME = "data:"
_HEAD_LIMIT_CHARS = len(_SCHEME) + MEDIA_TYPE_LIMIT_CHARS + len(";base64,")
# The media type is not used: what a file is, its place in the manifest says.
_HEAD = re.compile(r"data:[^,]*;base64,", re.IGNORECASE)
_SHAPE = "data:<media type>;base64,<data>"

Change: TypeAlias = Callable[[Node], Any]


@dataclass(frozen=True, slots=True)
class Package:
    """A manifest, and those of its files that came in it, by what it calls them."""

    manifest: Any
    files: Mapping[str, bytes]


def open_package(document: Any) -> Package:
    """Takes the files out of a manifest of any shape. Raises ConversionError.

    Only these are looked at, and the document itself stays as it is.
    """
    files: dict[str, bytes] = {}

    def take(node: Node) -> Any:
        if not isinstance(node.value, str) or node.value[:5].lower() != _SCHEME:
            return node.value
        content = parse_data_url(node)
        name = name_of(content)
        files[name] = content
        return name

    def of_module(node: Node) -> Any:
        return _with(node, "urls", lambda urls: _urls(urls, take))

    def of_step(node: Node) -> Any:
        return _with(node, "module", of_module)

    def of_sequence(node: Node) -> Any:
        return _with(node, "sequence", lambda steps: _each(steps, of_step))

    root = _with(Node(document), "modules", lambda modules: _each(modules, of_module))
    return Package(_with(Node(root), "fullManifest", of_sequence), files)


def parse_data_url(node: Node) -> bytes:
    """What a data: URL holds. Raises ConversionError."""
    url: str = node.value
    head = _HEAD.match(url, 0, _HEAD_LIMIT_CHARS)
    if head is None:
        raise node.fail(f"a URL that holds the file itself has to be {_SHAPE}")
    if (len(url) - head.end()) // 4 * 3 - url[-2:].count("=") > INLINE_LIMIT_BYTES:
        raise node.fail(f"the file in it is larger than {INLINE_LIMIT_BYTES} bytes")
    try:
        return binascii.a2b_base64(url[head.end() :], strict_mode=True)
    except ValueError as error:
        raise node.fail(f"what it holds is not base64 (RFC 4648 section 4): {error}") from error


def _urls(node: Node, take: Change) -> Any:
    found = node.value
    for name in ("binary", "description", "signature"):
        found = _with(Node(found, node.pointer), name, take)
    return _with(Node(found, node.pointer), "other", lambda other: _each(other, take))


def _with(node: Node, name: str, change: Change) -> Any:
    """An object with one of its members changed; what is none is for others to complain about."""
    if not node.is_object or name not in node.value:
        return node.value
    return {**node.value, name: change(node.member(name))}


def _each(node: Node, change: Change) -> Any:
    """All elements of an array, or members of an object, changed."""
    match node.value:
        case list() as elements:
            return [
                change(Node(value, f"{node.pointer}/{index}"))
                for index, value in enumerate(elements)
            ]
        case dict() as members:
            return {name: change(node.member(name)) for name in members}
    return node.value
