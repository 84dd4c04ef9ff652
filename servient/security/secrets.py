"""Secrets as they are kept: never as they are used."""

import hashlib
import hmac
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

TOKEN_BYTES = 32


def make_token() -> str:
    """A random token: 256 bits, in letters that a URL and a header can carry."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def hash_token(token: str) -> str:
    """How a token or an API key is kept. One hash is enough: it has too many bits to be guessed."""
    return hashlib.sha256(token.encode()).hexdigest()


def hash_password(password: str) -> str:
    """How a password is kept: argon2id with the library's present parameters."""
    return PasswordHasher().hash(password)


def is_password(password: str, kept: str) -> bool:
    """Takes tens of milliseconds on purpose: not for the event loop."""
    try:
        return PasswordHasher().verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False


def is_same(one: str, other: str) -> bool:
    """Compared in a time that says nothing about where they differ."""
    return hmac.compare_digest(one.encode(), other.encode())
