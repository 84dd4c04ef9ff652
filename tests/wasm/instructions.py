"""Instructions in the code section: where they are, and what may stand in their place."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from tests.wasm.leb128 import decode, encode, encode_signed

# Opcodes that take and give the same types; in the order of the specification's table.
ALIKE = [
    range(0x6A, 0x79),  # i32: two to one
    range(0x7C, 0x8B),  # i64
    range(0x92, 0x99),  # f32
    range(0xA0, 0xA7),  # f64
    range(0x46, 0x50),  # i32: comparisons
    range(0x51, 0x5B),
    range(0x5B, 0x61),
    range(0x61, 0x67),
    (0x45, 0x67, 0x68, 0x69, 0xC0, 0xC1),  # i32: one to one
    (0x79, 0x7A, 0x7B, 0xC2, 0xC3, 0xC4),
    range(0x8B, 0x92),
    range(0x99, 0xA0),
    (0x28, 0x2C, 0x2D, 0x2E, 0x2F),  # i32: loads
    (0x29, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35),
    (0x36, 0x3A, 0x3B),  # i32: stores
    (0x37, 0x3C, 0x3D, 0x3E),
    (0x02, 0x03),  # block, loop
    (0x0C, 0x0D),  # which differ in what they take
    (0x20, 0x22, 0x21),
    (0x00, 0x01, 0x0F, 0x1A, 0x1B),
]
I32_CONST, I64_CONST, F32_CONST, F64_CONST = 0x41, 0x42, 0x43, 0x44
PREFIX = 0xFC
# How many numbers follow an opcode, where some do.
IMMEDIATES = {
    **dict.fromkeys((0x02, 0x03, 0x04, 0x0C, 0x0D, 0x10, I32_CONST, I64_CONST, 0xD0, 0xD2), 1),
    **dict.fromkeys(range(0x20, 0x27), 1),
    **dict.fromkeys(range(0x28, 0x3F), 2),
    **dict.fromkeys((0x3F, 0x40), 1),
    0x11: 2,
}
PREFIXED_IMMEDIATES = {8: 2, 9: 1, 10: 2, 11: 1, 12: 2, 13: 1, 14: 2, 15: 1, 16: 1, 17: 1}


@dataclass(frozen=True, slots=True)
class Instruction:
    """Opcode and immediates lie from `at` to `end`."""

    opcode: int
    at: int
    end: int


def change_instruction(dice: random.Random, section: bytes) -> bytes:
    """The code section with one instruction changed."""
    bodies = _split(section)
    if not bodies:
        return section
    number = dice.randrange(len(bodies))
    body = bodies[number]
    found = [each for each in _instructions(body) if each.end > each.at]
    if found:
        each = dice.choice(found)
        changed = _change(dice, each, body[each.at : each.end])
        bodies[number] = body[: each.at] + changed + body[each.end :]
    return encode(len(bodies)) + b"".join(encode(len(each)) + each for each in bodies)


def _change(dice: random.Random, instruction: Instruction, text: bytes) -> bytes:
    opcode = instruction.opcode
    if opcode in (I32_CONST, I64_CONST):
        bits = dice.choice((3, 7, 16, 31 if opcode == I32_CONST else 63))
        return text[:1] + encode_signed(dice.randint(-(2**bits), 2**bits - 1))
    if opcode in (F32_CONST, F64_CONST):
        return text[:1] + dice.randbytes(len(text) - 1)
    alike = [group for group in ALIKE if opcode in group]
    if alike and dice.random() < 0.7:
        return bytes([dice.choice(alike[0])]) + text[1:]
    if IMMEDIATES.get(opcode) == 2:  # alignment and offset, or a type and a table
        _, second = decode(text, 1)
        return text[:second] + encode(dice.choice((0, 1, 8, 65535, 2**31, 2**32 - 1)))
    if opcode in IMMEDIATES:
        return text[:1] + encode(dice.randrange(6))
    return dice.choice((b"", text, b"\x01", text + text))


def _split(section: bytes) -> list[bytes]:
    """The bodies of the functions."""
    count, at = decode(section, 0)
    bodies: list[bytes] = []
    while at < len(section) and len(bodies) < count:
        size, at = decode(section, at)
        bodies.append(section[at : at + size])
        at += size
    return bodies


def _instructions(body: bytes) -> Iterator[Instruction]:
    count, at = decode(body, 0)
    for _ in range(min(count, len(body))):  # the locals, by their types
        at = decode(body, at)[1] + 1
    while at < len(body) - 1:  # the last ends the function
        end = _end(body, at)
        yield Instruction(body[at], at, end)
        at = end


def _end(body: bytes, at: int) -> int:
    opcode = body[at]
    match opcode:
        case 0x43:
            return at + 5
        case 0x44:
            return at + 9
        case 0x0E:
            count, at = decode(body, at + 1)
            return _skip(body, at, count + 1)
        case 0xFC:
            number, at = decode(body, at + 1)
            return _skip(body, at, PREFIXED_IMMEDIATES.get(number, 0))
    return _skip(body, at + 1, IMMEDIATES.get(opcode, 0))


def _skip(body: bytes, at: int, count: int) -> int:
    for _ in range(min(count, len(body))):
        at = decode(body, at)[1]
    return at
