"""Observes all properties of a Thing that can be observed, and subscribes to all its events."""

import asyncio
import logging
from typing import Any

from emulation.node.catalogue import consume_from_catalogue, wait_node

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 1.0


async def app(wot: Any, conf: Any, loop: Any, servient_host: str, thing_id: str) -> None:
    while True:
        await wait_node(conf=conf, name=servient_host)
        thing = await consume_from_catalogue(wot, conf.port_catalogue, servient_host, thing_id)
        failed = asyncio.Event()
        observed = [each for each in map(thing.properties.get, thing.properties) if each.observable]
        subscriptions = [
            _subscribe(source, failed)
            for source in (*observed, *map(thing.events.get, thing.events))
        ]
        try:
            await failed.wait()
        finally:
            for subscription in subscriptions:
                subscription.dispose()
        await asyncio.sleep(PAUSE_SECONDS)


def _subscribe(source: Any, failed: asyncio.Event) -> Any:
    def on_error(error: Exception) -> None:
        logger.warning("%s broke off: %r", source, error)
        failed.set()

    return source.subscribe(on_next=lambda item: None, on_error=on_error)
