"""Invokes one action again and again, over one protocol: the forms of the others are left out."""

import asyncio
import json
import random
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import httpx

SCHEMES = {"http": "http", "websocket": "ws", "coap": "coap", "mqtt": "mqtt"}


async def app(
    wot: Any,
    conf: Any,
    loop: asyncio.AbstractEventLoop,
    servient_host: str,
    thing_id: str,
    action: str,
    protocol: str,
    inputs: str = "null",
    rate: str = "1",
) -> None:
    """`inputs` is the action's input as JSON; `rate` is how often in a second it is invoked."""
    url = f"http://{servient_host}:{conf.port_catalogue}/{quote(thing_id, safe='')}"
    thing = wot.consume(only(await ask(url), SCHEMES[protocol]))
    while True:
        await asyncio.sleep(random.expovariate(float(rate)))
        try:
            await thing.invoke_action(action, json.loads(inputs), timeout=20)
        except Exception as error:  # noqa: BLE001 - whatever it is, the next one is tried
            print(f"{action} over {protocol}: {error!r}", flush=True)


async def ask(url: str) -> dict[str, Any]:
    """The Thing Description, when the servient is there."""
    async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
        while True:
            try:
                document: dict[str, Any] = (await client.get(url)).raise_for_status().json()
            except httpx.HTTPError:
                await asyncio.sleep(1)
            else:
                return document


def only(document: dict[str, Any], scheme: str) -> dict[str, Any]:
    """The same Thing, reached over one protocol."""
    base = document.get("base", "")
    for kind in ("properties", "actions", "events"):
        for affordance in document.get(kind, {}).values():
            affordance["forms"] = [
                form
                for form in affordance["forms"]
                if urlsplit(urljoin(base, form["href"])).scheme == scheme
            ]
    return document
