"""Processor limits by what a program's benchmark says of this machine."""

import stat
from pathlib import Path

import pytest

from emulation.embedded.speed import CannotMeasure, with_limits
from emulation.topology import Network, Node, NodeApp, NodeResources, Topology
from tests.tools import find

LAN = Network("lan")
APP = NodeApp("x.py")


def topology(speed: float) -> Topology:
    slow = NodeResources(target_cpu_speed=speed, mem_limit="100M")
    return Topology([Node("slow", APP, [LAN], resources=slow), Node("free", APP, [LAN])])


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in the place of sysbench."""
    program = tmp_path / "sysbench"
    program.write_text("#!/bin/sh\necho '    events per second:   800.00'\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return program


async def test_a_speed_is_a_share_of_a_core(bench: Path) -> None:
    slow, free = (await with_limits(topology(200))).nodes
    assert slow.resources is not None
    assert slow.resources.cpu_cores == 0.25
    assert slow.resources.memory_bytes == 100 * 2**20
    assert free.resources is None


async def test_speeds_that_cannot_be_had(bench: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CannotMeasure, match="not the 900"):
        await with_limits(topology(900))
    bench.write_text("#!/bin/sh\necho nonsense\n")
    with pytest.raises(CannotMeasure, match="nonsense"):
        await with_limits(topology(200))
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CannotMeasure, match="install it"):
        await with_limits(topology(200))


async def test_sysbench_itself() -> None:
    if find("sysbench") is None:
        pytest.skip("sysbench is not installed")
    slow, _ = (await with_limits(topology(1))).nodes
    assert slow.resources is not None
    assert 0 < (slow.resources.cpu_cores or 0) < 0.1
