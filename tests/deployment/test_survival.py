"""What was acknowledged survives kill -9 at any moment, and what was refused does not come back."""

from pathlib import Path

from tests.deployment.survival import survive


async def test_kills_at_random_moments_lose_nothing(tmp_path: Path) -> None:
    ledger = await survive(tmp_path, rounds=12, seed=1)
    assert ledger.acknowledged
    assert ledger.interrupted
    assert ledger.results
    assert ledger.files
