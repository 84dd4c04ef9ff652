"""The checked-in modules of examples/ are what their sources give, and answer as described."""

import base64
import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
NAMES = sorted(path.parent.name for path in EXAMPLES.glob("*/expect.json"))
A_TOOL_IS_MISSING = 3
PROGRAM_SECONDS = 100


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, capture_output=True, text=True, timeout=PROGRAM_SECONDS, check=False
    )


def call_all(module: Path, expect: Path) -> None:
    done = run(sys.executable, EXAMPLES / "calls.py", module, expect)
    assert done.returncode == 0, done.stdout + done.stderr


def test_binaries_match_their_sources() -> None:
    done = run(ROOT / "scripts" / "build-examples", "--check")
    if done.returncode == A_TOOL_IS_MISSING and os.environ.get("CI") != "true":
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stdout + done.stderr


def test_there_are_examples() -> None:
    assert NAMES == [
        "camera",
        "counter",
        "digits",
        "endless",
        "fibonacci",
        "geometry",
        "grayscale",
        "wordcount",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_functions_answer_as_expected(name: str) -> None:
    call_all(EXAMPLES / name / f"{name}.wasm", EXAMPLES / name / "expect.json")


def test_a_wrong_expectation_is_noticed(tmp_path: Path) -> None:
    expect = tmp_path / "expect.json"
    expect.write_text(json.dumps([{"function": "fibo", "arguments": [7], "result": 22}]))
    done = run(
        sys.executable, EXAMPLES / "calls.py", EXAMPLES / "fibonacci" / "fibonacci.wasm", expect
    )
    assert done.returncode == 1
    assert "fibo(7) gave 21, not 22" in done.stdout


def grayscale_call(image: bytes, **expected: Any) -> dict[str, Any]:
    files = {"image.ppm": base64.b64encode(image).decode()}
    return {"function": "grayscale", "arguments": [], "files": files, **expected}


def to_grey(pixels: bytes) -> bytes:
    return bytes(
        round((299 * red + 587 * green + 114 * blue) / 1000 + 1e-9)
        for red, green, blue in zip(pixels[::3], pixels[1::3], pixels[2::3], strict=True)
    )


def test_grayscale_grows_its_memory_for_a_large_picture(tmp_path: Path) -> None:
    width, height = 1000, 700
    pixels = random.Random(1).randbytes(width * height * 3)
    written = b"P5\n1000 700\n255\n" + to_grey(pixels)
    call = grayscale_call(
        b"P6 1000 700 255\n" + pixels,
        result=0,
        written={"result.pgm": base64.b64encode(written).decode()},
    )
    expect = tmp_path / "expect.json"
    expect.write_text(json.dumps([call, call]))
    call_all(EXAMPLES / "grayscale" / "grayscale.wasm", expect)


def test_grayscale_survives_any_file(tmp_path: Path) -> None:
    chance = random.Random(2)
    picture = (EXAMPLES / "grayscale" / "image.ppm").read_bytes()[:60]
    calls = []
    for _ in range(500):
        image = bytearray(picture[: chance.randrange(len(picture))])
        for _ in range(min(len(image), chance.randrange(6))):
            image[chance.randrange(min(len(image), 14))] = chance.choice(b"0123456789 \n#P6\xff")
        calls.append(grayscale_call(bytes(image)))
    expect = tmp_path / "expect.json"
    expect.write_text(json.dumps(calls))
    call_all(EXAMPLES / "grayscale" / "grayscale.wasm", expect)
