"""Components in text form that give back what they are called with, for values of any type."""

from collections.abc import Mapping, Sequence

from converters.component_types import (
    ComponentType,
    EnumType,
    FlagsType,
    ListType,
    OptionType,
    Primitive,
    RecordType,
    ResultType,
    TupleType,
    VariantType,
)

# So much besides the value that it is handed over in memory, whatever its type: then an address is
# all that goes in and comes out.
_PADDING = f"(tuple {' '.join(['u8'] * 17)})"

MODULE = """
  (core module $code
    (memory (export "memory") 400)
    (global $next (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
      (global.set $next (i32.add (local.get $at) (local.get 3)))
      (local.get $at))
    (func (export "echo") (param i32) (result i32) (local.get 0)))
  (core instance $core (instantiate $code))
"""

LIFT = (
    '(canon lift (core func $core "{}") (memory (core memory $core "memory"))'
    ' (realloc (core func $core "realloc")))'
)


def echo_component(kinds: Mapping[str, ComponentType]) -> str:
    """Each function takes `value` and `padding` and returns a tuple of both."""
    names = _Names()
    functions = [
        f'(func (export "{name}") (param "value" {names.text(kind)}) (param "padding" {_PADDING})'
        f" (result (tuple {names.text(kind)} {_PADDING})) {LIFT.format('echo')})"
        for name, kind in kinds.items()
    ]
    return "\n".join(["(component", *names.lines, MODULE, *functions, ")"])


PADDING = [0] * 17


class _Names:
    """Types as text; those that must have names to be exported get one."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def text(self, kind: ComponentType | None) -> str:
        match kind:
            case Primitive():
                return kind.value
            case ListType(element):
                return f"(list {self.text(element)})"
            case TupleType(elements):
                return f"(tuple {' '.join(map(self.text, elements))})"
            case OptionType(payload):
                return f"(option {self.text(payload)})"
            case ResultType(ok, err):
                parts = [self.text(ok)] if ok else []
                parts += [f"(error {self.text(err)})"] if err else []
                return f"(result {' '.join(parts)})"
            case RecordType(fields):
                members = [f'(field "{name}" {self.text(member)})' for name, member in fields]
                return self._named(f"(record {' '.join(members)})")
            case VariantType(cases):
                parts = [f'(case "{tag}"{self._payload(payload)})' for tag, payload in cases]
                return self._named(f"(variant {' '.join(parts)})")
            case EnumType(names):
                return self._named(f"(enum {_quoted(names)})")
            case FlagsType(names):
                return self._named(f"(flags {_quoted(names)})")
        raise AssertionError(kind)

    def _payload(self, kind: ComponentType | None) -> str:
        return f" {self.text(kind)}" if kind else ""

    def _named(self, text: str) -> str:
        number = len(self.lines)
        self.lines.append(f"(type $inner{number} {text})")
        self.lines[-1] += f' (export $type{number} "type{number}" (type $inner{number}))'
        return f"$type{number}"


def _quoted(names: Sequence[str]) -> str:
    return " ".join(f'"{name}"' for name in names)
