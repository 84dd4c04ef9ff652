"""Reads which digests the files of a module must have: an extension of manifests.

    "sha256": <of the binary>
    "sha256": {"binary": <hex>, "description": <hex>, "other": {<name of a data file>: <hex>}}

The second shape is that of `urls`.
"""

import re
from collections.abc import Iterator, Mapping

from converters.deployment import FILES_LIMIT
from converters.file_urls import parse_file_url
from converters.reading import Node

_SHA256 = re.compile(r"[0-9A-Fa-f]{64}")
_MEMBERS = ("binary", "description", "other")


def parse_digests(module: Node, files: Mapping[str, str]) -> dict[str, str]:
    """SHA-256 in lower case by URL. A digest of what is not there is a mistake, and refused."""
    found: dict[str, str] = {}
    for node, url in _stated(module.member("sha256"), module.member("urls"), files):
        digest = _digest(node)
        if found.setdefault(url, digest) != digest:
            raise node.fail("the same URL has another digest too")
    return found


def _stated(stated: Node, urls: Node, files: Mapping[str, str]) -> Iterator[tuple[Node, str]]:
    if stated.is_null:
        return
    if not stated.is_object:
        yield stated, parse_file_url(urls.member("binary"))
        return
    for name, node in stated.members(len(_MEMBERS)):
        match name:
            case "binary" | "description":
                yield node, parse_file_url(urls.member(name))
            case "other":
                for file, digest in node.members(FILES_LIMIT):
                    if file not in files:
                        raise digest.fail("is the digest of a file that the module does not have")
                    yield digest, files[file]
            case _:
                raise node.fail(f"expected one of {', '.join(_MEMBERS)}")


def _digest(node: Node) -> str:
    if not isinstance(node.value, str) or not _SHA256.fullmatch(node.value):
        raise node.fail("a SHA-256 has 64 hexadecimal digits")
    return node.value.lower()
