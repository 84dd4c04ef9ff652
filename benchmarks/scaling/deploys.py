"""Deploying a module of 50 kB: one that was never seen, and one that was compiled before."""

import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import wasmtime

from benchmarks.peers.deploying import ask, deploy, fibonacci_manifest, serving
from benchmarks.peers.servient import servient

FUNCTIONS, STEPS = 110, 40
FIBO = """(func (export "fibo") (param i64) (result i64)
  (local $a i64) (local $b i64) (local $c i64)
  (local.set $b (i64.const 1)) (local.set $a (i64.const 1))
  (block $end (loop $again
    (br_if $end (i64.le_s (local.get 0) (i64.const 1)))
    (local.set $c (i64.add (local.get $a) (local.get $b)))
    (local.set $a (local.get $b)) (local.set $b (local.get $c))
    (local.set 0 (i64.sub (local.get 0) (i64.const 1))) (br $again)))
  (local.get $b))"""
OPERATIONS = ("add", "xor", "mul", "sub", "or", "rotl")


def measure(times: int) -> dict[str, Any]:
    """Milliseconds from `POST /deploy` until its answer, and until the first result."""
    cold, cached, first = [], [], []
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder)) as origin,
        servient() as asked,
    ):
        for number in range(times):
            name = f"m{number}.wasm"
            size = Path(folder, name).write_bytes(make_module(number))
            manifest = fibonacci_manifest(origin, f"d{number}")
            manifest["modules"][0]["urls"] = {"binary": f"{origin}/{name}", "other": {}}
            for entries in (manifest["endpoints"], manifest["mounts"]):
                entries["fibonacci"].pop("fibo_recursive")
            manifest["instructions"]["modules"]["fibonacci"].pop("fibo_recursive")
            began = time.perf_counter()
            deploy(asked.http, manifest)
            cold.append((time.perf_counter() - began) * 1e3)
            thing = f"{asked.http}/things/d{number}:fibonacci"
            ask(f"{thing}/actions/fibo", {"iterations": 7})
            first.append((time.perf_counter() - began) * 1e3)
            began = time.perf_counter()
            deploy(asked.http, {**manifest, "deploymentId": f"again{number}"})
            cached.append((time.perf_counter() - began) * 1e3)
    return {
        "module_kb": size / 1000,
        "cold_ms": statistics.median(cold),
        "cold_until_result_ms": statistics.median(first),
        "cached_ms": statistics.median(cached),
    }


def make_module(seed: int) -> bytes:
    """Functions that do sums, other ones for each seed."""
    chance = random.Random(seed)
    parts = [FIBO]
    for number in range(FUNCTIONS):
        body = "(local.get 0)"
        for _ in range(STEPS):
            operation = chance.choice(OPERATIONS)
            body = f"(i64.{operation} {body} (i64.const {chance.getrandbits(56)}))"
        parts.append(f'(func (export "f{number}") (param i64) (result i64) {body})')
    return bytes(wasmtime.wat2wasm(f"(module {''.join(parts)})"))
