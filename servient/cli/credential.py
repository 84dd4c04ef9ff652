"""`credential`: a secret for somebody, shown once, and the table to configure, which holds no secret."""

import json
import os
import secrets
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from servient.cli.output import fail

OSCORE_SECRET_BYTES = 16
OSCORE_SALT_BYTES = 8
OSCORE_ID_BYTES = 4


class Kind(StrEnum):
    TOKEN = "token"  # noqa: S105 - a word of the command line
    PASSWORD = "password"  # noqa: S105 - likewise
    API_KEY = "api-key"
    OSCORE = "oscore"


def credential(
    name: Annotated[str, typer.Argument(help="Who it is for.")],
    scope: Annotated[
        list[str], typer.Option(help="What they may: read, invoke, deploy, admin; once for each.")
    ],
    things: Annotated[str, typer.Option(help="The Things, as a pattern of names.")] = "*",
    kind: Annotated[Kind, typer.Option(help="What they show.")] = Kind.TOKEN,
    folder: Annotated[
        Path | None, typer.Option(help="For oscore: where the servient keeps its side of it.")
    ] = None,
) -> None:
    """Make a credential. The table for the TOML file goes to the output, the secret beside it."""
    # Here, since they import the settings: other commands answer without them.
    from pydantic import ValidationError  # noqa: PLC0415

    from servient.config import PrincipalSettings  # noqa: PLC0415

    if (kind is Kind.OSCORE) != (folder is not None):
        fail("--kind oscore and --folder go together", code=2)
    try:
        table = {"name": name, "scopes": scope, "things": things}
        PrincipalSettings(**table)  # type: ignore[arg-type] # checked by it
    except ValidationError as error:
        first = error.errors()[0]
        fail(f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}", code=2)
    if folder is not None:
        secret, kept = _make_context(folder)
    else:
        secret, kept = _MAKE[kind]()
    typer.echo("[[principals]]")
    for key, value in {**table, **kept}.items():
        typer.echo(f"{key} = {json.dumps(value)}")  # these are the same in TOML
    typer.echo(f"The {kind.value} of {name}, shown only now:\n{secret}", err=True)


def _make_token() -> tuple[str, dict[str, str]]:
    """It is the password over MQTT, too."""
    from servient.security.secrets import (  # noqa: PLC0415 - few commands need it
        hash_for_mosquitto,
        hash_token,
        make_token,
    )

    secret = make_token()
    return secret, {
        "token_sha256": hash_token(secret),
        "mqtt_password": hash_for_mosquitto(secret),
    }


def _make_password() -> tuple[str, dict[str, str]]:
    from servient.security.secrets import (  # noqa: PLC0415 - few commands need it
        hash_for_mosquitto,
        hash_password,
        make_token,
    )

    secret = make_token()
    return secret, {
        "password_argon2": hash_password(secret),
        "mqtt_password": hash_for_mosquitto(secret),
    }


def _make_key() -> tuple[str, dict[str, str]]:
    from servient.security.secrets import hash_token, make_token  # noqa: PLC0415 - likewise

    secret = make_token()
    return secret, {"api_key_sha256": hash_token(secret)}


_MAKE: dict[Kind, Callable[[], tuple[str, dict[str, str]]]] = {
    Kind.TOKEN: _make_token,
    Kind.PASSWORD: _make_password,
    Kind.API_KEY: _make_key,
}


def _make_context(folder: Path) -> tuple[str, dict[str, str]]:
    """Both sides of a security context: the servient's in a file, the other one to be handed over."""
    own, theirs = "", secrets.token_hex(OSCORE_ID_BYTES)
    shared = {
        "secret_hex": secrets.token_hex(OSCORE_SECRET_BYTES),
        "salt_hex": secrets.token_hex(OSCORE_SALT_BYTES),
    }
    try:
        folder.mkdir(mode=0o700, parents=True)
        file = os.open(folder / "settings.json", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(file, "w") as stream:
            json.dump({"sender-id_hex": own, "recipient-id_hex": theirs, **shared}, stream)
    except OSError as error:
        # Never a second time in one folder: its numbers would be used again with another key's nonces.
        fail(f"{folder}: {error.strerror}")
    client = {"sender-id_hex": theirs, "recipient-id_hex": own, **shared}
    return json.dumps(client), {"oscore": str(folder.absolute())}
