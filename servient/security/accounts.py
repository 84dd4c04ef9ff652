"""The principals that are configured, with what their credentials are checked against."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from servient.wot.access import Principal

_DIGEST = re.compile(r"[0-9a-f]{64}")


class Scheme(StrEnum):
    """The security schemes of TD 1.1 (section 5.3.3) that requests over HTTP can be made by."""

    BEARER = "bearer"
    BASIC = "basic"
    API_KEY = "apikey"


@dataclass(frozen=True, slots=True)
class Account:
    """A principal and the hashes of its credentials, one for each scheme that it may use.

    `mqtt_password` is a hash of mosquitto's, and `oscore` a folder with a security context for CoAP:
    these are not shown in requests, but used below them.
    """

    principal: Principal
    token_sha256: str | None = None
    api_key_sha256: str | None = None
    password_argon2: str | None = None
    mqtt_password: str | None = None
    oscore: Path | None = None

    def schemes(self) -> frozenset[Scheme]:
        kept = {
            Scheme.BEARER: self.token_sha256,
            Scheme.API_KEY: self.api_key_sha256,
            Scheme.BASIC: self.password_argon2,
        }
        return frozenset(scheme for scheme, secret in kept.items() if secret is not None)


class Accounts:
    """Looked up by a token's hash or by a name. Raises ValueError for what could never let anybody in."""

    def __init__(self, accounts: Iterable[Account]) -> None:
        self._by_name: dict[str, Account] = {}
        self._by_digest: dict[tuple[Scheme, str], Account] = {}
        for account in accounts:
            self._add(account)
        self.schemes = frozenset(
            scheme for account in self._by_name.values() for scheme in account.schemes()
        )

    def _add(self, account: Account) -> None:
        name = account.principal.name
        if name in self._by_name:
            raise ValueError(f"there are two principals {name!r}")
        if not (account.schemes() or account.mqtt_password or account.oscore):
            raise ValueError(f"principal {name!r} has no credentials")
        self._by_name[name] = account
        for scheme, digest in (
            (Scheme.BEARER, account.token_sha256),
            (Scheme.API_KEY, account.api_key_sha256),
        ):
            if digest is None:
                continue
            if not _DIGEST.fullmatch(digest):
                raise ValueError(f"principal {name!r}: a SHA-256 hash has 64 hexadecimal digits")
            if (scheme, digest) in self._by_digest:
                raise ValueError(f"principal {name!r} has the credentials of another one")
            self._by_digest[scheme, digest] = account

    def __iter__(self) -> Iterator[Account]:
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)

    def by_name(self, name: str) -> Account | None:
        return self._by_name.get(name)

    def by_digest(self, scheme: Scheme, digest: str) -> Account | None:
        """By the hash of a token: to look for a hash tells nothing about the tokens there are."""
        return self._by_digest.get((scheme, digest))
