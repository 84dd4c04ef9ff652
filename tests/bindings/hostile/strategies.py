"""What hostile consumers send: values, bodies that carry them, and words that name things."""

import base64
import json
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote

import cbor2
from hypothesis import strategies as st

from tests.bindings.hostile.sponge import NAMES, THING

Strategy = st.SearchStrategy
T = TypeVar("T")


def mostly(good: Strategy[T], odd: Strategy[T]) -> Strategy[T]:
    """What is all wrong never gets further than the first check."""
    return st.sampled_from([good] * 4 + [odd]).flatmap(lambda chosen: chosen)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([2**63, -(2**64), 2**1030, 1e308, 5e-324, -0.0])
    | st.floats()
    | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=9), inner, max_size=5)
    ),
    max_leaves=15,
)
_SOUND = st.recursive(
    st.none()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
_BASE64 = st.binary(max_size=30).map(lambda data: base64.b64encode(data).decode())
# What the schemas of the Thing's affordances let pass, so that some get through.
FITTING: dict[str, Strategy[Any]] = {
    "number": st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False),
    "integer": st.integers(-(2**63), 2**63),
    "text": st.text(max_size=50),
    "flag": st.booleans(),
    "list": st.lists(_SOUND, max_size=5),
    "object": st.dictionaries(st.text(max_size=9), _SOUND, max_size=5),
    "file": _BASE64,
    "form": st.fixed_dictionaries({}, optional={"file": _BASE64, "name": st.text(), "x": _SOUND}),
    "either": st.none() | st.integers(-9, 9) | st.text(max_size=9),
    "later": st.dictionaries(st.text(max_size=9), _SOUND, max_size=5),
}
CBOR_ONLY = st.recursive(
    JSON | st.binary(max_size=40) | st.just(cbor2.undefined),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=9) | st.integers() | st.binary(), inner, max_size=4)
        | st.builds(cbor2.CBORTag, st.integers(0, 2**32), inner)
    ),
    max_leaves=10,
)
MEDIA_TYPES = st.sampled_from(
    [
        "", "application/json", "application/cbor", "text/plain", "application/octet-stream",
        "image/png", "multipart/form-data", "multipart/form-data; boundary=x", "a/b; c=\"",
        "application/x-www-form-urlencoded", "application/json; charset=utf-16", "*/*", "json",
    ]
) | st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30)  # fmt: skip
WORDS = st.sampled_from([*NAMES, THING, "anything", "later", "..", "", "%", "a" * 3000]) | st.text(
    max_size=12
)


@dataclass(frozen=True, slots=True)
class Body:
    """Bytes, and what they are said to be."""

    data: bytes
    media_type: str


def to_json(value: Any) -> bytes:
    """With NaN and infinities, as some encoders write them."""
    return json.dumps(value).encode()


def _to_cbor(value: Any) -> bytes:
    return cbor2.dumps(value)


@st.composite
def _mutilated(draw: st.DrawFn, whole: Strategy[bytes]) -> bytes:
    data = bytearray(draw(whole))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(data)


_JSON_BYTES = JSON.map(to_json)
_CBOR_BYTES = CBOR_ONLY.map(_to_cbor)
BODIES: Strategy[Body] = st.one_of(
    st.builds(Body, _JSON_BYTES, st.just("application/json")),
    st.builds(Body, _JSON_BYTES | st.sampled_from([b'"\\ud800"', b"[" * 5000]), MEDIA_TYPES),
    st.builds(Body, _CBOR_BYTES, st.just("application/cbor")),
    st.builds(Body, _mutilated(_JSON_BYTES), st.just("application/json")),
    st.builds(Body, _mutilated(_CBOR_BYTES), st.just("application/cbor")),
    st.builds(Body, st.binary(max_size=300), MEDIA_TYPES),
    st.builds(Body, st.binary(min_size=2000, max_size=4000), MEDIA_TYPES),
)


@dataclass(frozen=True, slots=True)
class Aim:
    """An affordance's name with what is sent to it, as a value and as a body."""

    name: str
    value: Any
    body: Body


@st.composite
def _fitting(draw: st.DrawFn) -> Aim:
    name = draw(st.sampled_from(list(FITTING)))
    value = draw(FITTING[name])
    if draw(st.booleans()):
        return Aim(name, value, Body(to_json(value), "application/json"))
    return Aim(name, value, Body(_to_cbor(value), "application/cbor"))


AIMS = mostly(_fitting(), st.builds(Aim, WORDS, JSON, BODIES))
THINGS = mostly(st.just(THING), WORDS)


def to_path(*segments: str) -> str:
    """Percent-encoded, also what no text can be (a lone surrogate)."""
    return "/" + "/".join(quote(each, safe=":", errors="replace") for each in segments)
