"""Sends much over a connection to a port of its own, and writes how long that took."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any


async def app(
    wot: Any,
    conf: Any,
    loop: asyncio.AbstractEventLoop,
    host: str = "",
    out: str = "",
    data_bytes: str = "0",
) -> None:
    (port,) = conf.other_ports_tcp or (9898,)
    if not host:
        server = await asyncio.start_server(_answer, "0.0.0.0", port)
        await server.serve_forever()
    start = time.perf_counter()
    reader, writer = await asyncio.open_connection(host, port)
    opened = time.perf_counter()
    writer.write(b"1\n")
    await reader.readline()
    answered = time.perf_counter()
    writer.write(bytes(int(data_bytes)) + b"\n")
    await reader.readline()
    found = {
        "opened_seconds": opened - start,
        "round_trip_seconds": answered - opened,
        "bulk_seconds": time.perf_counter() - answered,
    }
    part = Path(f"{out}.part")
    part.write_text(json.dumps(found))
    part.rename(out)


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readline()
    writer.write(b"1\n")
    while b"\n" not in await reader.read(65536):
        pass
    writer.write(b"2\n")
