"""Somebody else who says who may come in."""

from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from servient.config.addresses import is_loopback
from servient.config.section import Entry


class IssuerSettings(Entry):
    """Somebody else who gives out JWTs: what they have to say, and the most that they may allow."""

    issuer: str = Field(min_length=1)
    audience: str = Field(min_length=1)
    jwks_url: str | None = None
    key_file: Path | None = None
    algorithms: tuple[str, ...] = ("RS256", "ES256")
    scopes: tuple[Literal["read", "invoke", "deploy", "admin"], ...] = ("read", "invoke")
    scope_prefix: str = ""
    things_claim: str | None = None
    leeway_seconds: float = Field(30.0, ge=0, le=300)

    @model_validator(mode="after")
    def _has_one_key(self) -> Self:
        if (self.jwks_url is None) == (self.key_file is None):
            raise ValueError("an issuer has either jwks_url or key_file")
        url = urlsplit(self.jwks_url or "https://none")
        is_own = url.scheme == "http" and is_loopback(url.hostname or "")
        if not url.hostname or not (url.scheme == "https" or is_own):
            raise ValueError("jwks_url is an address of https")
        return self
