"""Asks a Thing over one protocol, and writes the answers into a file."""

import asyncio
import json
from pathlib import Path
from typing import Any

from emulation.node.catalogue import consume_from_catalogue, wait_node


async def app(
    wot: Any,
    conf: Any,
    loop: asyncio.AbstractEventLoop,
    host: str,
    out: str,
    thing: str = "urn:wotemu:quickstart:thing",
    action: str = "shout",
    value: str = '"hello"',
    times: str = "1",
    reads: str = "answer note",
) -> None:
    await wait_node(conf, host)
    found = await consume_from_catalogue(wot, conf.port_catalogue, host, thing)
    work = found.actions[action].invoke
    answers = [await work(json.loads(value)) for _ in range(int(times))]
    read = {name: await found.properties[name].read() for name in reads.split()}
    part = Path(f"{out}.part")
    part.write_text(json.dumps({"answers": answers, "read": read, "conf": list(conf)}))
    part.rename(out)
