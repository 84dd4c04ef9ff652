"""A subscription as WoTPy hands it to programs: an observable that lives as long as a task."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import reactivex
from reactivex.disposable import Disposable


def to_observable(
    deliver: Callable[[Any], Coroutine[Any, Any, None]], tasks: set[asyncio.Task[None]], name: str
) -> Any:
    """An observable whose every observer is served by a task of its own, kept in `tasks`.

    `deliver` is called with the observer; disposing of the subscription cancels it.
    """

    def subscribe(observer: Any, _: Any = None) -> Any:
        task = asyncio.get_running_loop().create_task(deliver(observer), name=name)
        tasks.add(task)
        task.add_done_callback(tasks.discard)

        def unsubscribe() -> None:
            task.cancel()

        return Disposable(unsubscribe)

    return reactivex.create(subscribe)
