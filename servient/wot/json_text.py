"""JSON encoders that are made once: `json.JSONEncoder.encode` makes one for each value."""

import json
from collections.abc import Callable
from json import encoder as standard
from typing import Any


def make_encoder(
    default: Callable[[Any], Any] | None = None, *, allow_nan: bool = True
) -> Callable[[Any], str]:
    """As `json.JSONEncoder(default=…).encode`, without spaces.

    It raises TypeError and ValueError, and RecursionError for what is nested too deeply or endlessly.
    """
    plain = json.JSONEncoder(
        default=default, allow_nan=allow_nan, separators=(",", ":"), check_circular=False
    )
    make = getattr(standard, "c_make_encoder", None)
    if make is None:  # a Python without it
        return plain.encode
    encode = make(
        *(None, plain.default, standard.encode_basestring_ascii, None),
        *(plain.key_separator, plain.item_separator, False, False, allow_nan),
    )
    return lambda value: "".join(encode(value, 0))
