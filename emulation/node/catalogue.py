"""Finding Things by the catalogue of a node, as applications do when they start."""

import asyncio
import logging
import time
from typing import Any
from urllib.parse import quote

import httpx

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 120.0
REQUEST_SECONDS = 30.0
PAUSE_SECONDS = 0.5


async def wait_node(
    conf: Any,
    name: str,
    timeout: float = TIMEOUT_SECONDS,  # noqa: ASYNC109 - as programs call it
) -> None:
    """Return when the catalogue of a node answers. Raises TimeoutError."""
    await _ask(f"http://{name}:{conf.port_catalogue}/", timeout)


async def consume_from_catalogue(
    wot: Any,
    port_catalogue: int,
    servient_host: str,
    thing_id: str,
    timeout: float = TIMEOUT_SECONDS,  # noqa: ASYNC109 - as programs call it
) -> Any:
    """The consumed Thing of this id or title in a node's catalogue; waited for until it is there.

    Raises TimeoutError.
    """
    url = f"http://{servient_host}:{port_catalogue}/{quote(thing_id, safe='')}"
    return wot.consume(await _ask(url, timeout))


async def _ask(url: str, limit_seconds: float) -> str:
    end = time.monotonic() + limit_seconds
    pause = PAUSE_SECONDS
    async with httpx.AsyncClient(timeout=REQUEST_SECONDS, trust_env=False) as client:
        while True:
            try:
                answer = await client.get(url)
                if answer.is_success:
                    return answer.text
                reason = f"status {answer.status_code}"
            except httpx.HTTPError as error:
                reason = repr(error)
            if time.monotonic() + pause > end:
                raise TimeoutError(f"{url} did not answer within {limit_seconds:g} s: {reason}")
            logger.debug("%s: %s", url, reason)
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 5.0)
