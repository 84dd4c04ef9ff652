"""The certificate of this servient for TLS, read anew when its files change."""

import asyncio
import contextlib
import logging
import ssl
from pathlib import Path

from servient.background import Background

logger = logging.getLogger(__name__)

POLL_SECONDS = 10.0


class Certificate(Background):
    """An asynchronous context manager; `context` is for listening sockets, and stays the same."""

    task_name = "certificate watch"

    def __init__(self, certificate: Path, key: Path, poll_seconds: float = POLL_SECONDS) -> None:
        """Raises ValueError for files that are not a certificate and its key."""
        self._certificate = certificate
        self._key = key
        self._poll_seconds = poll_seconds
        try:
            self.context = self._load()
            self._seen = self._look()
        except (OSError, ssl.SSLError) as error:
            raise ValueError(f"{certificate} and {key} cannot be used for TLS: {error}") from error

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self._certificate, self._key)
        return context

    def _look(self) -> tuple[tuple[int, int], ...]:
        found = (file.stat() for file in (self._certificate, self._key))
        return tuple((each.st_mtime_ns, each.st_size) for each in found)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._poll_seconds)
            with contextlib.suppress(OSError):  # one of them is being replaced
                await asyncio.to_thread(self._renew)

    def _renew(self) -> None:
        """Connections from now on get what the files hold; those that are open keep theirs."""
        seen = self._look()
        if seen == self._seen:
            return
        self._seen = seen
        try:
            self._load()  # only a whole pair takes the place of the present one
            self.context.load_cert_chain(self._certificate, self._key)
        except (OSError, ssl.SSLError) as error:
            logger.error("the new certificate %s is of no use: %s", self._certificate, error)
        else:
            logger.info("the certificate %s has been renewed", self._certificate)
