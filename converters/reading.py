"""Reads the members of somebody else's JSON document, and says where what it finds is wrong."""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from converters.errors import ConversionError

DEPTH_LIMIT = 64
VALUES_LIMIT = 100_000
MEMBER_NAME_LIMIT_CHARS = 1024
URL_LIMIT_CHARS = 2048

IDENTIFIER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
IDENTIFIER_RULE = (
    "a name of 1 to 128 letters, digits, '_', '.' and '-' that does not begin with '.' or '-'"
)

# Control characters, and halves of surrogate pairs, which no UTF-8 can carry.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_NOT_UNICODE = re.compile(r"[\ud800-\udfff]")
_UNSAFE_IN_URL = re.compile(r"[\s\x00-\x20\x7f-\x9f\ud800-\udfff\\\"<>^`{|}]")


@dataclass(frozen=True, slots=True)
class Node:
    """A value in a document together with its JSON pointer; an absent member is a null."""

    value: Any
    pointer: str = ""

    def fail(self, message: str) -> ConversionError:
        """The error to raise about this value."""
        return ConversionError(self.pointer, message)

    @property
    def is_null(self) -> bool:
        return self.value is None

    @property
    def is_object(self) -> bool:
        return isinstance(self.value, dict)

    def member(self, *names: str) -> "Node":
        """The member at the end of a path of names; a null from where one is absent."""
        node = self
        for name in names:
            if not node.is_null and not node.is_object:
                raise node.fail(f"expected an object, found {show(node.value)}")
            value = None if node.is_null else node.value.get(name)
            node = Node(value, f"{node.pointer}/{escape(name)}")
        return node

    def members(self, limit: int) -> Iterator[tuple[str, "Node"]]:
        """The members of an object that are not null; none when this is null itself."""
        if not self.is_null and not self.is_object:
            raise self.fail(f"expected an object, found {show(self.value)}")
        self._check_length(limit)
        for name in self.value or ():
            if self.value[name] is not None:
                yield name, self.member(name)

    def elements(self, limit: int) -> Iterator["Node"]:
        """The elements of an array that are not null; none when this is null itself."""
        if not self.is_null and not isinstance(self.value, list):
            raise self.fail(f"expected an array, found {show(self.value)}")
        self._check_length(limit)
        for index, value in enumerate(self.value or ()):
            if value is not None:
                yield Node(value, f"{self.pointer}/{index}")

    def text(self, limit_chars: int) -> str:
        """A text of one line that is not empty."""
        if not isinstance(self.value, str) or not self.value:
            raise self.fail(f"expected a text, found {show(self.value)}")
        if len(self.value) > limit_chars:
            raise self.fail(f"longer than {limit_chars} characters")
        if _UNPRINTABLE.search(self.value):
            raise self.fail("contains control characters")
        return self.value

    def prose(self, limit_chars: int) -> str | None:
        """A text for people, cut to the limit; None when there is none."""
        return self.value[:limit_chars] or None if isinstance(self.value, str) else None

    def identifier(self) -> str:
        """A name that is safe as one segment of a path, of a URL and of a topic."""
        if not isinstance(self.value, str) or not IDENTIFIER.fullmatch(self.value):
            raise self.fail(f"expected {IDENTIFIER_RULE}, found {show(self.value)}")
        return self.value

    def url(self) -> str:
        """An absolute http or https URL."""
        url = self.text(URL_LIMIT_CHARS)
        if _UNSAFE_IN_URL.search(url):
            raise self.fail("contains characters that no URL may contain")
        try:
            parts = urlsplit(url)
            usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
        except ValueError as error:
            raise self.fail(f"is not a URL: {show(url)}") from error
        if not usable:
            raise self.fail(f"expected an http or https URL, found {show(url)}")
        return url

    def _check_length(self, limit: int) -> None:
        length = len(self.value or ())
        if length > limit:
            raise self.fail(f"has {length} members, at most {limit} are allowed")


def read_document(
    document: object, *, values_limit: int = VALUES_LIMIT, depth_limit: int = DEPTH_LIMIT
) -> Node:
    """The root of a document that is proper JSON within bounds; raises ConversionError otherwise.

    Bounds: nesting, the number of values, the length of member names; numbers within a double's
    range (RFC 8259 section 6) and text that is Unicode (section 8.2).
    """
    values = 0
    level = [Place(document)]
    for _ in range(depth_limit):
        values += len(level)
        if values > values_limit:
            raise ConversionError("", f"more than {values_limit} values")
        children = (child for place in level for child in _checked_children(place))
        level = list(islice(children, values_limit + 1))
        if not level:
            return Node(document)
    raise level[0].fail(f"nested deeper than {depth_limit} levels")


class Place:
    """A value on the way through a document; it writes its pointer only when it is asked for."""

    __slots__ = ("parent", "token", "value")

    def __init__(self, value: object, parent: "Place | None" = None, token: object = None) -> None:
        self.value = value
        self.parent = parent
        self.token = token

    def fail(self, message: str) -> ConversionError:
        tokens = []
        place: Place | None = self
        while place and place.parent:
            tokens.append(escape(str(place.token)))
            place = place.parent
        return ConversionError("".join(f"/{token}" for token in reversed(tokens)), message)


def _checked_children(place: Place) -> Iterable[Place]:
    match place.value:
        case dict() as members:
            for name in members:
                _check_member_name(place, name)
            return (Place(value, place, name) for name, value in members.items())
        case list() as elements:
            return (Place(value, place, index) for index, value in enumerate(elements))
        case str() as text if _NOT_UNICODE.search(text):
            raise place.fail("is not Unicode text")
        case None | bool() | str():
            return ()
        case int() | float() as number:
            if not is_in_range(number):
                raise place.fail("is not a number that JSON can carry")
            return ()
    raise place.fail(f"is not JSON but a Python {type(place.value).__name__}")


def _check_member_name(place: Place, name: object) -> None:
    if not isinstance(name, str) or _NOT_UNICODE.search(name):
        raise place.fail("has a member whose name is not Unicode text")
    if len(name) > MEMBER_NAME_LIMIT_CHARS:
        raise place.fail(f"has a member whose name exceeds {MEMBER_NAME_LIMIT_CHARS} characters")


def is_in_range(number: float) -> bool:
    """Whether a double can hold the number: neither NaN nor infinite nor a huge integer."""
    if isinstance(number, int):
        return number.bit_length() < 1024
    return math.isfinite(number)


def escape(name: str) -> str:
    """One token of a JSON pointer (RFC 6901 section 3)."""
    return name.replace("~", "~0").replace("/", "~1")


def show(value: object) -> str:
    """A value for a message: short, and never more than a glimpse of it."""
    match value:
        case None:
            return "nothing"
        case dict():
            return "an object"
        case list():
            return "an array"
        case str() if len(value) > 60:
            return f"{value[:60]!r}…"
    return repr(value)
