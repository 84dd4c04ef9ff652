"""Random operations on a servient that is killed at random moments, and what has to be left of them.

Run by hand for many rounds: `python -m tests.deployment.survival --rounds 200`.
"""

import argparse
import asyncio
import hashlib
import random
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import httpx

from tests.files import FileServer, serve_files
from tests.orchestrator.machines import Machine

IDS = ("a", "b", "c", "d")
EXAMPLES = ("fibonacci", "counter", "grayscale")
# How many operations are under way at once, and how long at most until the process is killed.
CONCURRENCY = 4
PATIENCE_SECONDS = 0.5
HEADER = b"\n8 8\n255\n"


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture in colours, and what is to become of it."""

    colours: bytes
    grey: bytes

    @classmethod
    def draw(cls, chance: random.Random) -> "Picture":
        pixels = [chance.randbytes(3) for _ in range(64)]
        grey = bytes((299 * r + 587 * g + 114 * b + 500) // 1000 for r, g, b in pixels)
        return cls(b"P6" + HEADER + b"".join(pixels), b"P5" + HEADER + grey)


@dataclass(slots=True)
class Ledger:
    """What was acknowledged.

    `deployed` has what may be deployed under each id: one certain example (or None), or two where an
    operation was under way. `results` and `files` are by the ids of invocations.
    """

    deployed: dict[str, set[str | None]] = field(
        default_factory=lambda: {each: {None} for each in IDS}
    )
    results: dict[str, Any] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    acknowledged: int = 0
    interrupted: int = 0


Operation: TypeAlias = Callable[[httpx.AsyncClient, str], Coroutine[Any, Any, None]]


class Survival:
    """One servient, its file server, and the ledger over all of its lives."""

    def __init__(self, machine: Machine, folder: Path, files: FileServer, seed: int) -> None:
        self.ledger = Ledger()
        self._machine = machine
        self._instance = folder / "instance"
        self._files = files
        self._chance = random.Random(seed)

    async def run(self, rounds: int) -> Ledger:
        await self._machine.start()
        async with self._client() as client:
            for each in IDS:  # also so that all modules are compiled once
                await self._deploy(client, each)
        for _ in range(rounds):
            await self._operate_and_kill()
            await self._machine.start()
            async with self._client() as client:
                await self._check(client)
        return self.ledger

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self._machine.url, timeout=60)

    # Operations

    async def _operate_and_kill(self) -> None:
        chosen = self._chance.sample(IDS, CONCURRENCY)
        async with self._client() as client:
            work = [
                asyncio.create_task(self._work(client, each), name=f"operate on {each}")
                for each in chosen
            ]
            await asyncio.sleep(self._chance.uniform(0, PATIENCE_SECONDS))
            await self._machine.kill()
            for each in asyncio.as_completed(work):
                await each

    async def _work(self, client: httpx.AsyncClient, deployment: str) -> None:
        """One operation after the other, until there is nobody to answer."""
        deploy: list[Operation] = [self._deploy, self._deploy, self._fail_to_deploy]
        any_of_them = [*deploy, self._undeploy, *[self._execute] * 8]
        try:
            while True:
                is_deployed = self.ledger.deployed[deployment] != {None}
                operation = self._chance.choice(any_of_them if is_deployed else deploy)
                await operation(client, deployment)
                self.ledger.acknowledged += 1
        except httpx.TransportError:
            self.ledger.interrupted += 1

    async def _deploy(self, client: httpx.AsyncClient, deployment: str) -> None:
        example = self._chance.choice(EXAMPLES)
        manifest = self._files.manifest(f"{example}/manifest.json", deploymentId=deployment)
        self.ledger.deployed[deployment].add(example)
        answer = await client.post("/deploy", json=manifest)
        assert answer.status_code == 200, answer.text
        self.ledger.deployed[deployment] = {example}

    async def _fail_to_deploy(self, client: httpx.AsyncClient, deployment: str) -> None:
        manifest = self._files.manifest("counter/manifest.json", deploymentId=deployment)
        manifest["modules"][0]["urls"]["binary"] = f"{self._files.origin}/missing.wasm"
        answer = await client.post("/deploy", json=manifest)
        assert 400 <= answer.status_code < 500, answer.text

    async def _undeploy(self, client: httpx.AsyncClient, deployment: str) -> None:
        self.ledger.deployed[deployment].add(None)
        answer = await client.delete(f"/deploy/{deployment}")
        assert answer.status_code in (200, 404), answer.text
        self.ledger.deployed[deployment] = {None}

    async def _execute(self, client: httpx.AsyncClient, deployment: str) -> None:
        """A function of what is deployed there, and only that: nobody else deploys under this id."""
        [example] = self.ledger.deployed[deployment]
        if example is not None:
            await self._execute_example(client, deployment, example)

    async def _execute_example(
        self, client: httpx.AsyncClient, deployment: str, example: str
    ) -> None:
        prefix = f"/{deployment}/modules/{example}"
        match example:
            case "fibonacci":
                await self._value(await client.get(f"{prefix}/fibo?iterations=12"), ["233", None])
            case "counter":
                await self._value(await client.post(f"{prefix}/increment"))
            case "grayscale":
                picture = Picture.draw(self._chance)
                parts = {"image.ppm": ("blob", picture.colours)}
                answer = await client.post(f"{prefix}/grayscale", files=parts)
                await self._value(answer, [None, ["result.pgm"]])
                self.ledger.files[_id(answer.json())] = picture.grey

    async def _value(self, answer: httpx.Response, expected: Any = None) -> None:
        body = answer.json()
        assert expected in (None, body.get("result")), body
        self.ledger.results[_id(body)] = body["result"]

    # What has to be left

    async def _check(self, client: httpx.AsyncClient) -> None:
        self._check_files()
        await self._check_history(client)
        await self._check_deployments(client)

    def _check_files(self) -> None:
        """No file without a use, none half written, none that is wanted and missing."""
        folder = self._instance / "files"
        present = {file.name for file in folder.iterdir()}
        assert present == self._used_files()
        for file in folder.iterdir():
            assert hashlib.sha256(file.read_bytes()).hexdigest() == file.name

    def _used_files(self) -> set[str]:
        """From a copy of the database: the servient lets nobody else in."""
        with tempfile.TemporaryDirectory() as folder:
            for file in self._instance.glob("servient.sqlite*"):
                shutil.copy(file, folder)
            connection = sqlite3.connect(Path(folder, "servient.sqlite"))
            rows = connection.execute("SELECT DISTINCT digest FROM used_files").fetchall()
            connection.close()
        return {digest for (digest,) in rows}

    async def _check_history(self, client: httpx.AsyncClient) -> None:
        entries = {
            each["request_id"]: each for each in (await client.get("/request-history")).json()
        }
        for invocation, result in self.ledger.results.items():
            assert entries[invocation]["result"] == result
        for entry in entries.values():
            assert entry["success"] or "servient stopped" in entry["error"], entry
        newest = list(self.ledger.files)[-5:]
        for invocation in newest:
            [url] = entries[invocation]["outputs"]
            assert (await client.get(url)).content == self.ledger.files[invocation]

    async def _check_deployments(self, client: httpx.AsyncClient) -> None:
        present = {each["deploymentId"]: each for each in await self._deployments(client)}
        for deployment, allowed in self.ledger.deployed.items():
            summary = present.pop(deployment, None)
            assert summary is None or "error" not in summary, summary
            found = summary["modules"][0] if summary else None
            assert found in allowed, (deployment, found, allowed)
            self.ledger.deployed[deployment] = {found}
            await self._execute(client, deployment)
        assert not present

    async def _deployments(self, client: httpx.AsyncClient) -> list[dict[str, Any]]:
        found: list[dict[str, Any]]
        found = (await client.get("/things/servient/properties/deployments")).json()
        return found


def _id(body: dict[str, Any]) -> str:
    invocation: str = body["resultUrl"].rpartition("/")[2]
    return invocation


async def survive(folder: Path, rounds: int, seed: int) -> Ledger:
    settings = {"WASM_SERVIENT_HISTORY_LIMIT": "100000"}
    machine = Machine("survivor", folder, settings)
    async with serve_files() as files:
        try:
            return await Survival(machine, folder, files, seed).run(rounds)
        finally:
            await machine.kill()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ledger = asyncio.run(survive(Path(folder), arguments.rounds, arguments.seed))
    print(  # noqa: T201 - a program
        f"{arguments.rounds} kills, {ledger.acknowledged} acknowledged and {ledger.interrupted}"
        f" interrupted operations, {len(ledger.results)} results and {len(ledger.files)} files kept"
    )


if __name__ == "__main__":
    main()
