"""The public keys of an issuer: of a file, or fetched from its address and kept for a while."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import jwt

from servient.errors import Busy, InvalidInput, Unauthorized
from servient.wot.content import parse_json

DOCUMENT_LIMIT_BYTES = 256 * 1024
FETCH_SECONDS = 10.0
KEEP_SECONDS = 3600.0
# An unknown key has the document fetched anew, since issuers change keys: not more often than this.
PAUSE_SECONDS = 30.0
KEYS_LIMIT = 64


class FixedKey:
    """One public key, in PEM."""

    def __init__(self, file: Path) -> None:
        """Raises ValueError."""
        try:
            self._key = file.read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"the key {file} cannot be read: {error}") from error
        if "PUBLIC KEY" not in self._key:
            raise ValueError(f"{file} holds no public key in PEM")

    async def find(self, _: str | None) -> Any:
        return self._key


class KeySet:
    """A JSON Web Key Set (RFC 7517 section 5) at a URL, and only there: redirects are not followed."""

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._clock = clock
        self._keys: dict[str | None, Any] = {}
        self._fetched_at = self._tried_at = float("-inf")
        self._lock = asyncio.Lock()

    async def find(self, key_id: str | None) -> Any:
        """The key of that id; without an id, the only one. Raises Unauthorized, Busy."""
        async with self._lock:
            now = self._clock()
            is_old = now - self._fetched_at > KEEP_SECONDS
            is_patient = now - self._tried_at < PAUSE_SECONDS
            if (is_old or self._get(key_id) is None) and not is_patient:
                self._tried_at = now
                await self._fetch(has_others=bool(self._keys) and not is_old)
            found = self._get(key_id)
            if found is not None:
                return found
            if not self._keys:
                raise Busy("the keys of the issuer cannot be had now; try again later")
            raise Unauthorized("the token is signed with an unknown key")

    def _get(self, key_id: str | None) -> Any:
        if key_id is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(key_id)

    async def _fetch(self, *, has_others: bool) -> None:
        """Raises Busy when that does not work and there are no keys that are fresh enough."""
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                document = parse_json(await self._read())
            if not isinstance(document, dict):
                raise ValueError("a key set is an object")
            found = {
                each.key_id: each for each in jwt.PyJWKSet.from_dict(document).keys[:KEYS_LIMIT]
            }
        except (
            TimeoutError,
            httpx.HTTPError,
            jwt.PyJWTError,
            ValueError,
            TypeError,
            InvalidInput,
        ) as error:
            if has_others:
                return
            self._keys = {}
            raise Busy("the keys of the issuer cannot be had now; try again later") from error
        self._keys = {key_id: each.key for key_id, each in found.items()}
        self._fetched_at = self._clock()

    async def _read(self) -> bytes:
        async with (
            httpx.AsyncClient(trust_env=False, follow_redirects=False) as client,
            client.stream("GET", self._url) as response,
        ):
            response.raise_for_status()
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > DOCUMENT_LIMIT_BYTES:
                    raise ValueError("the key set is too large")
        return bytes(body)
