"""The lamp that these tests serve."""

from collections.abc import AsyncIterator

import pytest

from tests.bindings.websocket.serving import Served, serving


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serving() as served:
        yield served
