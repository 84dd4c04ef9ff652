"""The documents of an API: what `$ref` points to, in the same document or in another one."""

from collections.abc import Callable
from typing import Any, TypeAlias
from urllib.parse import unquote, urldefrag, urljoin

from converters.errors import ConversionError
from converters.losses import Losses
from converters.reading import Node, escape, read_document, show
from converters.schema_builder import is_reference

DEPTH_LIMIT = 128
VALUES_LIMIT = 8_000_000
DOCUMENTS_LIMIT = 256
HOPS_LIMIT = 32

Load: TypeAlias = Callable[[str], object]


class Documents:
    """The document that is converted, and those that it refers to.

    Those come from `load`, by their names relative to the first one ("common.json#/Pet" there asks for
    "common.json"); it raises ConversionError for what it does not give. Without it there are none.
    """

    def __init__(self, document: object, load: Load | None = None) -> None:
        self.root = Node(_checked(document, ""))
        self._load = load
        self._documents: dict[str, Any] = {"": self.root.value}

    def target(self, node: Node) -> Node:
        """What the reference in a node points to, which may be a reference again.

        Its pointer begins with "<document>#" in another document. Raises ConversionError.
        """
        reference = node.value["$ref"]
        base = _document_of(node)
        name, fragment = urldefrag(reference)
        try:
            name = urljoin(base, name) if name else base
        except ValueError as error:
            raise node.fail(f"refers to no document: {show(reference)}") from error
        if name.startswith("/"):
            raise node.fail(f"refers to a place outside of these documents: {show(reference)}")
        if fragment and not fragment.startswith("/"):
            raise node.fail(f"refers to a name and not to a place: {show(reference)}")
        value = self._document(name, node)
        tokens = [t.replace("~1", "/").replace("~0", "~") for t in unquote(fragment).split("/")]
        for token in tokens[1:]:
            value = _child(value, token)
            if value is None:
                raise node.fail(f"refers to nothing: {show(reference)}")
        pointer = "".join(f"/{escape(token)}" for token in tokens[1:])
        return Node(value, f"{name}#{pointer}" if name else pointer)

    def resolved(self, node: Node) -> Node:
        """The node itself, or what its references lead to. Raises ConversionError."""
        for _ in range(HOPS_LIMIT):
            if not is_reference(node):
                return node
            node = self.target(node)
        raise node.fail("refers to itself, or through too many others")

    def found(self, node: Node, losses: Losses) -> Node:
        """The same, and a null of the same place where there is nothing, which is reported."""
        try:
            found = self.resolved(node)
        except ConversionError as error:
            losses.fault(Node(node.value, error.pointer), error.message)
            return Node(None, node.pointer)
        if is_reference(node) and len(node.value) > 1:
            for name in node.value:
                if name not in {"$ref", "summary", "description"}:
                    losses.drop(node.member(name), name, "it is ignored beside a $ref")
        return found

    def _document(self, name: str, node: Node) -> Any:
        if name not in self._documents:
            if self._load is None:
                raise node.fail(f"refers to another document, and none are given: {show(name)}")
            if len(self._documents) >= DOCUMENTS_LIMIT:
                raise node.fail(f"refers to more than {DOCUMENTS_LIMIT} documents")
            try:
                self._documents[name] = _checked(self._load(name), f"{name}#")
            except ConversionError as error:
                raise node.fail(f"{show(name)} cannot be used: {error.message}") from error
        return self._documents[name]


def _document_of(node: Node) -> str:
    """The name of the document that a node is in; no name begins with a slash, as pointers do."""
    return "" if node.pointer.startswith("/") else node.pointer.partition("#")[0]


def _child(value: Any, token: str) -> Any:
    if isinstance(value, dict):
        return value.get(token)
    if isinstance(value, list) and token.isascii() and token.isdigit() and len(token) < 8:
        return value[int(token)] if int(token) < len(value) else None
    return None


def _checked(document: object, prefix: str) -> object:
    """The document, if it is JSON within bounds. Raises ConversionError."""
    if _is_proper(document):
        return document
    try:
        read_document(document, values_limit=VALUES_LIMIT, depth_limit=DEPTH_LIMIT)
    except ConversionError as error:
        raise ConversionError(prefix + error.pointer, error.message) from error
    return document


def _is_proper(document: object) -> bool:
    """Whether it is certainly JSON within bounds; quickly, for large documents."""
    level: list[Any] = [document]
    values = 0
    for _ in range(DEPTH_LIMIT):
        values += len(level)
        if not level or values > VALUES_LIMIT:
            return not level
        below: list[Any] = []
        for value in level:
            kind = type(value)
            if kind is dict:
                if not all(type(name) is str and len(name) < 1024 for name in value):
                    return False
                if not "".join(value).isprintable():
                    return False
                below.extend(value.values())
            elif kind is list:
                below.extend(value)
            elif kind is str:
                if not value.isascii() and not _is_unicode(value):
                    return False
            elif kind is float or kind is int:
                if not -1e300 < value < 1e300:
                    return False
            elif kind is not bool and value is not None:
                return False
        level = below
    return not level


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
