"""A minute of everything at once; a quarter of an hour is for a quiet day: `python -m tests.soak`."""

import os
from pathlib import Path

import pytest

from tests.soak import soak
from tests.tools import needs

SECONDS = float(os.environ.get("SOAK_SECONDS", "75"))


@pytest.mark.timeout(SECONDS + 240)
async def test_nothing_is_lost_and_nothing_is_left(tmp_path: Path) -> None:
    needs("mosquitto")
    report = await soak(tmp_path, SECONDS, seed=1)
    assert not report.faults(), f"{report}\n" + "\n".join(report.faults())
