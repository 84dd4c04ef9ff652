"""Secrets as they are kept: never as they are used."""

import hashlib
import hmac
import secrets
from base64 import b64encode

TOKEN_BYTES = 32
MOSQUITTO_ROUNDS = 101


def make_token() -> str:
    """A random token: 256 bits, in letters that a URL and a header can carry."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def hash_token(token: str) -> str:
    """How a token or an API key is kept. One hash is enough: it has too many bits to be guessed."""
    return hashlib.sha256(token.encode()).hexdigest()


def hash_password(password: str) -> str:
    """How a password is kept: argon2id with the library's present parameters."""
    # Here and below, since a servient without passwords starts sooner without the library.
    from argon2 import PasswordHasher  # noqa: PLC0415

    return PasswordHasher().hash(password)


def is_password(password: str, kept: str) -> bool:
    """Takes tens of milliseconds on purpose: not for the event loop."""
    from argon2 import PasswordHasher  # noqa: PLC0415
    from argon2.exceptions import InvalidHashError, VerificationError  # noqa: PLC0415

    try:
        return PasswordHasher().verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False


def hash_for_mosquitto(password: str) -> str:
    """As `mosquitto_passwd` does, with as few rounds: for random passwords, which nobody guesses.

    The broker does nothing else while it computes one.
    """
    salt = secrets.token_bytes(12)
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, MOSQUITTO_ROUNDS)
    return f"$7${MOSQUITTO_ROUNDS}${b64encode(salt).decode()}${b64encode(key).decode()}"


def is_same(one: str, other: str) -> bool:
    """Compared in a time that says nothing about where they differ."""
    return hmac.compare_digest(one.encode(), other.encode())
