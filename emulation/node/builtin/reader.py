"""Reads all properties of a Thing, again and again."""

import asyncio
import logging
from typing import Any

from emulation.node.catalogue import consume_from_catalogue, wait_node

logger = logging.getLogger(__name__)


async def app(
    wot: Any, conf: Any, loop: Any, servient_host: str, thing_id: str, interval: str = "5"
) -> None:
    """`interval`: seconds between two rounds."""
    await wait_node(conf=conf, name=servient_host)
    thing = await consume_from_catalogue(wot, conf.port_catalogue, servient_host, thing_id)
    while True:
        for name in thing.properties:
            try:
                await thing.properties[name].read()
            except Exception as error:  # noqa: BLE001 - whatever it is, the next one is tried
                logger.warning("%s could not be read: %r", name, error)
        await asyncio.sleep(float(interval))
