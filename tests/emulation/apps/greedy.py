"""Takes memory or time of the processor, as told."""

import asyncio
import time
from pathlib import Path
from typing import Any


async def app(
    wot: Any, conf: Any, loop: Any, out: str, megabytes: str = "0", busy_seconds: str = "0"
) -> None:
    hoard = []
    for _ in range(int(megabytes)):
        hoard.append(bytearray(2**20))
        await asyncio.sleep(0.005)
    start, used = time.monotonic(), time.process_time()
    while time.monotonic() - start < float(busy_seconds):
        pass
    share = (time.process_time() - used) / (time.monotonic() - start or 1)
    part = Path(f"{out}.part")
    part.write_text(str(share))
    part.rename(out)
