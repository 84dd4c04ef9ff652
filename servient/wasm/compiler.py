"""Compiles a module in a process of its own, which may take only so much time and memory."""

import asyncio
import contextlib
import sys

from servient.errors import ModuleRejected
from servient.wasm.one_line import one_line
from servient.wasm.types import Limits

# The program that compiles; what it prints on stderr is the reason of a refusal.
_PROGRAM = "servient.wasm.compile_process"
_REASON_LIMIT = 200


async def compile_apart(binary: bytes, limits: Limits) -> bytes:
    """The compiled code of a module, serialised.

    Spawned and not forked: a fork after a compilation leaves a child whose compiler hangs. Raises
    ModuleRejected when the bytes are no module, or compiling them takes more than it may.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", _PROGRAM),
        *(str(limits.compile_memory_bytes), str(int(limits.compile_seconds) + 1)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd="/",
        env={"PYTHONPATH": ":".join(path for path in sys.path if path)},
    )
    try:
        async with asyncio.timeout(limits.compile_seconds):
            code, complaint = await process.communicate(binary)
    except TimeoutError as error:
        raise ModuleRejected(
            f"compiling the module takes longer than {limits.compile_seconds:g} s"
        ) from error
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    match process.returncode:
        case 0:
            return code
        case 1:
            reason = " ".join(complaint.decode(errors="replace").split())
            raise ModuleRejected(f"not a WebAssembly module: {one_line(reason, _REASON_LIMIT)}")
        case _:
            raise ModuleRejected("compiling the module takes more memory or time than it may")
