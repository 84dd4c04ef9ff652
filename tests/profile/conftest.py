"""One servient for all tests of a module: none of them changes what another one looks at."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.profile.things import Stage, set_stage


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with set_stage(tmp_path_factory.mktemp("instance")) as stage:
        yield stage
