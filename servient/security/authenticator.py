"""Checks credentials: who is it that shows them?"""

import asyncio
import hashlib
import logging
import secrets
import time
from collections import OrderedDict
from typing import Protocol

from servient.errors import Unauthorized
from servient.security.accounts import Accounts, Scheme
from servient.security.credentials import ApiKey, Basic, Bearer, Credentials
from servient.security.failures import Failures
from servient.security.orchestrator_address import OrchestratorAddress
from servient.security.secrets import hash_password, hash_token, is_password
from servient.wot.access import Principal

logger = logging.getLogger(__name__)

# So long a password that was right is known to be, by a hash that this process alone can make.
REMEMBERED_SECONDS = 300.0
REMEMBERED_LIMIT = 1000
PASSWORD_LIMIT = 1024


class TokenIssuer(Protocol):
    """Somebody else who gives out tokens, such as an OpenID provider."""

    async def principal(self, token: str) -> Principal | None:
        """Whose token it is; None when it is not one of theirs. Raises Unauthorized when it is bad."""
        ...


class Authenticator:
    """One for all bindings, so that failures on one wire count on the others."""

    def __init__(
        self,
        accounts: Accounts,
        issuers: tuple[TokenIssuer, ...] = (),
        failures: Failures | None = None,
    ) -> None:
        self._accounts = accounts
        self._issuers = issuers
        self._failures = failures or Failures()
        self.orchestrator: OrchestratorAddress | None = None
        self._key = secrets.token_bytes(32)
        self._known: OrderedDict[bytes, float] = OrderedDict()
        self._checking = asyncio.Semaphore(2)  # argon2 takes 64 MiB and a core each
        self._nobody = hash_password(secrets.token_hex(16))

    @property
    def schemes(self) -> frozenset[Scheme]:
        """What it can check."""
        return self._accounts.schemes | ({Scheme.BEARER} if self._issuers else frozenset())

    async def authenticate(self, credentials: Credentials, address: str) -> Principal:
        """The principal. Raises Unauthorized, and TooManyRequests after too many failures."""
        self._failures.require_patience(address)
        try:
            principal = await self._find(credentials)
        except Unauthorized:
            self._fail(credentials, address)
            raise
        if principal is None:
            self._fail(credentials, address)
            raise Unauthorized("the credentials are not right")
        self._failures.forgive(address)
        return principal

    async def guest(self, address: str) -> Principal | None:
        """Who comes without credentials: nobody, unless it is the orchestrator and that is enough."""
        return await self.orchestrator.principal(address) if self.orchestrator else None

    def _fail(self, credentials: Credentials, address: str) -> None:
        self._failures.add(address)
        logger.warning("wrong credentials (%s) from %s", type(credentials).__name__, address)

    async def _find(self, credentials: Credentials) -> Principal | None:
        match credentials:
            case Bearer(token):
                return self._by_token(Scheme.BEARER, token) or await self._issued(token)
            case ApiKey(key):
                return self._by_token(Scheme.API_KEY, key)
            case Basic():
                return await self._by_password(credentials)

    def _by_token(self, scheme: Scheme, token: str) -> Principal | None:
        account = self._accounts.by_digest(scheme, hash_token(token))
        return account.principal if account else None

    async def _issued(self, token: str) -> Principal | None:
        for issuer in self._issuers:
            if (principal := await issuer.principal(token)) is not None:
                return principal
        return None

    async def _by_password(self, credentials: Basic) -> Principal | None:
        account = self._accounts.by_name(credentials.name)
        kept = account.password_argon2 if account else None
        # A name that is not there takes as long as one that is.
        is_right = await self._is_right(credentials.password, kept or self._nobody)
        return account.principal if account and kept and is_right else None

    async def _is_right(self, password: str, kept: str) -> bool:
        if len(password) > PASSWORD_LIMIT:
            return False
        mark = hashlib.blake2b(f"{kept}\0{password}".encode(), key=self._key).digest()
        if self._known.get(mark, 0.0) > time.monotonic():
            return True
        async with self._checking:
            is_right = await asyncio.to_thread(is_password, password, kept)
        if is_right:
            self._known[mark] = time.monotonic() + REMEMBERED_SECONDS
            while len(self._known) > REMEMBERED_LIMIT:
                self._known.popitem(last=False)
        return is_right
