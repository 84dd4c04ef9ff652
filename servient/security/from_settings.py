"""Accounts from the settings of principals."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

from servient.security.accounts import Account, Accounts
from servient.wot.access import Grant, Principal, Scope


class PrincipalSettings(Protocol):
    """What is configured of one principal."""

    @property
    def name(self) -> str: ...
    @property
    def scopes(self) -> Sequence[str]: ...
    @property
    def things(self) -> str: ...
    @property
    def token_sha256(self) -> str | None: ...
    @property
    def api_key_sha256(self) -> str | None: ...
    @property
    def password_argon2(self) -> str | None: ...
    @property
    def mqtt_password(self) -> str | None: ...
    @property
    def oscore(self) -> Path | None: ...


def to_principal(settings: PrincipalSettings) -> Principal:
    grant = Grant(frozenset(map(Scope, settings.scopes)), settings.things)
    return Principal(settings.name, (grant,))


def to_accounts(settings: Iterable[PrincipalSettings]) -> Accounts:
    """Raises ValueError, naming the principal."""
    return Accounts(
        Account(
            to_principal(each),
            each.token_sha256,
            each.api_key_sha256,
            each.password_argon2,
            each.mqtt_password,
            each.oscore,
        )
        for each in settings
    )
