"""How JavaScript looks at an answer: what is true, and what is a URL."""

import math
import re
from typing import Any

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_WITH_HOST = re.compile(r"(?:https?|wss?|ftp):[/\\]*[^/\\?#]+", re.IGNORECASE)
_SPECIAL = re.compile(r"(?:https?|wss?|ftp):", re.IGNORECASE)


def is_truthy(value: Any) -> bool:
    """Of what JSON can say, only these are false: empty arrays and objects are true."""
    if isinstance(value, float) and math.isnan(value):
        return False
    return isinstance(value, (list, dict)) or bool(value)


def to_text(value: Any) -> str:
    """`String(value)`: an array's elements with commas between them, null as nothing."""
    match value:
        case list():
            return ",".join("" if each is None else to_text(each) for each in value)
        case dict():
            return "[object Object]"
        case None:
            return "null"
        case bool():
            return str(value).lower()
    return str(value)


def to_url(value: Any) -> str | None:
    """`new URL(value)`, which takes every scheme; None where it throws."""
    text = to_text(value).strip()
    if not _SCHEME.match(text):
        return None
    if _SPECIAL.match(text) and not _WITH_HOST.match(text):
        return None
    return text
