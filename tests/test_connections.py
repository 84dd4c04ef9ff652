"""Connections that are open and silent."""

from benchmarks.connections import measure

# The whole of it is `python -m benchmarks.connections`: two thousand, and how long the others take.
COUNT = 400
SECONDS = 2.0
GENEROUS_SECONDS = 1.0


async def test_silent_connections_cost_others_nothing() -> None:
    found = await measure(COUNT, SECONDS)
    assert (found.open, found.failures) == (COUNT, 0)
    assert found.loaded.median < GENEROUS_SECONDS
