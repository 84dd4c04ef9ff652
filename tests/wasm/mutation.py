"""Modules and components that resemble others: changed at their sections, numbers, types and instructions."""

import random
from collections.abc import Callable, Sequence

from tests.wasm.instructions import change_instruction
from tests.wasm.leb128 import decode, encode

PREAMBLE_BYTES = 8
COMPONENT_LAYER = 0x0D
# Sections that hold a binary of their own: a core module, and a component (both of components).
NESTING = {1, 4}
CODE, CUSTOM = 10, 0
# i32, i64, f32, f64, v128, funcref, externref, and types that come after them.
TYPES = bytes([0x7F, 0x7E, 0x7D, 0x7C, 0x7B, 0x70, 0x6F, 0x6E, 0x69, 0x60, 0x40])
NUMBERS = (0, 1, 2, 63, 64, 127, 128, 1000, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**63)

Section = tuple[int, bytes]
# Changes a list of sections in its place.
Change = Callable[[random.Random, list[Section], Sequence[bytes]], None]


def mutate(dice: random.Random, binary: bytes, others: Sequence[bytes]) -> bytes:
    """A binary with one to four changes; what it takes from others is one of theirs."""
    for _ in range(dice.choice((1, 1, 1, 2, 2, 3, 4))):
        binary = _mutate_once(dice, binary, others)
    return binary


def _mutate_once(dice: random.Random, binary: bytes, others: Sequence[bytes]) -> bytes:
    if not binary:
        return dice.randbytes(4)
    if dice.random() < 0.04:  # without any regard to what stands where
        at = dice.randrange(len(binary))
        return dice.choice((binary[:at], binary[:at] + dice.randbytes(8) + binary[at:]))
    sections = split(binary)
    if not sections:
        return binary + dice.randbytes(4)
    is_component = binary[4:5] == bytes([COMPONENT_LAYER])
    inner = [n for n, (kind, _) in enumerate(sections) if is_component and kind in NESTING]
    if inner and dice.random() < 0.6:
        number = dice.choice(inner)
        kind, body = sections[number]
        sections[number] = (kind, _mutate_once(dice, body, others))
    else:
        (change,) = dice.choices(list(CHANGES), list(CHANGES.values()))
        change(dice, sections, others)
    return join(binary[:PREAMBLE_BYTES], sections)


def split(binary: bytes) -> list[Section]:
    """The sections by kind; what follows a broken one is part of it."""
    sections, at = [], PREAMBLE_BYTES
    while at < len(binary):
        size, begin = decode(binary, at + 1)
        sections.append((binary[at], binary[begin : begin + size]))
        at = begin + size
    return sections


def join(preamble: bytes, sections: Sequence[Section]) -> bytes:
    parts = [bytes([kind]) + encode(len(body)) + body for kind, body in sections]
    return preamble + b"".join(parts)


def _replace(sections: list[Section], number: int, body: bytes) -> None:
    sections[number] = (sections[number][0], body)


def _change_byte(dice: random.Random, sections: list[Section], _: Sequence[bytes]) -> None:
    number = dice.randrange(len(sections))
    body = bytearray(sections[number][1] or b"\0")
    body[dice.randrange(len(body))] = dice.randrange(256)
    _replace(sections, number, bytes(body))


def _change_number(dice: random.Random, sections: list[Section], _: Sequence[bytes]) -> None:
    """Some number, written in as many bytes as it takes."""
    number = dice.randrange(len(sections))
    body = sections[number][1] or b"\0"
    at = dice.randrange(len(body))
    end = decode(body, at)[1]
    _replace(sections, number, body[:at] + encode(dice.choice(NUMBERS)) + body[end:])


def _change_type(dice: random.Random, sections: list[Section], _: Sequence[bytes]) -> None:
    number = dice.randrange(len(sections))
    body = bytearray(sections[number][1])
    places = [at for at, byte in enumerate(body) if byte in TYPES]
    if places:
        body[dice.choice(places)] = dice.choice(TYPES)
        _replace(sections, number, bytes(body))


def _change_code(dice: random.Random, sections: list[Section], _: Sequence[bytes]) -> None:
    """An instruction becomes another that takes and gives the same."""
    for number, (kind, body) in enumerate(sections):
        if kind == CODE:
            _replace(sections, number, change_instruction(dice, body))


def _change_name(dice: random.Random, sections: list[Section], _: Sequence[bytes]) -> None:
    """A letter somewhere, most likely of an import or an export."""
    number = dice.randrange(len(sections))
    body = bytearray(sections[number][1])
    places = [at for at, byte in enumerate(body) if 0x61 <= byte <= 0x7A]
    if places:
        body[dice.choice(places)] = dice.choice(b"azAZ09 /:\0\n\x7f\xc3")
        _replace(sections, number, bytes(body))


def _move(dice: random.Random, sections: list[Section], _: Sequence[bytes]) -> None:
    section = sections.pop(dice.randrange(len(sections)))
    sections.insert(dice.randint(0, len(sections)), section)


def _drop(dice: random.Random, sections: list[Section], _: Sequence[bytes]) -> None:
    sections.pop(dice.randrange(len(sections)))


def _repeat(dice: random.Random, sections: list[Section], _: Sequence[bytes]) -> None:
    sections.insert(dice.randint(0, len(sections)), dice.choice(sections))


def _take(dice: random.Random, sections: list[Section], others: Sequence[bytes]) -> None:
    """Another binary's section, in the place of one of its kind where there is one."""
    theirs = split(dice.choice(others))
    if not theirs:
        return
    section = dice.choice(theirs)
    places = [number for number, (kind, _) in enumerate(sections) if kind == section[0]]
    if places:
        sections[places[0]] = section
    else:
        sections.insert(dice.randint(0, len(sections)), section)


def _comment(dice: random.Random, sections: list[Section], _: Sequence[bytes]) -> None:
    """A custom section, whose name is well written or not."""
    name = dice.choice((b"name", b"producers", b"dylink.0", dice.randbytes(5)))
    body = encode(len(name)) + name + dice.randbytes(dice.randrange(20))
    sections.insert(dice.randint(0, len(sections)), (CUSTOM, body))


# How often each comes; most often what leaves a module valid.
CHANGES: dict[Change, float] = {
    _change_code: 9,
    _comment: 2,
    _change_name: 2,
    _change_type: 2,
    _change_number: 2,
    _change_byte: 2,
    _take: 1,
    _repeat: 0.5,
    _drop: 0.5,
    _move: 0.5,
}
