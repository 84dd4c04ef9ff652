"""What is wrong with an input, and where."""

from typing import Any, NoReturn

from servient.errors import InvalidInput

_SHOWN_CHARACTERS = 60


def refuse(pointer: str, detail: str) -> NoReturn:
    raise InvalidInput(
        f"{pointer or 'the input'}: {detail}", [{"pointer": pointer, "detail": detail}]
    )


def at(pointer: str, step: object) -> str:
    return f"{pointer}/{str(step).replace('~', '~0').replace('/', '~1')}"


def show(value: Any) -> str:
    shown = ascii(value) if isinstance(value, str | int | float | bool) else type(value).__name__
    return shown if len(shown) <= _SHOWN_CHARACTERS else f"{shown[:_SHOWN_CHARACTERS]}…"
