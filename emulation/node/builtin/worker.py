"""An action that keeps the processor busy."""

import asyncio
import time
from typing import Any

THING = {
    "@context": "https://www.w3.org/2022/wot/td/v1.1",
    "id": "urn:org:fundacionctic:thing:worker",
    "title": "Dummy worker Thing",
    "securityDefinitions": {"nosec_sc": {"scheme": "nosec"}},
    "security": ["nosec_sc"],
    "actions": {
        "doWork": {"safe": True, "input": {"type": "object"}, "output": {"type": "object"}}
    },
}


async def app(wot: Any, conf: Any, loop: Any) -> None:
    thing = wot.produce(THING)
    thing.set_action_handler("doWork", work)
    thing.expose()


async def work(value: Any) -> dict[str, Any]:
    """For `total` seconds in all, in steps of `step` seconds with `sleep` seconds between them."""
    wanted = value or {}
    step, pause = float(wanted.get("step", 0.5)), float(wanted.get("sleep", 0.1))
    end = time.monotonic() + float(wanted.get("total", 3.0))
    while time.monotonic() < end:
        step_end = time.monotonic() + step
        while time.monotonic() < step_end:
            pass
        await asyncio.sleep(pause)
    return {"ret": wanted.get("return", time.time())}
