"""The words and signs of WIT, one after the other."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from converters.errors import ConversionError

_TOKEN = re.compile(
    r"(?P<skip>\s+|//[^\n]*|/\*.*?\*/)|(?P<word>%?[A-Za-z][A-Za-z0-9-]*)"
    r"|(?P<number>\d[\w.+-]*)|(?P<sign>->|[{}()<>,;:=@/.*_])|(?P<other>.)",
    re.DOTALL,
)


class _Token(NamedTuple):
    text: str
    line: int


def _tokens(text: str) -> Iterator[_Token]:
    line = 1
    for match in _TOKEN.finditer(text):
        if match.lastgroup == "other":
            raise ConversionError(f"line {line}", f"{match[0]!r} has no place in WIT")
        if match.lastgroup != "skip":
            yield _Token(match[0].removeprefix("%"), line)
        line += match[0].count("\n")


class Tokens:
    """A place in the text, and the steps that one can take from it."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0

    @property
    def is_at_end(self) -> bool:
        return self._at >= len(self._tokens)

    @property
    def last(self) -> str:
        return self._tokens[self._at - 1].text

    def peek(self) -> str:
        return self._tokens[self._at].text if self._at < len(self._tokens) else ""

    def line(self) -> int:
        return self._tokens[min(self._at, len(self._tokens)) - 1].line if self._tokens else 1

    def word(self) -> str:
        if self._at >= len(self._tokens):
            raise self.fault("the file ends too soon")
        self._at += 1
        return self._tokens[self._at - 1].text

    def is_next(self, text: str) -> bool:
        if self.peek() != text:
            return False
        self._at += 1
        return True

    def expect(self, text: str) -> None:
        if (found := self.word()) != text:
            raise self.fault(f"expected {text!r}, found {found!r}")

    def until(self, *ends: str) -> str:
        found = ""
        while (token := self.word()) not in ends:
            found += token
        return found

    def skip_item(self) -> None:
        while (sign := self.word()) != ";":
            if sign == "{":
                self.skip_braces()
                return

    def skip_braces(self) -> None:
        depth = 1
        while depth:
            depth += {"{": 1, "}": -1}.get(self.word(), 0)

    def attribute(self) -> None:
        """`@since(version = 1.0.0)` and the like."""
        self.word()
        if self.is_next("("):
            self.until(")")

    def fault(self, message: str) -> ConversionError:
        return ConversionError(f"line {self.line()}", message)
