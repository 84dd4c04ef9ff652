"""Makes new inputs of good ones: changed bytes, or a changed place in a JSON document."""

import copy
import json
import random
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

Mutate: TypeAlias = Callable[[random.Random, Sequence[bytes]], bytes]

LENGTH_LIMIT = 20_000
_EDGES = (
    b"\x00",
    b"\xff",
    b"\x7f\xff\xff\xff",
    b"\xff" * 8,
    b"\r\n",
    b"\r\n\r\n",
    b'"',
    b"\\ud800",
)
_PIECES = (
    b"[" * 200,
    b"{" * 9,
    b"%00",
    b"%ff",
    b"../",
    b"--",
    b";q=",
    b"1e999",
    b"\xc3\x28",
    b"A" * 999,
)
_VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 2**63, 2**1030, 1e308, "", "x", "../..", "a/b", "\x00", "\ud800", "y" * 3000,
    [], [[]], [None], {}, {"": {}}, {"$ref": "#"}, {"type": "integer"}, {"a/b": {"~": None}},
    {"type": ["string", 5]}, {"properties": {"x": 5}}, {"allOf": [{}, {"$ref": "#/x"}]}, {"items": 1},
)  # fmt: skip
_STEPS_LIMIT = 12


def change_bytes(chance: random.Random, seeds: Sequence[bytes]) -> bytes:
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.randint(1, 4)):
        at = chance.randint(0, len(data))
        match chance.randrange(6):
            case 0:
                data[at : at + chance.randint(1, 8)] = b""
            case 1:
                data[at : at + chance.randint(0, 4)] = chance.choice(_EDGES + _PIECES)
            case 2:
                data[at:at] = chance.randbytes(chance.randint(1, 8))
            case 3 if at < len(data):
                data[at] ^= 1 << chance.randrange(8)
            case 4:
                other = chance.choice(seeds)
                begin = chance.randint(0, len(other))
                data[at:] = other[begin : begin + LENGTH_LIMIT]
            case _:
                begin = chance.randint(0, at)
                data[at:at] = data[begin:at] * chance.randint(1, 3)
    return bytes(data[:LENGTH_LIMIT])


def change_document(chance: random.Random, seeds: Sequence[bytes]) -> bytes:
    """One time in eight it is bytes that change, so that it is no JSON, or not quite the same."""
    if chance.randrange(8) == 0:
        return change_bytes(chance, seeds)
    document = [json.loads(chance.choice(seeds))]
    for _ in range(chance.randint(1, 3)):
        holder, key = _place(chance, document)
        _change(chance, holder, key, seeds)
    return json.dumps(document[0]).encode()


def _place(chance: random.Random, document: list[Any]) -> tuple[Any, Any]:
    """A random container in a document, and a key of it."""
    holder: Any = document
    key: Any = 0
    for _ in range(chance.randrange(_STEPS_LIMIT)):
        inner = holder[key]
        if not isinstance(inner, dict | list) or not inner:
            break
        holder = inner
        key = (
            chance.choice(list(inner)) if isinstance(inner, dict) else chance.randrange(len(inner))
        )
    return holder, key


def _change(chance: random.Random, holder: Any, key: Any, seeds: Sequence[bytes]) -> None:
    match chance.randrange(4):
        case 0 if isinstance(holder, dict):
            holder[chance.choice(("", "x", "type", "$ref", "\ud800", "z" * 2000))] = holder.pop(key)
        case 1:
            donor, from_key = _place(chance, [json.loads(chance.choice(seeds))])
            holder[key] = donor[from_key]
        case 2 if isinstance(holder[key], list):
            holder[key] = holder[key] * chance.randint(0, 50)
        case _:
            holder[key] = copy.deepcopy(chance.choice(_VALUES))
