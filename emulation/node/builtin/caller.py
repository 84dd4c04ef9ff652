"""Invokes all actions of a Thing, again and again, after pauses of random length."""

import asyncio
import json
import logging
import random
from typing import Any

from emulation.node.catalogue import consume_from_catalogue, wait_node

logger = logging.getLogger(__name__)


async def app(
    wot: Any,
    conf: Any,
    loop: Any,
    servient_host: str,
    thing_id: str,
    params: str = "{}",
    timeout: str = "300",  # noqa: ASYNC109 - its name in topologies
    lambd: str = "2",
) -> None:
    """`params`: inputs by the actions' names, as JSON; `lambd`: rounds per second, on average."""
    inputs = json.loads(params or "{}") or {}
    await wait_node(conf=conf, name=servient_host)
    thing = await consume_from_catalogue(wot, conf.port_catalogue, servient_host, thing_id)
    while True:
        for name in thing.actions:
            try:
                await thing.actions[name].invoke(inputs.get(name), timeout=float(timeout))
            except Exception as error:  # noqa: BLE001 - whatever it is, the next one is tried
                logger.warning("%s could not be invoked: %r", name, error)
        await asyncio.sleep(random.expovariate(float(lambd)))
