"""The newer manifest, in which a function may have several places in a chain."""

from collections.abc import AsyncIterator

import pytest

from servient.app import App
from tests.orchestrator import uploads
from tests.orchestrator.conftest import JPEG, device_of
from tests.orchestrator.manifests import make_sequences
from tests.orchestrator.orchestrator import Orchestrator, orchestrating
from tests.orchestrator.test_chains import PLACES, history


@pytest.fixture
async def orchestrator(apps: tuple[App, App]) -> AsyncIterator[Orchestrator]:
    async with orchestrating(shape=make_sequences) as orchestrator:
        for app in apps:
            await orchestrator.discovered(device_of(app))
        yield orchestrator


async def test_one_function(orchestrator: Orchestrator) -> None:
    deployment = await orchestrator.deploy([(uploads.fibo(), "fibo", "second")])
    assert (await orchestrator.execute(deployment, {"param0": 7})).value == 21


@pytest.mark.parametrize("start", [{}, {"X-Chain-Step": "0"}], ids=["untold", "told"])
@pytest.mark.parametrize("places", PLACES.values(), ids=PLACES)
async def test_the_same_function_three_times(
    orchestrator: Orchestrator, places: tuple[str, ...], start: dict[str, str]
) -> None:
    wanted = [(uploads.fibo(), "fibo", place) for place in places]
    deployment = await orchestrator.deploy(wanted)
    for first, last in {3: 3, 4: 34}.items():
        executed = await orchestrator.execute(deployment, {"param0": first}, headers=start)
        assert executed.value == last
    entries = await history(orchestrator, deployment)
    # Only who calls the first step can know that it is one.
    steps = [entry["step_index"] for entry in entries]
    assert sorted(step or 0 for step in steps) == [0, 0, 1, 1, 2, 2]
    assert (None in steps) == (start == {})


@pytest.mark.parametrize("places", PLACES.values(), ids=PLACES)
async def test_files_and_numbers(orchestrator: Orchestrator, places: tuple[str, ...]) -> None:
    steps = (
        (uploads.camera(), "take_image_predefined_path"),
        (uploads.bytes_module(), "size_with_table"),
        (uploads.counter(), "add"),
    )
    wanted = [(*step, place) for step, place in zip(steps, places, strict=True)]
    executed = await orchestrator.execute(await orchestrator.deploy(wanted))
    assert executed.value == len(JPEG) + len(uploads.TABLE_BYTES)
