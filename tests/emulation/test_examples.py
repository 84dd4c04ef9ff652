"""The examples as a user runs them, from the command to what their reports say."""

import asyncio
import sys
from pathlib import Path
from typing import Any

from emulation.report.report import make_report
from tests.tools import needs

EXAMPLES = Path(__file__).parent.parent.parent / "examples" / "emulation"
DEADLINE_SECONDS = 110.0


async def run(example: str, seconds: int, folder: Path) -> dict[str, Any]:
    """The figures of an example's run."""
    needs("unshare")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "servient", "emulate", "run", str(EXAMPLES / example / "topology.py")),
        *("--seconds", str(seconds), "--out", str(folder)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(DEADLINE_SECONDS):
        output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    assert (folder / "report.html").stat().st_size > 20_000
    [found] = make_report([folder]).documents()
    assert found["crashes"] == 0, output.decode()
    return found


async def test_the_quickstart(tmp_path: Path) -> None:
    """Four readers of at most 150 MB ask one server over 3G."""
    found = await run("quickstart", 8, tmp_path / "run")
    http = found["byProtocol"]["http"]
    assert http["calls"] - http["errors"] == http["tied"] >= 4
    # A round trip takes 600 ms on average, and reading a property one or two of them.
    assert http["network"] > 0.3
    readers = [each for each in found["replicas"] if each["replica"].startswith("reader")]
    assert len(readers) == 4
    assert all(each["peak_memory_bytes"] < 150 * 2**20 for each in readers)
    assert found["networks"][0]["utilisation"] > 0


async def test_four_protocols_side_by_side(tmp_path: Path) -> None:
    """One servient that runs a module: every call is found again with the work that it caused."""
    needs("mosquitto")
    found = await run("protocols", 8, tmp_path / "run")
    assert set(found["byProtocol"]) == {"http", "websocket", "coap", "mqtt"}
    for figures in found["byProtocol"].values():
        done = figures["calls"] - figures["errors"]
        assert done > 0
        assert figures["tied"] == done
        assert 0 < figures["handler"] < figures["mean"]
    assert found["ties"]["by_time"] == 0
    assert {each["network"] for each in found["networks"]} == {"wifi", "lte", "cable"}
    assert all(each["packets"] > 0 for each in found["networks"])
    # Over LTE, a call takes twice the latency at least; half is left to jitter.
    slow = [each for each in found["byNode"] if each["node"].endswith("_lte")]
    assert len(slow) == 4
    assert all(each["network"] > 0.04 for each in slow if each["tied"])


async def test_a_chain_is_one_trace(tmp_path: Path) -> None:
    found = await run("chain", 12, tmp_path / "run")
    by_name = {each["affordance"]: each for each in found["byAffordance"]}
    average, measure = by_name["average"], by_name["measure"]
    done = average["calls"] - average["errors"]
    assert done > 0
    assert measure["calls"] >= 2 * done
    assert (average["protocol"], measure["protocol"]) == ("http", "coap")
    # What the gateway worked is mostly what its own calls took.
    assert average["handler"] > measure["mean"]
    assert measure["handler"] >= 0.05
