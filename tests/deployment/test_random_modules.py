"""Modules at random, offered for deployment: each is deployed or refused, and nothing stays behind.

`RANDOM_MODULES` says how many there are, `RANDOM_SEED` which, `RANDOM_REPORT` is a file for the figures.
"""

import collections
import gc
import json
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import wasmtime
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as hypothesis_settings

from servient.app import App
from servient.config import Config
from tests.files import EXAMPLES, FileServer
from tests.wasm.components.texts import MISCHIEF, SLEEPER, WRITER
from tests.wasm.generation import module_texts
from tests.wasm.mutation import mutate

COUNT = int(os.environ.get("RANDOM_MODULES", "60"))
SEED = int(os.environ.get("RANDOM_SEED", "20"))
REPORT = os.environ.get("RANDOM_REPORT")
# Mutants of larger ones would be slow to compile and seldom valid.
DONOR_LIMIT_BYTES = 20_000
GENERATED_SHARE, COMPONENT_SHARE = 0.25, 0.15
DEADLINE_SECONDS = 0.5
SENTENCE_LIMIT = 600
# What pools, caches and the allocator keep after many deployments.
SLACK_BYTES = 150 * 2**20
GENERATION = hypothesis_settings(
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@dataclass
class Record:
    """What became of all modules."""

    outcomes: collections.Counter[str] = field(default_factory=collections.Counter)
    calls: collections.Counter[str] = field(default_factory=collections.Counter)
    reasons: collections.Counter[str] = field(default_factory=collections.Counter)
    slowest: list[tuple[float, int, str]] = field(default_factory=list)
    faults: list[tuple[int, str]] = field(default_factory=list)

    def add(self, number: int, seconds: float, outcome: str) -> None:
        self.outcomes[outcome] += 1
        self.slowest = sorted([*self.slowest, (seconds, number, outcome)])[-5:]


@pytest.mark.timeout(100 + COUNT * 2)
async def test_random_modules_are_deployed_or_refused(
    settings: Callable[..., Config], files: FileServer
) -> None:
    config = settings(bindings=["http"], module_timeout_seconds=DEADLINE_SECONDS)
    record, began = Record(), time.monotonic()
    async with App(config) as app:
        url = app.addresses()["http"]
        async with httpx.AsyncClient(base_url=url, timeout=60) as http:
            modules = _modules(random.Random(SEED))
            for number in range(min(20, COUNT)):  # so that what is made once is made
                await _offer(http, files, number, next(modules), record)
            before = _held(config.instance_path)
            for number in range(20, COUNT):
                await _offer(http, files, number, next(modules), record)
                if REPORT and number % 100 == 0:
                    _report(record, began, config.instance_path)
            assert (await http.get("/things")).status_code == 200
            after = _held(config.instance_path)
    _report(record, began, config.instance_path)
    assert not record.faults, record.faults[:5]
    assert record.outcomes["deployed"] > COUNT / 5
    assert record.outcomes["refused"] > COUNT / 5
    assert after.keys() == before.keys()
    over = {name: (before[name], after[name]) for name in after if after[name] > before[name]}
    assert over.pop("memory", (0, 0))[1] - before["memory"] < SLACK_BYTES
    assert over.pop("threads", (0, 0))[1] - before["threads"] <= 2  # of guests, at rest
    assert not over


async def _offer(
    http: httpx.AsyncClient, files: FileServer, number: int, binary: bytes, record: Record
) -> None:
    path = f"/{number}.wasm"
    files.files = {path: binary}
    files.requests.clear()
    urls = {"binary": f"{files.origin}{path}"}
    manifest = {"deploymentId": f"r{number}", "modules": [{"name": "part", "urls": urls}]}
    began = time.monotonic()
    try:
        answer = await http.post("/deploy", json=manifest)
        seconds = time.monotonic() - began
        if answer.status_code == 200:
            record.add(number, seconds, "deployed")
            await _use(http, number, record)
            assert (await http.delete(f"/deploy/r{number}")).status_code == 200
        else:
            record.add(number, seconds, "refused")
            _check_refusal(answer, record)
    except (AssertionError, httpx.HTTPError, KeyError, ValueError) as error:
        record.faults.append((number, repr(error)))
        if REPORT:
            Path(f"{REPORT}.{number}.wasm").write_bytes(binary)


def _check_refusal(answer: httpx.Response, record: Record) -> None:
    assert 400 <= answer.status_code < 500, (answer.status_code, answer.text[:300])
    reason = answer.json()["result"]
    assert isinstance(reason, str)
    assert 10 < len(reason) < SENTENCE_LIMIT, reason
    assert reason.isprintable(), reason
    record.reasons[reason.rpartition(".wasm: ")[2][:60]] += 1


async def _use(http: httpx.AsyncClient, number: int, record: Record) -> None:
    """One invocation of the first function; it may fail, but it says how."""
    td = (await http.get(f"/things/r{number}:part")).json()
    for name, action in sorted(td.get("actions", {}).items())[:1]:
        members = action.get("input", {}).get("properties", {})
        value = {each: _value(schema) for each, schema in members.items()}
        answer = await http.post(f"/things/r{number}:part/actions/{name}", json=value)
        record.calls[str(answer.status_code)] += 1
        if answer.status_code >= 400:
            assert answer.json()["detail"].isprintable(), answer.text


def _value(schema: dict[str, Any]) -> Any:
    if "enum" in schema:
        return schema["enum"][0]
    return {"integer": 3, "number": 0.5, "string": "x", "boolean": True, "array": []}.get(
        schema.get("type", ""), {}
    )


def _modules(dice: random.Random) -> Iterator[bytes]:
    """Mutants of the examples' modules and of components, and modules out of nothing."""
    paths = sorted(EXAMPLES.glob("*/*.wasm"))
    modules = [path.read_bytes() for path in paths if path.stat().st_size < DONOR_LIMIT_BYTES]
    components = [bytes(wasmtime.wat2wasm(text)) for text in (MISCHIEF, SLEEPER, WRITER)]
    generated = _generate(round(COUNT * GENERATED_SHARE))
    while True:
        chance = dice.random()
        if generated and chance < GENERATED_SHARE:
            yield generated.pop()
        elif chance < GENERATED_SHARE + COMPONENT_SHARE:
            yield mutate(dice, dice.choice(components), modules + components)
        else:
            yield mutate(dice, dice.choice(modules), modules)


def _generate(count: int) -> list[bytes]:
    found: list[bytes] = []

    @seed(SEED)
    @hypothesis_settings(GENERATION, max_examples=max(1, count))
    @given(module_texts())
    def draw(text: str) -> None:
        found.append(bytes(wasmtime.wat2wasm(text)))

    draw()
    return found


def _held(instance_path: Path) -> dict[str, int]:
    gc.collect()
    process = psutil.Process()
    return {
        "memory": process.memory_info().rss,
        # The loop's own pool grows up to its size.
        "threads": sum(not each.name.startswith("asyncio") for each in threading.enumerate()),
        "descriptors": process.num_fds(),
        "children": len(process.children()),
        "folders": len(list((instance_path / "modules").iterdir())),
    }


def _report(record: Record, began: float, instance_path: Path) -> None:
    if not REPORT:
        return
    figures = {
        "seconds": round(time.monotonic() - began, 1),
        "outcomes": record.outcomes,
        "calls": record.calls,
        "reasons": dict(record.reasons.most_common(40)),
        "slowest": record.slowest,
        "faults": record.faults,
        "held": _held(instance_path),
    }
    Path(REPORT).write_text(json.dumps(figures, indent=1))
