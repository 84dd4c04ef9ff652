"""The principals of the tests, and what they show."""

import base64
from typing import Any

from servient.security.secrets import hash_password, hash_token

TOKENS = {name: f"token-of-{name}-0123456789" for name in ("reader", "caller", "deployer", "admin")}
SCOPES = {"reader": ["read"], "caller": ["invoke"], "deployer": ["deploy"], "admin": ["admin"]}
KEY = "key-of-elsewhere-0123456789"
PASSWORD = "secret"

# One for each scope, one for another Thing, and one with a password.
PRINCIPALS: list[dict[str, Any]] = [
    {"name": name, "scopes": scopes, "token_sha256": hash_token(TOKENS[name])}
    for name, scopes in SCOPES.items()
] + [
    {
        "name": "elsewhere",
        "scopes": ["admin"],
        "things": "other:*",
        "api_key_sha256": hash_token(KEY),
    },
    {"name": "bob", "scopes": ["read"], "password_argon2": hash_password(PASSWORD)},
]


def bearer(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {TOKENS[name]}"}


def basic(name: str, password: str) -> dict[str, str]:
    text = base64.b64encode(f"{name}:{password}".encode()).decode()
    return {"Authorization": f"Basic {text}"}


def subprotocol(token: str) -> str:
    """A token as a browser shows it in the handshake of a WebSocket."""
    return "bearer." + base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")
