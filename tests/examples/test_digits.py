"""The digits example on plain wasmtime: pictures of many kinds, and hostile ones."""

import base64
import json
import random
import struct
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import wasmtime

DIGITS = Path(__file__).parents[2] / "examples" / "digits"
RIGHT_LEAST = 0.95
MEMORY_LIMIT_BYTES = 128 * 2**20
NOT_A_PICTURE, UNSUPPORTED, DAMAGED, TOO_LARGE, NO_MEMORY, BLANK = -4, -5, -6, -7, -8, -9
FAILURES = {NOT_A_PICTURE, UNSUPPORTED, DAMAGED, TOO_LARGE, NO_MEMORY, BLANK}

Samples = np.ndarray[Any, np.dtype[Any]]


class Classifier:
    """The module with its model."""

    def __init__(self) -> None:
        engine = wasmtime.Engine()
        module = wasmtime.Module.from_file(engine, str(DIGITS / "digits.wasm"))
        self._store = wasmtime.Store(engine)
        self._store.set_wasi(wasmtime.WasiConfig())
        self._store.set_limits(memory_size=MEMORY_LIMIT_BYTES)
        linker = wasmtime.Linker(engine)
        linker.define_wasi()
        self._exports = linker.instantiate(self._store, module).exports(self._store)
        memory = self._exports["memory"]
        assert isinstance(memory, wasmtime.Memory)
        self._memory = memory
        self._model = self._put((DIGITS / "model.pb").read_bytes())

    def __call__(self, image: bytes) -> int:
        placed = self._put(image)
        result = self._call("infer_from_ptrs", *self._model, *placed)
        self._call("dealloc", *placed)
        return result

    def memory_bytes(self) -> int:
        return self._memory.data_len(self._store)

    def _put(self, data: bytes) -> tuple[int, int]:
        address = self._call("alloc", len(data))
        assert address
        self._memory.write(self._store, data, address)
        return address, len(data)

    def _call(self, name: str, *arguments: int) -> int:
        function = self._exports[name]
        assert isinstance(function, wasmtime.Func)
        result: int = function(self._store, *arguments)
        return result


@pytest.fixture
def classifier() -> Classifier:
    return Classifier()


def held_out() -> list[tuple[bytes, int]]:
    entries = json.loads((DIGITS / "heldout.json").read_text())
    return [(base64.b64decode(entry["png"]), entry["label"]) for entry in entries]


def decode(png: bytes) -> Samples:
    samples = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    assert samples is not None
    return samples


def encode(samples: Samples, kind: str = ".png", *options: int) -> bytes:
    done, data = cv2.imencode(kind, samples, options)
    assert done
    return data.tobytes()


def enlarge(samples: Samples, side: int, interpolation: int) -> Samples:
    return cv2.resize(samples, (side, side), interpolation=interpolation)


def layers(*channels: Samples) -> Samples:
    return np.dstack(channels)


KINDS: dict[str, Callable[[Samples], bytes]] = {
    "as it is": encode,
    "not compressed": lambda grey: encode(grey, ".png", cv2.IMWRITE_PNG_COMPRESSION, 0),
    "fixed codes": lambda grey: encode(
        grey, ".png", cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_FIXED
    ),
    "large, sharp": lambda grey: encode(enlarge(grey, 240, cv2.INTER_NEAREST)),
    "large, soft": lambda grey: encode(enlarge(grey, 131, cv2.INTER_LINEAR)),
    "28 x 28": lambda grey: encode(enlarge(grey, 28, cv2.INTER_LINEAR)),
    "dark on bright": lambda grey: encode(255 - grey),
    "faint": lambda grey: encode(grey // 3 + 90),
    "colour": lambda grey: encode(layers(grey, grey, grey)),
    "black ink on glass": lambda grey: encode(layers(*[grey * 0] * 3, grey)),
    "PGM": lambda grey: encode(grey, ".pgm"),
    "PGM of 17 shades": lambda grey: (
        b"P5 # shades\n8 8\n16\n" + (grey // 15.9).astype("u1").tobytes()
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_of_any_kind_are_told_right(kind: str, classifier: Classifier) -> None:
    pictures = held_out()
    assert len(pictures) >= 100
    right = sum(classifier(KINDS[kind](decode(png))) == label for png, label in pictures)
    assert right >= RIGHT_LEAST * len(pictures)


def test_hostile_pictures_give_a_failure_or_a_digit(classifier: Classifier) -> None:
    chance = random.Random(3)
    greys = [decode(png) for png, _ in held_out()[:10]]
    pictures = [KINDS[kind](grey) for kind in KINDS for grey in greys]
    results: Counter[int] = Counter()
    for _ in range(5000):
        picture = bytearray(chance.choice(pictures))
        for _ in range(chance.randrange(1, 5)):
            picture[chance.randrange(len(picture))] = chance.randrange(256)
        results[classifier(bytes(picture[: chance.choice((None, chance.randrange(9999)))]))] += 1
    assert results.keys() <= FAILURES | set(range(10))
    assert results[DAMAGED] > 1000


def test_noise_is_no_picture(classifier: Classifier) -> None:
    chance = random.Random(4)
    for signature, failures in (
        (b"", {NOT_A_PICTURE}),
        (b"P5", FAILURES),
        (b"\x89PNG\r\n\x1a\n", FAILURES),
    ):
        for length in range(200):
            assert classifier(signature + chance.randbytes(length)) in failures


def test_a_small_file_that_claims_to_be_large_gets_no_memory(classifier: Classifier) -> None:
    before = classifier.memory_bytes()
    png = held_out()[0][0]
    claimed = png[:16] + struct.pack(">IIB", 4000, 4000, 8) + png[25:]
    assert classifier(claimed) == DAMAGED
    assert classifier.memory_bytes() == before


def test_a_bomb_is_cut_off(classifier: Classifier) -> None:
    whole = encode(np.zeros((4096, 4096), np.uint8))
    assert classifier(whole) == BLANK
    assert len(whole) < 100_000
    cut = whole[:16] + struct.pack(">IIB", 8, 8, 8) + whole[25:]
    assert classifier(cut) == DAMAGED


def test_a_picture_beyond_the_memory_is_refused(classifier: Classifier) -> None:
    before = classifier.memory_bytes()
    colour = encode(np.zeros((4096, 4096, 4), np.uint8))
    assert classifier(colour) == BLANK
    padded = (
        colour[:-12] + struct.pack(">I", 70 << 20) + b"junk" + bytes((70 << 20) + 4) + colour[-12:]
    )
    assert classifier(padded) == NO_MEMORY
    assert before < classifier.memory_bytes() <= MEMORY_LIMIT_BYTES
    png, label = held_out()[0]
    assert classifier(png) == label
