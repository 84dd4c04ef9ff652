"""Calls of programs' handlers: bounded in time, and failing only with errors that have a name."""

import asyncio
import inspect
import logging
from collections.abc import Callable
from typing import Any

from servient.errors import DeadlineExceeded, ServientError
from servient.wot.content import Value

logger = logging.getLogger(__name__)

REASON_LIMIT = 500

Handler = Callable[..., Any]


async def called(handler: Handler, *arguments: Value) -> Any:
    """What a handler returns, whether it is a coroutine function or a plain one."""
    returned = handler(*arguments)
    return await returned if inspect.isawaitable(returned) else returned


async def bounded(
    handler: Handler,
    *arguments: Value,
    name: str,
    limit_seconds: float,
    failure: Callable[[str], ServientError],
) -> Any:
    """What a handler returns in time. `name` says what is called, for messages.

    Raises DeadlineExceeded, the ServientErrors of the handler itself, and for anything else that it
    raises the `failure` made of the reason, which may tell more than a client should know.
    """
    try:
        async with asyncio.timeout(limit_seconds) as deadline:
            return await called(handler, *arguments)
    except ServientError:
        raise
    except asyncio.CancelledError as error:
        if _is_cancelled():
            raise
        raise failure("cancelled by itself") from error
    except Exception as error:  # whatever a program raises is the failure of what it does
        if deadline.expired() and isinstance(error, TimeoutError):
            raise DeadlineExceeded(f"{name} did not end within {limit_seconds:g} s") from error
        logger.exception("%s failed", name)
        raise failure(str(error)[:REASON_LIMIT]) from error


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
