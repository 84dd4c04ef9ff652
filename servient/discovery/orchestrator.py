"""The orchestrator that this servient works for: where it is, and when it last looked after us."""

import json
import logging
import os
import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from servient.errors import InvalidInput
from servient.wot.content import parse_json

logger = logging.getLogger(__name__)

URL_LIMIT = 2000
# Visible ASCII: anything else is percent-encoded, and names of hosts are in their ASCII form.
_IS_PLAIN = re.compile(r"[!-~]+")
# So many deliveries in a row have failed: an orchestrator that moved should be asked for its place.
LOST_AFTER_FAILURES = 5


@dataclass(frozen=True, slots=True)
class _Known:
    """What outlives the process.

    `configured` is what was configured at that time, `registered_as` what was told there, as JSON.
    """

    url: str | None = None
    configured: str | None = None
    registered_as: str | None = None


class Orchestrator:
    """Its URL is the configured one, until the orchestrator itself says another (`POST /register`).

    Kept in `file`, so that a restarted servient goes on with an orchestrator that knows it.
    """

    def __init__(
        self,
        file: Path,
        configured: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._file = file
        self._clock = clock
        self._configured = parse_orchestrator_url(configured) if configured else None
        self._known = _load(file)
        if self._configured and self._configured != self._known.configured:
            self._known = _Known(self._configured, self._configured)
        self._checked_at: float | None = None
        self._failures = 0

    @property
    def url(self) -> str | None:
        """Without a slash at its end."""
        return self._known.url

    @property
    def configured_url(self) -> str | None:
        """The one to register with; others have found us themselves."""
        return self._configured

    @property
    def is_set(self) -> bool:
        """False asks the orchestrator that checks our health to say where it is."""
        return self.url is not None and self._failures < LOST_AFTER_FAILURES

    def set(self, url: str) -> None:
        """What the orchestrator says. Raises InvalidInput for what is not a URL of HTTP."""
        parsed = parse_orchestrator_url(url)
        self._failures = 0
        if parsed != self.url:
            self._keep(replace(self._known, url=parsed))
            logger.info("the orchestrator is at %s", without_credentials(parsed))

    def delivered(self, is_taken: bool) -> None:
        """Whether it took what was sent to it."""
        self._failures = 0 if is_taken else self._failures + 1

    # Registration

    def is_registered(self, registration: str) -> bool:
        """Whether it was told exactly this, be it before a restart."""
        return self._known.registered_as == registration

    def registered(self, registration: str) -> None:
        self._keep(replace(self._known, registered_as=registration))

    def health_checked(self) -> None:
        self._checked_at = self._clock()

    def seconds_since_health_check(self) -> float:
        """Infinite before the first."""
        return float("inf") if self._checked_at is None else self._clock() - self._checked_at

    def _keep(self, known: _Known) -> None:
        self._known = known
        try:
            _save(self._file, known)
        except OSError as error:
            logger.warning("%s cannot be written: %s", self._file, error.strerror)


def _load(file: Path) -> _Known:
    try:
        document = parse_json(file.read_bytes())
        known = _Known(**document)
        return replace(known, url=parse_orchestrator_url(known.url)) if known.url else known
    except FileNotFoundError:
        return _Known()
    except (OSError, ValueError, TypeError, InvalidInput) as error:
        logger.warning("%s is left aside: %s", file, error)
        return _Known()


def _save(file: Path, known: _Known) -> None:
    """Atomic: a reader finds the earlier file or the new one. Only we may read it."""
    new = file.with_name(f"{file.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        json.dump(asdict(known), stream)
    new.replace(file)


def parse_orchestrator_url(text: object) -> str:
    """An absolute URL of HTTP to which paths can be appended. Raises InvalidInput."""
    if not isinstance(text, str) or len(text) > URL_LIMIT or not _IS_PLAIN.fullmatch(text):
        raise InvalidInput("the orchestrator's url is given as http[s]://host[:port]")
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError as error:
        raise InvalidInput(f"the orchestrator's url cannot be read: {error}") from error
    if url.scheme not in ("http", "https") or not url.hostname or port == 0:
        raise InvalidInput("the orchestrator's url is given as http[s]://host[:port]")
    return f"{url.scheme}://{url.netloc}{url.path.rstrip('/')}"


def without_credentials(url: str) -> str:
    """A URL as it may stand in a log."""
    scheme, _, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}"
