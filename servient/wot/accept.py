"""The media types that a client wants, and how much (RFC 9110 section 12.5.1)."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from servient.wot.content import essence

RANGES_LIMIT = 32

_QUALITY = re.compile(r"(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")


class MediaRange(NamedTuple):
    """A media type, `type/*` or `*/*`, and its weight from 0, not wanted, to 1."""

    pattern: str
    weight: float


def parse_accept(header: str) -> tuple[MediaRange, ...]:
    """The ranges of an Accept header; what cannot be understood in it is left out."""
    ranges = []
    for part in header.split(",")[:RANGES_LIMIT]:
        pattern = essence(part)
        if pattern.count("/") == 1:
            ranges.append(MediaRange(pattern, _weight(part)))
    return tuple(ranges) or (MediaRange("*/*", 1.0),)


def _weight(part: str) -> float:
    for parameter in part.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            return float(value) if _QUALITY.fullmatch(value := value.strip()) else 0.0
    return 1.0


def quality(media_type: str, ranges: Sequence[MediaRange]) -> float:
    """How much a media type is wanted: what the most specific range that it is in says."""
    name = essence(media_type)
    kind = name.partition("/")[0]
    weights = dict(ranges)
    return next((weights[p] for p in (name, f"{kind}/*", "*/*") if p in weights), 0.0)
