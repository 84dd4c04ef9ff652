"""Networks are what was asked for: round trips, rates and losses, measured from within."""

from pathlib import Path
from typing import Any

import pytest

from emulation.topology import Link, Network, NetworkConditions, Node, NodeApp, Topology
from emulation.topology.conditions import CONDITIONS
from tests.emulation.running import embedded, written

# What a probe waits for between its pings and its flood: those that keep a core busy go in turn. The
# delays of the others change slowly, so that their mean takes longer to see.
TURNS = {NetworkConditions.LTE: 0, NetworkConditions.WIFI: 5, NetworkConditions.CABLE: 10}
LOSS_TURN, LOSS_PERCENT = 19, 1.0
# A machine that is busy with other things measures itself, not the networks.
ATTEMPTS = 3


@pytest.mark.timeout(500)
async def test_presets_and_loss(tmp_path: Path) -> None:
    for attempt in range(ATTEMPTS):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        if not (faults := await measure(folder)):
            return
    pytest.fail(f"not what was asked for: {', '.join(faults)}")


async def measure(folder: Path) -> list[str]:
    """The networks that are not what was asked for; all that is measured is printed."""
    presets = list(NetworkConditions)
    files = [folder / preset.lower() for preset in presets]
    nodes = [*probes(folder), *lossy_probe(folder)]
    async with embedded(Topology(nodes, seed=10), folder / "run") as emulation:
        assert await emulation.ready()
        *results, lossy = await written(emulation, [*files, folder / "lossy"])
    print(f"\n{'':12}{'asked ms':>10}{'measured':>10}{'asked kbit/s':>14}{'measured':>10}")
    faults = [
        preset.value
        for preset, found in zip(presets, results, strict=True)
        if not is_as_asked(preset, found)
    ]
    lost = 100 * (1 - lossy["packets"] / lossy["sent"])
    print(f"asked {LOSS_PERCENT:g} %, lost {lost:.3f} % of {lossy['sent']} packets")
    if abs(lost - LOSS_PERCENT) > 0.1:
        faults.append("loss")
    board = emulation.board
    worst = board.worst_lateness_seconds * 1000
    print(f"the latest frame came {worst:.1f} ms after it was due, {board.missed} were missed")
    return faults


def is_as_asked(preset: NetworkConditions, found: dict[str, Any]) -> bool:
    """Within 10 % of the round trip, and 15 % of the rate."""
    link = CONDITIONS[preset]
    asked, rate = 2 * link.latency_ms, link.rate_kbit or 0
    measured: float = found["round_trips"] * 1000
    carried: float = found["bytes"] * 8 / found["seconds"] / 1000
    print(f"{preset:12}{asked:10.0f}{measured:10.1f}{rate:14.0f}{carried:10.0f}")
    # A machine that is busy with other things may not manage to offer as much.
    offered: float = min(rate, found["sent"] * 1514 * 8 / found["flood_seconds"] / 1000)
    return abs(measured / asked - 1) <= 0.1 and abs(carried / offered - 1) <= 0.15


def probes(folder: Path) -> list[Node]:
    """For each preset, in a network of its own, one who asks and one who answers."""
    nodes = []
    for preset in NetworkConditions:
        name, rate = preset.lower(), CONDITIONS[preset].rate_kbit
        assert rate is not None
        is_quick = preset in TURNS
        probe = {
            "host": f"echo_{name}.{name}",
            "out": folder / name,
            "ping_seconds": 4 if is_quick else 11,
            "rate_kbit": rate * 1.3,
            "after_seconds": TURNS.get(preset, 0),
            "flood_seconds": 3 if is_quick else 7,
            "settle_seconds": 1 if is_quick else 4,
        }
        nodes += pair(name, Network(name, conditions=preset), probe)
    return nodes


def lossy_probe(folder: Path) -> list[Node]:
    """Many small packets: chance alone is within 0.1 percentage points in 19 of 20 runs."""
    probe = {
        "host": "echo_lossy.lossy",
        "out": folder / "lossy",
        "rate_kbit": 4000,
        "size": 100,
        "after_seconds": LOSS_TURN,
        "flood_seconds": 8,
    }
    network = Network("lossy", link=Link(latency_ms=1, loss_percent=LOSS_PERCENT))
    return pair("lossy", network, probe)


def pair(name: str, network: Network, probe: dict[str, Any]) -> list[Node]:
    return [
        Node(f"echo_{name}", NodeApp("echo.py"), [network]),
        Node(f"probe_{name}", NodeApp("probe.py", params=probe), [network]),
    ]
