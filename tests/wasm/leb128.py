"""Numbers as WebAssembly writes them: LEB128."""


def encode(number: int) -> bytes:
    """Unsigned."""
    parts = []
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])


def encode_signed(number: int) -> bytes:
    parts = []
    while not -64 <= number < 64:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number & 0x7F])


def decode(data: bytes, at: int) -> tuple[int, int]:
    """An unsigned number and where it ends; one that is cut off ends with the data."""
    number = shift = 0
    while at < len(data):
        number |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if not data[at - 1] & 0x80:
            break
    return number, at
