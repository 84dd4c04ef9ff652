"""node-wot as a consumer in a process of its own, and the steps that it can be told to do."""

import contextlib
import json
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.interop.programs import line_of, running
from tests.tools import needs

FOLDER = Path(__file__).parent
STEP_SECONDS = 10.0

Step: TypeAlias = dict[str, Any]
Answer: TypeAlias = dict[str, Any]
TD: TypeAlias = dict[str, Any] | str


def read(name: str, **options: Any) -> Step:
    return {"do": "read", "name": name, **options}


def write(name: str, value: Any) -> Step:
    return {"do": "write", "name": name, "value": value}


def invoke(name: str, *value: Any, **options: Any) -> Step:
    """Without a value, the action gets no input at all."""
    return {"do": "invoke", "name": name, **({"value": value[0]} if value else {}), **options}


def observe(name: str) -> Step:
    return {"do": "observe", "name": name}


def subscribe(name: str) -> Step:
    return {"do": "subscribe", "name": name}


def values(name: str, count: int = 1) -> Step:
    """Wait for further values of what is observed or subscribed."""
    return {"do": "values", "name": name, "count": count}


def stop(name: str) -> Step:
    return {"do": "stop", "name": name}


def explore(url: str) -> Step:
    """The titles of the Things in a directory whose TD is at `url`."""
    return {"do": "explore", "name": url}


def node_with_packages() -> str:
    """The path of node; without it or its packages the test is skipped, or fails where CI=true."""
    node = needs("node")
    if not (FOLDER / "node_modules").is_dir():
        reason = f"no packages for node-wot: npm ci --prefix {FOLDER}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return node


@contextlib.asynccontextmanager
async def consuming(scheme: str, td: TD, *steps: Step) -> AsyncIterator[AsyncIterator[Answer]]:
    """Have node-wot consume a TD, given or at a URL, through one client; one answer for each step.

    An answer is {"ok": value}, or {"error": message} perhaps with the "body" that node-wot refused.
    """
    async with _consuming(scheme, (td, steps)) as answers:
        yield answers


@contextlib.asynccontextmanager
async def _consuming(
    scheme: str, *tasks: tuple[TD, Sequence[Step]]
) -> AsyncIterator[AsyncIterator[Answer]]:
    task = {
        "scheme": scheme,
        "tasks": [
            {("url" if isinstance(td, str) else "td"): td, "steps": steps} for td, steps in tasks
        ],
        "deadlineSeconds": STEP_SECONDS,
    }
    command = (node_with_packages(), str(FOLDER / "consume.mjs"))

    async def answers() -> AsyncIterator[Answer]:
        for _, steps in tasks:
            for _ in steps:
                yield json.loads(await line_of(output))

    async with running(*command, given=json.dumps(task).encode()) as output:
        yield answers()


async def consume(scheme: str, td: TD, *steps: Step) -> list[Answer]:
    """All answers at once."""
    async with consuming(scheme, td, *steps) as answers:
        return [answer async for answer in answers]


async def consume_all(scheme: str, *tasks: tuple[TD, Sequence[Step]]) -> list[list[Answer]]:
    """All answers of steps with several Things, one after the other, of one node-wot."""
    async with _consuming(scheme, *tasks) as answers:
        return [[await anext(answers) for _ in steps] for _, steps in tasks]
