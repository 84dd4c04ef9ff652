"""The fake orchestrator's manifests are those of the real one."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.orchestrator import uploads
from tests.orchestrator.manifests import Step, make_manifests

MANIFESTS = Path(__file__).parents[1] / "manifests"
ORIGIN = "http://127.0.0.1:3000"
ONE = "http://127.0.0.1:5001"
TWO = "http://127.0.0.1:5002"

# File, deployment id, the device whose manifest it is, steps as (device, module, function).
REAL: list[tuple[str, str, str, list[tuple[str, Any, str]]]] = [
    ("fibo", "6b0245d64195de0afd6afcb8", ONE, [(ONE, uploads.fibo, "fibo")]),
    ("fibo-post", "6b0246754195de0afd6afd9a", TWO, [(TWO, uploads.fibo_post, "fibo")]),
    (
        "camera",
        "6b0245d64195de0afd6afcbc",
        ONE,
        [(ONE, uploads.camera, "take_image_predefined_path")],
    ),
    (
        "bytes-deploymount",
        "6b0245d64195de0afd6afcc0",
        TWO,
        [(TWO, uploads.bytes_module, "size_with_table")],
    ),
    ("bytes-invert", "6b0245d64195de0afd6afcc2", TWO, [(TWO, uploads.bytes_module, "invert")]),
    ("float", "6b0245d64195de0afd6afccc", ONE, [(ONE, uploads.bytes_module, "addf")]),
    (
        "same-module-twice",
        "6b0246754195de0afd6afd97",
        ONE,
        [(ONE, uploads.fibo, "fibo"), (ONE, uploads.fibo, "subtract")],
    ),
    *(
        (
            f"chain-fibo-fibo-device{number}",
            "6b0245d64195de0afd6afcc8",
            device,
            [(ONE, uploads.fibo, "fibo"), (TWO, uploads.stateful_fibo, "fibo")],
        )
        for number, device in enumerate((ONE, TWO), 1)
    ),
]


@pytest.mark.parametrize(
    ("file", "deployment", "device", "steps"), REAL, ids=[each[0] for each in REAL]
)
def test_as_the_real_one(
    file: str, deployment: str, device: str, steps: list[tuple[str, Any, str]]
) -> None:
    real = json.loads((MANIFESTS / f"deploy-{file}.json").read_text())
    made = make_manifests(
        deployment, ORIGIN, [Step.of(url, module(), function) for url, module, function in steps]
    )
    assert made[device] == real
