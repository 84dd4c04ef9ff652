"""Reads WIT, the text in which components say what they export.

https://component-model.bytecodealliance.org/design/wit.html: one file, with the types that it defines
itself. What refers to other packages is left out, as are functions with resources, streams and futures.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from converters.component_types import (
    ComponentType,
    EnumType,
    FlagsType,
    FunctionType,
    ListType,
    OptionType,
    Primitive,
    RecordType,
    ResultType,
    TupleType,
    VariantType,
)
from converters.errors import ConversionError
from converters.losses import Losses
from converters.reading import Node
from converters.wit_tokens import Tokens

TEXT_LIMIT_CHARS = 1_000_000
NESTING_LIMIT = 24
# Types are written out wherever they are used.
PARTS_LIMIT = 10_000

_RESOURCE_LIKE = frozenset({"own", "borrow", "stream", "future", "error-context", "map"})


class WitFile(NamedTuple):
    """The functions of the interfaces and worlds of a file, by the names that a component gives them."""

    name: str
    functions: Mapping[str, FunctionType]


class _Unspeakable(Exception):
    """JSON has no word for values of a type."""


@dataclass(slots=True)
class _Scope:
    """An interface or a world: its types, which are read when they are used, and its functions."""

    name: str
    types: dict[str, Callable[[int], ComponentType]] = field(default_factory=dict)
    functions: dict[str, tuple[int, Callable[[], FunctionType]]] = field(default_factory=dict)
    # The interfaces that a world exports.
    exports: list[str] = field(default_factory=list)
    is_world: bool = False


def parse_wit(text: str, losses: Losses) -> WitFile:
    """The exports of the file's worlds; of its interfaces, if it has no world. Raises ConversionError.

    The pointer of an error and of a loss is "line <number>".
    """
    if len(text) > TEXT_LIMIT_CHARS:
        raise ConversionError("", f"longer than {TEXT_LIMIT_CHARS} characters")
    parser = _Parser(text)
    name, scopes = parser.file()
    worlds = [scope for scope in scopes.values() if scope.is_world]
    chosen: dict[str, _Scope] = {}
    for world in worlds:
        chosen[""] = world
        for export in world.exports:
            if export in scopes:
                chosen[export] = scopes[export]
            else:
                losses.drop(Node(None, ""), export, "this interface is in another file")
    if not worlds:
        chosen = scopes
    functions = {}
    for prefix, scope in chosen.items():
        for function, (line, read) in scope.functions.items():
            try:
                functions[f"{prefix}-{function}" if prefix else function] = read()
            except _Unspeakable as error:
                losses.drop(Node(None, f"line {line}"), function, f"JSON has no word for {error}")
    if not functions:
        raise ConversionError("", "no function is exported whose types JSON can carry")
    return WitFile(name, functions)


class _Parser(Tokens):
    """Recursive descent; a type is parsed where it stands and made where it is used."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._parts = 0
        self._scopes: dict[str, _Scope] = {}

    def file(self) -> tuple[str, dict[str, _Scope]]:
        name = ""
        while not self.is_at_end:
            match self.word():
                case "package":
                    name = self.until(";", "{")
                    if self.last == "{":
                        raise self.fault("packages in packages are not read")
                case "interface" | "world" as kind:
                    self._scope(kind)
                case "use":
                    self.until(";")
                case "@":
                    self.attribute()
                case other:
                    raise self.fault(f"expected an interface or a world, found {other!r}")
        return name, self._scopes

    def _scope(self, kind: str, name: str = "") -> _Scope:
        scope = _Scope(name or self.word(), is_world=kind == "world")
        self._scopes[scope.name] = scope
        self.expect("{")
        while not self.is_next("}"):
            self._item(scope)
        return scope

    def _item(self, scope: _Scope) -> None:
        word = self.word()
        is_nameless = self.peek() == ":"
        match word:
            case "@":
                self.attribute()
            case "import" | "include" if scope.is_world:
                self.skip_item()
            case "export" if scope.is_world and not is_nameless:
                self._export(scope)
            case "use" if not is_nameless:
                self._use(scope)
            case "type" | "record" | "variant" | "enum" | "flags" | "resource" if not is_nameless:
                self._type_definition(scope, word)
            case name:
                self.expect(":")
                self._function(scope, name)

    def _export(self, scope: _Scope) -> None:
        name = self.word()
        if self.is_next(":"):
            if self.peek() in {"func", "async"}:
                self._function(scope, name)
                return
            if self.is_next("interface"):
                self._scope("interface", name)
                scope.exports.append(name)
                return
        rest = self.until(";")
        path = (name + (":" + rest if rest else "")).partition("@")[0]
        scope.exports.append(path.rpartition("/")[2])

    def _use(self, scope: _Scope) -> None:
        path = self.until("{").removesuffix(".").partition("@")[0].rpartition("/")[2]
        while not self.is_next("}"):
            name = alias = self.word()
            if self.is_next("as"):
                alias = self.word()
            scope.types[alias] = partial(self._used, path, name)
            self.is_next(",")
        self.expect(";")

    def _type_definition(self, scope: _Scope, kind: str) -> None:
        name = self.word()
        if kind == "type":
            self.expect("=")
            scope.types[name] = self._type(scope)
            self.expect(";")
        elif kind == "resource":
            scope.types[name] = _unspeakable(f"the resource {name}")
            if not self.is_next(";"):
                self.expect("{")
                self.skip_braces()
        else:
            scope.types[name] = self._members(scope, kind)

    def _members(self, scope: _Scope, kind: str) -> Callable[[int], ComponentType]:
        self.expect("{")
        members: list[tuple[str, Callable[[int], ComponentType] | None]] = []
        while not self.is_next("}"):
            name, inner = self.word(), None
            if kind == "record":
                self.expect(":")
                inner = self._type(scope)
            elif kind == "variant" and self.is_next("("):
                inner = self._type(scope)
                self.expect(")")
            members.append((name, inner))
            if self.peek() != "}":
                self.expect(",")
        names = tuple(name for name, _ in members)

        def make(depth: int) -> ComponentType:
            self._count(depth, len(members))
            if kind == "enum":
                return EnumType(names)
            if kind == "flags":
                return FlagsType(names)
            made = tuple((name, None if t is None else t(depth + 1)) for name, t in members)
            if kind == "variant":
                return VariantType(made)
            return RecordType(tuple((name, t) for name, t in made if t is not None))

        return make

    def _function(self, scope: _Scope, name: str) -> None:
        line = self.line()
        self.is_next("async")
        self.expect("func")
        self.expect("(")
        parameters = []
        while not self.is_next(")"):
            parameter = self.word()
            self.expect(":")
            parameters.append((parameter, self._type(scope)))
            if self.peek() != ")":
                self.expect(",")
        result = self._type(scope) if self.is_next("->") else None
        self.expect(";")

        def make() -> FunctionType:
            made = tuple((parameter, kind(0)) for parameter, kind in parameters)
            return FunctionType(made, None if result is None else result(0))

        scope.functions[name] = (line, make)

    def _type(self, scope: _Scope, depth: int = 0) -> Callable[[int], ComponentType]:
        if depth > NESTING_LIMIT:
            raise self.fault(f"types nested deeper than {NESTING_LIMIT} levels")
        name = self.word()
        inner: list[Callable[[int], ComponentType] | None] = []
        if self.is_next("<"):
            while not self.is_next(">"):
                inner.append(None if self.is_next("_") else self._argument(scope, depth))
                if self.peek() != ">":
                    self.expect(",")
        return lambda level: self._make(scope, name, inner, level)

    def _argument(self, scope: _Scope, depth: int) -> Callable[[int], ComponentType]:
        if (token := self.peek()) and token[0].isdigit():  # the length of a list
            self.word()
            return _unspeakable("lists of fixed length")
        return self._type(scope, depth + 1)

    def _make(
        self,
        scope: _Scope,
        name: str,
        inner: list[Callable[[int], ComponentType] | None],
        depth: int,
    ) -> ComponentType:
        self._count(depth, 1)
        parts = [None if each is None else each(depth + 1) for each in inner]
        if name in _RESOURCE_LIKE:
            raise _Unspeakable(name)
        known = [part for part in parts if part is not None]
        match name, len(parts):
            case "list", 1 if known:
                return ListType(known[0])
            case "option", 1 if known:
                return OptionType(known[0])
            case "tuple", _ if known and len(known) == len(parts):
                return TupleType(tuple(known))
            case "result", 0 | 1 | 2:
                return ResultType(*(*parts, None, None)[:2])
            case primitive, 0 if primitive in set(Primitive):
                return Primitive(primitive)
            case _, 0:
                return self._named(scope, name, depth + 1)
        raise ConversionError("", f"there is no type {name!r} of {len(parts)} types")

    def _named(self, scope: _Scope | None, name: str, depth: int) -> ComponentType:
        if scope is None:
            raise _Unspeakable(f"{name}, which is in another file")
        if name not in scope.types:
            raise ConversionError("", f"{scope.name} has no type {name!r}")
        return scope.types[name](depth)

    def _used(self, path: str, name: str, depth: int) -> ComponentType:
        return self._named(self._scopes.get(path), name, depth + 1)

    def _count(self, depth: int, parts: int) -> None:
        self._parts += parts
        if depth > NESTING_LIMIT or self._parts > PARTS_LIMIT:
            raise ConversionError("", "the types of the functions are too large")


def _unspeakable(what: str) -> Callable[[int], ComponentType]:
    def make(_depth: int) -> ComponentType:
        raise _Unspeakable(what)

    return make
