"""The command line, run in this process beside the servients that it talks to."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from typer.testing import CliRunner

from servient.cli.program import cli

# Whatever the machine has set must not lead tests elsewhere.
NOTHING: dict[str, str | None] = {
    "WASM_SERVIENT_URL": None,
    "WASM_SERVIENT_TOKEN": None,
    "WASM_SERVIENT_USER": None,
    "WASM_SERVIENT_CA": None,
    "XDG_CONFIG_HOME": "/nonexistent",
}


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str
    raw: bytes

    @property
    def json(self) -> Any:
        assert self.code == 0, self.err
        return json.loads(self.out)

    def failed(self, code: int, *words: str) -> None:
        """It ended with this code and one sentence, in which these words are."""
        assert self.code == code, (self.code, self.out, self.err)
        assert self.err.startswith("wasm-servient: ")
        assert self.err.count("\n") == 1, self.err
        assert "Traceback" not in self.err
        for word in words:
            assert word in self.err


async def command(
    *words: str, stdin: bytes | None = None, env: Mapping[str, str] | None = None
) -> Ended:
    """In a thread, so that the servients of the test go on."""
    return await asyncio.to_thread(_run, words, stdin, env or {})


def _run(words: tuple[str, ...], stdin: bytes | None, env: Mapping[str, str]) -> Ended:
    result = CliRunner().invoke(cli, list(words), input=stdin, env={**NOTHING, **env})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ended(result.exit_code, result.stdout, result.stderr, result.stdout_bytes)
