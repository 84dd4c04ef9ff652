"""Two minutes of everything at once; a quarter of an hour is for a quiet day: `python -m tests.soak`."""

import os
from collections import Counter
from pathlib import Path

import pytest

from tests.soak.report import MIB, Ledger, Report, Sample
from tests.soak.run import soak
from tests.tools import needs

SECONDS = float(os.environ.get("SOAK_SECONDS", "120"))


@pytest.mark.timeout(SECONDS + 240)
async def test_nothing_is_lost_and_nothing_is_left(tmp_path: Path) -> None:
    needs("mosquitto")
    report = await soak(tmp_path, SECONDS, seed=1)
    assert not report.faults(), f"{report}\n" + "\n".join(report.faults())


def sample(seconds: float, mebibytes: float) -> Sample:
    return Sample(seconds, int(mebibytes * MIB), 60, 16, 5 * MIB)


def report(*mebibytes: float) -> Report:
    """Of a run with a sample each minute, and one when it was over."""
    samples = [sample(60.0 * minute, each) for minute, each in enumerate(mebibytes)]
    ledger = Ledger(counts=Counter(["deploy", "undeploy", "trap", "http"]))
    return Report(ledger, samples[:-1], samples[-1], 0, (), ("http",))


def test_what_fills_up_to_its_bounds_is_no_leak() -> None:
    assert not report(100, 110, 116, 118, 119, 120, 121, *[122] * 8, 123).faults()
    assert not report(100, 110, 120).faults()


def test_what_goes_on_growing_is_one() -> None:
    (fault,) = report(*range(100, 132, 2)).faults()
    assert "memory_bytes grew" in fault
    (fault,) = report(100, 110, 140).faults()
    assert "memory_bytes grew" in fault


def test_what_was_never_done_was_not_tried() -> None:
    found = report(100, 100)
    found.ledger.counts.clear()
    assert len(found.faults()) == 4
