"""A servient that is stopped or killed and comes back was never away for those who browse."""

import asyncio
import uuid
from pathlib import Path
from typing import Any

from zeroconf import ServiceStateChange
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from servient.discovery.service import WEBTHING
from tests.discovery.packets import listening
from tests.orchestrator.machines import Machine, machines


async def test_stopped_killed_and_started_again(tmp_path: Path) -> None:
    name = f"machine-{uuid.uuid4().hex[:8]}"
    full_name = f"{name}.{WEBTHING}"
    changes: list[ServiceStateChange] = []

    def changed(**change: Any) -> None:
        if change["name"] == full_name:  # others on this machine may announce something, too
            changes.append(change["state_change"])

    machine = Machine(name, tmp_path, {"WASM_SERVIENT_ANNOUNCE": "1"})
    async with AsyncZeroconf(interfaces=["127.0.0.1"]) as zeroconf, listening() as packets:
        browser = AsyncServiceBrowser(zeroconf.zeroconf, WEBTHING, handlers=[changed])
        async with machines(machine):
            port = machine.port
            for end in (machine.stop, machine.kill):
                heard = len(await packets.wait_for(full_name))
                await end()
                await machine.start()
                await packets.wait_for(full_name, heard + 1)
            info = AsyncServiceInfo(WEBTHING, full_name)
            assert await info.async_request(zeroconf.zeroconf, 10_000)
            assert info.port == port == machine.port
            async with asyncio.timeout(20):
                while not changes:
                    await asyncio.sleep(0.05)
            assert changes[0] is ServiceStateChange.Added
            assert ServiceStateChange.Removed not in changes
            assert not packets.goodbyes(full_name)
        await browser.async_cancel()
