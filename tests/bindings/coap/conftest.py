"""The servient that most of these tests ask."""

from collections.abc import AsyncIterator

import pytest

from tests.bindings.coap.serving import Serving, serve


@pytest.fixture
async def serving() -> AsyncIterator[Serving]:
    async with serve() as running:
        yield running
