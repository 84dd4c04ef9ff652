"""Calls of programs' handlers: bounded in time, and failing only with errors that have a name."""

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from servient.errors import ActionFailed, DeadlineExceeded, PropertyFailed, ServientError

logger = logging.getLogger(__name__)

REASON_LIMIT = 500

Handler = Callable[..., Any]


class Later:
    """What is not there yet: the work that has to be awaited for it, once, or closed."""

    __slots__ = ("work",)

    def __init__(self, work: Awaitable[Any]) -> None:
        self.work = work

    def close(self) -> None:
        """Nobody awaits it."""
        if inspect.iscoroutine(self.work):
            self.work.close()


@dataclass(frozen=True, slots=True)
class Kind:
    """What sort of handler is called: how it is named in messages, and how it fails.

    `failure` gets that name and the reason, which may tell more than a client should know.
    """

    noun: str
    failure: Callable[[str, str], ServientError]


ACTION = Kind("action", lambda what, reason: ActionFailed(f"{what} failed: {reason}"))
PROPERTY = Kind("property", lambda what, _: PropertyFailed(f"{what} failed"))
FOLLOWER = Kind("what follows action", ACTION.failure)


async def called(handler: Handler, *arguments: Any) -> Any:
    """What a handler returns, whether it is a coroutine function or a plain one."""
    returned = handler(*arguments)
    return await returned if inspect.isawaitable(returned) else returned


def begun(handler: Handler, *arguments: Any, kind: Kind, name: str) -> Any:
    """What a handler returns at once, or `Later`: that of a coroutine function, for `finished`.

    Raises the ServientErrors of the handler itself, and for anything else its kind's failure.
    """
    try:
        returned = handler(*arguments)
    except ServientError:
        raise
    except asyncio.CancelledError as error:
        raise _failure(kind, name, "cancelled by itself") from error
    except Exception as error:  # whatever a program raises is the failure of what it does
        raise _logged_failure(kind, name, error) from error
    # As `inspect.isawaitable`, which takes longer than some handlers.
    is_awaitable = hasattr(returned, "__await__") or inspect.isgenerator(returned)
    return Later(returned) if is_awaitable and inspect.isawaitable(returned) else returned


async def finished(later: Later, *, kind: Kind, name: str, limit_seconds: float) -> Any:
    """What a handler returns in time. Raises as `begun` does, and DeadlineExceeded."""
    try:
        async with asyncio.timeout(limit_seconds) as deadline:
            return await later.work
    except ServientError:
        raise
    except asyncio.CancelledError as error:
        if _is_cancelled():
            raise
        raise _failure(kind, name, "cancelled by itself") from error
    except Exception as error:
        if deadline.expired() and isinstance(error, TimeoutError):
            message = f"{kind.noun} {name!r} did not end within {limit_seconds:g} s"
            raise DeadlineExceeded(message) from error
        raise _logged_failure(kind, name, error) from error


def _failure(kind: Kind, name: str, reason: str) -> ServientError:
    return kind.failure(f"{kind.noun} {name!r}", reason)


def _logged_failure(kind: Kind, name: str, error: Exception) -> ServientError:
    logger.error("%s %r failed", kind.noun, name, exc_info=error)
    return _failure(kind, name, str(error)[:REASON_LIMIT])


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
