"""Which servient a command talks to, and what it shows there."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from servient.cli.output import CommandFailed, ExitCode
from servient.cli.profile import Servient, load_profile

DEFAULT_URL = "http://127.0.0.1:5000"
ANSWER_SECONDS = 120.0
URL_LIMIT_CHARS = 2048


@dataclass(frozen=True, slots=True)
class Access:
    """`url` has no slash at its end. The token is for its origin, and for no other one."""

    url: str
    token: str | None = field(default=None, repr=False)
    user: str | None = None
    ca: Path | None = None
    seconds: float = ANSWER_SECONDS

    def includes(self, url: str) -> bool:
        """Whether a URL is of this servient, so that it may see the token."""
        return _origin(url) == _origin(self.url)

    def tls(self) -> ssl.SSLContext:
        """Whom to trust. Raises CommandFailed."""
        context = ssl.create_default_context()
        if self.ca is not None:
            try:
                context.load_verify_locations(self.ca)
            except (OSError, ssl.SSLError) as error:
                reason = error.strerror or "it holds no certificate in PEM"
                raise CommandFailed(f"--ca {self.ca}: {reason}", ExitCode.USAGE) from error
        return context


def parse_url(text: str) -> str:
    """The URL of a servient without a slash at its end. Raises CommandFailed."""
    problem = CommandFailed(
        f"--url {text[:100]!r} is no URL of a servient, such as http://127.0.0.1:5000",
        ExitCode.USAGE,
    )
    if len(text) > URL_LIMIT_CHARS or not text.isprintable() or " " in text:
        raise problem
    try:
        parts = urlsplit(text)
        is_usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError as error:
        raise problem from error
    if not is_usable or parts.query or parts.fragment:
        raise problem
    if parts.username is not None:
        raise CommandFailed("--url must not hold credentials: give them as --token", ExitCode.USAGE)
    return text.rstrip("/")


def to_access(
    url: str | None, token: str | None, user: str | None, ca: Path | None, seconds: float
) -> Access:
    """What is given, else what is kept about the servient. Raises CommandFailed."""
    profile = load_profile()
    address = parse_url(profile.url or DEFAULT_URL if url is None else url)
    kept = profile.servients.get(address, Servient())
    own = parse_token(token) or parse_token(kept.token)
    return Access(address, own, user or kept.user, ca or kept.ca, seconds)


def parse_token(text: str | None) -> str | None:
    """Raises CommandFailed, in whose words the token is not."""
    token = (text or "").strip()
    if not (token.isascii() and token.isprintable()):
        raise CommandFailed("a token has only characters of ASCII", ExitCode.USAGE)
    return token or None


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    return (
        parts.scheme,
        parts.hostname or "",
        parts.port or {"http": 80, "https": 443}.get(parts.scheme),
    )
