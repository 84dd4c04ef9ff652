"""What processes use, as a sampler sees it."""

import asyncio
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from emulation.metrics.recorder import Recorder
from emulation.metrics.sampler import Sampler

BUSY = "\nimport time\nhog = bytearray(50_000_000)\nwhile True: pass\n"


async def test_a_busy_process_and_its_end(tmp_path: Path) -> None:
    """With its children: here the busy one is a shell's."""
    with Recorder(tmp_path / "usage.sqlite") as recorder:
        arguments = ("-c", f"'{sys.executable}' -c '{BUSY}' & echo $!; wait")
        shell = await asyncio.create_subprocess_exec(
            "sh", *arguments, stdout=asyncio.subprocess.PIPE
        )
        assert shell.stdout is not None
        child = int(await shell.stdout.readline())
        async with Sampler(recorder) as sampler, asyncio.timeout(60):
            sampler.add("busy", shell.pid)
            sampler.add("nobody", 2**22 + 1)  # beyond what Linux gives
            while not any(row["memory_bytes"] > 50e6 for row in await usage(tmp_path)):
                await asyncio.sleep(0.2)
            await asyncio.create_subprocess_exec("kill", str(child))
            await shell.wait()
            sampler.sample()
            sampler.sample()
    rows = await usage(tmp_path)
    assert {row["replica"] for row in rows} == {"busy"}
    assert max(row["cpu"] for row in rows) > 0.02
    assert min(row["memory_bytes"] for row in rows) > 0
    with closing(sqlite3.connect(tmp_path / "usage.sqlite")) as database:
        shares = [share for (share,) in database.execute("SELECT cpu FROM host")]
    assert shares
    assert all(0 <= share <= 1 for share in shares)


async def usage(folder: Path) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(folder / "usage.sqlite")) as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute("SELECT * FROM usage")]
