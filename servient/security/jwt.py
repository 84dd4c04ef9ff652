"""Tokens that somebody else gives out: JWTs (RFC 7519), as of an OpenID provider."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import jwt

from servient.errors import Unauthorized
from servient.wot.access import Grant, Principal, Scope

logger = logging.getLogger(__name__)

TOKEN_LIMIT = 8192
NAME_LIMIT = 200
# Signed by a private key: with a shared one, whoever checks tokens could make them.
ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
REQUIRED = ["exp", "iss", "aud", "sub"]


@dataclass(frozen=True, slots=True)
class Terms:
    """What tokens of an issuer have to say, and the most that they can allow.

    Scopes are in the claim `scope`, with `scope_prefix` before them; the claim `things_claim`, if it
    is named, has a pattern of Things' names, or a list of such.
    """

    issuer: str
    audience: str
    algorithms: tuple[str, ...]
    scopes: frozenset[Scope]
    scope_prefix: str = ""
    things_claim: str | None = None
    leeway_seconds: float = 30.0

    def __post_init__(self) -> None:
        """Raises ValueError for an algorithm that proves nothing."""
        if not self.algorithms or not ALGORITHMS.issuperset(self.algorithms):
            raise ValueError(f"algorithms are some of {', '.join(sorted(ALGORITHMS))}")


class Keys(Protocol):
    """The public keys of an issuer."""

    async def find(self, key_id: str | None) -> Any:
        """Raises Unauthorized when there is none, Busy when they cannot be fetched."""
        ...


class JwtIssuer:
    """A TokenIssuer: an authority whose tokens say who comes and what they may do."""

    def __init__(self, terms: Terms, keys: Keys) -> None:
        self._terms = terms
        self._keys = keys

    async def principal(self, token: str) -> Principal | None:
        """None when the token is no JWT of this issuer. Raises Unauthorized when it is bad."""
        if len(token) > TOKEN_LIMIT or token.count(".") != 2:
            return None
        if not self._is_ours(token):
            return None
        try:
            # Before a key is looked for: an unknown one has the issuer's document fetched.
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in self._terms.algorithms:
                raise Unauthorized("the token is not signed by an algorithm that is taken here")
            key = await self._keys.find(header.get("kid"))
            claims = jwt.decode(
                token,
                key,
                algorithms=list(self._terms.algorithms),
                audience=self._terms.audience,
                issuer=self._terms.issuer,
                leeway=self._terms.leeway_seconds,
                options={"require": REQUIRED},
            )
        except jwt.ExpiredSignatureError as error:
            raise Unauthorized("the token has expired") from error
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            logger.info("a token of %s is bad: %s", self._terms.issuer, error)
            raise Unauthorized("the token is not right") from error
        return self._to_principal(claims)

    def _is_ours(self, token: str) -> bool:
        """What the token says of itself, checked afterwards."""
        try:
            claims = jwt.decode(token, options={"verify_signature": False})
        except (jwt.PyJWTError, ValueError, TypeError):
            return False
        return bool(claims.get("iss") == self._terms.issuer)

    def _to_principal(self, claims: Mapping[str, Any]) -> Principal:
        terms = self._terms
        scopes = _scopes(claims.get("scope"), terms.scope_prefix) & terms.scopes
        grants = tuple(Grant(scopes, things) for things in self._things(claims))
        expires_at = float(claims["exp"]) + terms.leeway_seconds
        # Not to be taken for a principal of the configuration, nor of another issuer.
        name = f"{str(claims['sub'])[:NAME_LIMIT]} of {terms.issuer}"
        return Principal(name, grants, expires_at)

    def _things(self, claims: Mapping[str, Any]) -> Sequence[str]:
        """Where a claim is wanted, a token without it is good for nothing."""
        if self._terms.things_claim is None:
            return ("*",)
        claimed = claims.get(self._terms.things_claim)
        patterns = claimed if isinstance(claimed, list) else [claimed]
        return [each for each in patterns if isinstance(each, str) and each]


def _scopes(claim: Any, prefix: str) -> frozenset[Scope]:
    """Of the claim `scope` (RFC 8693 section 4.2), or a list as some providers have it."""
    words = claim.split() if isinstance(claim, str) else claim if isinstance(claim, list) else ()
    known = {f"{prefix}{scope.value}": scope for scope in Scope}
    return frozenset(known[word] for word in words if isinstance(word, str) and word in known)
