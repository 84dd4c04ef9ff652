"""Turns the types of the Component Model into data schemas of TD 1.1.

How values stand in JSON:

| type | in JSON |
|---|---|
| `bool`, `string` | as they are |
| `s8` … `u64`, `f32`, `f64` | a number; infinities and NaN have no place in JSON |
| `char` | a string of one character |
| `list<u8>` | a string in base64; where it is a whole input or output, bytes |
| `list<t>`, `tuple<t, …>` | an array |
| `record` | an object; a member that is an option is left out when there is none |
| `enum` | its name |
| `flags` | an array of the names that are set |
| `variant` | `"tag"` without a payload, `{"tag": payload}` with one |
| `option<t>` | the value or null; of an option again, `{"some": value}` or null |
| `result<t, e>` | `{"ok": value}` or `{"err": value}`, as a variant of these |

A function's own `result<t, e>` is not such a value: `t` is the output, and `e` the reason of a failure.
"""

from collections.abc import Iterable

from converters.component_types import (
    BYTES,
    INTEGERS,
    SOME,
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
    cases_of,
)
from converters.deployment import Parameter
from converters.media_types import OCTET_STREAM
from converters.schema import Schema, file_schema
from converters.schema_keywords import distinct


def parameters_of(function: FunctionType) -> tuple[Parameter, ...]:
    """What a function is called with; an option may be left out."""
    return tuple(
        Parameter(name, member_schema(kind), required=not isinstance(kind, OptionType))
        for name, kind in function.parameters
    )


def output_type(function: FunctionType) -> ComponentType | None:
    """What comes out when the function does not fail; None when nothing does."""
    return function.result.ok if isinstance(function.result, ResultType) else function.result


def component_schema(kind: ComponentType) -> Schema:
    """The data schema of a value, as the table above has it."""
    match kind:
        case Primitive():
            return _primitive(kind)
        case ListType():
            if kind == BYTES:
                return file_schema(OCTET_STREAM)
            return {"type": "array", "items": component_schema(kind.element)}
        case RecordType():
            return _record(kind)
        case TupleType():
            return _tuple(kind)
        case EnumType(names):
            return {"type": "string", "enum": list(names)}
        case FlagsType(names):
            items = {"type": "string", "enum": list(names)}
            return {"type": "array", "items": items, "uniqueItems": True, "maxItems": len(names)}
        case OptionType(payload):
            some = _tagged(SOME, payload) if isinstance(payload, OptionType) else None
            return {"oneOf": [some or component_schema(payload), {"type": "null"}]}
        case VariantType() | ResultType():
            return _variant(cases_of(kind))


def member_schema(kind: ComponentType) -> Schema:
    """The schema of a member of an object, which is left out when an option has no value."""
    return component_schema(kind.payload if isinstance(kind, OptionType) else kind)


def _primitive(kind: Primitive) -> Schema:
    if integer := INTEGERS.get(kind):
        return {"type": "integer", "minimum": integer.minimum, "maximum": integer.maximum}
    match kind:
        case Primitive.BOOL:
            return {"type": "boolean"}
        case Primitive.F32 | Primitive.F64:
            return {"type": "number"}
        case Primitive.CHAR:
            return {"type": "string", "minLength": 1, "maxLength": 1}
        case _:
            return {"type": "string"}


def _record(kind: RecordType) -> Schema:
    required = [name for name, member in kind.fields if not isinstance(member, OptionType)]
    members = {name: member_schema(member) for name, member in kind.fields}
    schema: Schema = {"type": "object", "properties": members}
    return schema | ({"required": required} if required else {})


def _tuple(kind: TupleType) -> Schema:
    """An array of so many elements.

    One schema for all of them, any of their types: W3C's assertion report fails the array form of
    `items`. Which of them stands where is said in words.
    """
    count = len(kind.elements)
    schemas = distinct([component_schema(element) for element in kind.elements])
    schema: Schema = {"type": "array", "minItems": count, "maxItems": count}
    if len(schemas) == 1:
        return schema | {"items": schemas[0]}
    places = ", ".join(_word(element) for element in kind.elements)
    return schema | {"description": f"In this order: {places}."}


def _word(kind: ComponentType) -> str:
    """A type in WIT's words, as far as they need no names."""
    match kind:
        case Primitive():
            return kind.value
        case ListType(element):
            return f"list<{_word(element)}>"
        case OptionType(payload):
            return f"option<{_word(payload)}>"
        case TupleType(elements):
            return f"tuple<{', '.join(map(_word, elements))}>"
        case EnumType(names):
            return " or ".join(names)
        case _:
            return type(kind).__name__.removesuffix("Type").lower()


def _variant(cases: Iterable[tuple[str, ComponentType | None]]) -> Schema:
    bare, loaded = [], []
    for tag, payload in cases:
        if payload is None:
            bare.append(tag)
        else:
            loaded.append(_tagged(tag, payload))
    options: list[Schema] = [{"type": "string", "enum": bare}] if bare else []
    options += loaded
    return options[0] if len(options) == 1 else {"oneOf": options}


def _tagged(tag: str, payload: ComponentType) -> Schema:
    return {"type": "object", "properties": {tag: component_schema(payload)}, "required": [tag]}
