"""Puts what a document's local references point to in their places."""

from typing import Any

from converters.reading import DEPTH_LIMIT, VALUES_LIMIT, Node, Place, show

_REFERENCE = "$ref"


def resolve_references(root: Node, name: str) -> Any:
    """A member of the document, each `{"$ref": "#/…"}` in it replaced by its target.

    (OpenAPI 3.0.3 section 4.7.23.) A reference to something that contains it is cut: it becomes
    `{"type": "object"}`. Raises ConversionError when a target is missing or in another document,
    and when the result outgrows the bounds of a document.
    """
    return _Resolver(root.value).resolve(Place(root.member(name).value, Place(None), name), ())


class _Resolver:
    def __init__(self, document: Any) -> None:
        self._document = document
        self._values = 0

    def resolve(self, place: Place, open_targets: tuple[str, ...], depth: int = 0) -> Any:
        self._values += 1
        if self._values > VALUES_LIMIT or depth > DEPTH_LIMIT:
            raise place.fail("references make the document too large")
        value: Any = place.value
        if isinstance(value, list):
            return [
                self.resolve(Place(element, place, index), open_targets, depth + 1)
                for index, element in enumerate(value)
            ]
        if not isinstance(value, dict):
            return value
        target = value.get(_REFERENCE)
        if not isinstance(target, str):
            return {
                name: self.resolve(Place(member, place, name), open_targets, depth + 1)
                for name, member in value.items()
            }
        if target in open_targets:
            return {"type": "object"}
        found = Place(self._find(target, place), place, _REFERENCE)
        return self.resolve(found, (*open_targets, target), depth + 1)

    def _find(self, target: str, place: Place) -> Any:
        value = self._document
        if target != "#" and not target.startswith("#/"):
            raise place.fail(f"refers to another document: {show(target)}")
        for token in target.split("/")[1:]:
            name = token.replace("~1", "/").replace("~0", "~")
            if not isinstance(value, dict) or name not in value:
                raise place.fail(f"refers to nothing: {show(target)}")
            value = value[name]
        return value
