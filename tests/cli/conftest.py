"""A command line that is told which servient to use."""

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from servient.app import App
from tests.cli.command import Ended, command

Run = Callable[..., Coroutine[Any, Any, Ended]]


@pytest.fixture
def run(app: App) -> Run:
    """Runs a command against the servient of the test."""

    async def on_it(*words: str, **more: Any) -> Ended:
        return await command(*words, "--url", app.addresses()["http"], **more)

    return on_it
