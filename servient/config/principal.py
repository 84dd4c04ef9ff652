"""Somebody who may come in."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from servient.config.section import Entry


class PrincipalSettings(Entry):
    """Somebody who may come in: hashes of what they show, and what they may do, on which Things.

    `wasm-servient credential` makes such a table. `things` is a pattern of Things' names.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9_.@-]{1,64}$")
    scopes: tuple[Literal["read", "invoke", "deploy", "admin"], ...] = Field(min_length=1)
    things: str = Field("*", min_length=1, max_length=256)
    token_sha256: str | None = None
    api_key_sha256: str | None = None
    password_argon2: str | None = None
    mqtt_password: str | None = Field(None, pattern=r"^\$7\$[0-9]{1,7}\$[!-9;-~]+\$[!-9;-~]+$")
    oscore: Path | None = None

    @property
    def has_credentials(self) -> bool:
        kept = (self.token_sha256, self.api_key_sha256, self.password_argon2)
        return any((*kept, self.mqtt_password, self.oscore))
