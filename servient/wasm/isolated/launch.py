"""From nothing to a process that is ready for calls."""

import asyncio
from collections.abc import Callable, Sequence

from servient.errors import DeadlineExceeded, ModuleTrapped, ServientError
from servient.wasm.isolated.answers import parse_error
from servient.wasm.isolated.child import Child, ProcessEnded
from servient.wasm.isolated.messages import Malformed, Message
from servient.wasm.isolated.setup import Setup, setup_to_parts
from servient.wasm.types import Limits

# For Python to start and to load the engine, and a camera's library, on a small machine.
LOAD_SECONDS = 30.0


async def launch(
    name: str,
    setup: Setup,
    on_end: Callable[[Child, str], None],
    program: Sequence[str],
    load_seconds: float = LOAD_SECONDS,
) -> Child:
    """Raises ServientError when no process or no module starts, and leaves none."""
    child = Child(name, on_end)
    try:
        await child.spawn(program)
        await _start(child, setup, load_seconds)
    except BaseException:
        child.kill("it did not start")
        await child.wait()
        raise
    return child


async def _start(child: Child, setup: Setup, load_seconds: float) -> None:
    limits, what = setup.limits, "the start of the module"
    parts = setup_to_parts(setup)
    try:
        async with asyncio.timeout(load_seconds + limits.start_seconds):
            message = await child.ask(parts, 6 * limits.stdout_bytes)
        _check(message, limits)
    except TimeoutError as error:
        raise DeadlineExceeded(f"{what} did not end within {limits.start_seconds:g} s") from error
    except ProcessEnded as error:
        raise ModuleTrapped(f"{what} trapped: {error}") from error
    except Malformed as error:
        raise ModuleTrapped(f"{what} trapped: its process sent nonsense: {error}") from error


def _check(message: Message, limits: Limits) -> None:
    """Raises the error that stands in the answer, and Malformed for no answer."""
    error: ServientError | None = parse_error(message, limits)
    if error is not None:
        raise error
    if message.header or message.frames:
        raise Malformed("something else than that it is ready")
