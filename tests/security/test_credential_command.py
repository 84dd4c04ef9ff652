"""`wasm-servient credential`: what it prints is what lets somebody in, and only that."""

import json
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from servient.cli.program import cli
from servient.config import load_config
from servient.entrance import Entrance
from servient.errors import Unauthorized
from servient.security.credentials import ApiKey, Basic, Bearer, Credentials


def run(*arguments: str) -> tuple[str, str]:
    result = CliRunner().invoke(cli, ["credential", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout, result.stderr.splitlines()[-1]


@pytest.mark.parametrize("kind", ["token", "password", "api-key"])
async def test_a_credential_is_right_once_it_is_configured(tmp_path: Path, kind: str) -> None:
    table, secret = run(
        "ann", "--scope", "read", "--scope", "invoke", "--things", "d:*", "--kind", kind
    )
    assert secret not in table
    file = tmp_path / "servient.toml"
    file.write_text('bindings = ["http"]\n' + table)
    authenticator = Entrance(load_config(file)).authenticator()
    assert authenticator is not None
    shown: dict[str, Credentials] = {
        "token": Bearer(secret),
        "password": Basic("ann", secret),
        "api-key": ApiKey(secret),
    }
    found = await authenticator.authenticate(shown[kind], "here")
    assert (found.name, found.grants[0].things, len(found.grants[0].scopes)) == ("ann", "d:*", 2)
    for other in set(shown) - {kind}:
        with pytest.raises(Unauthorized):
            await authenticator.authenticate(shown[other], "here")


def test_a_security_context_has_two_sides(tmp_path: Path) -> None:
    folder = tmp_path / "ann"
    table, secret = run("ann", "--scope", "read", "--kind", "oscore", "--folder", str(folder))
    (principal,) = tomllib.loads(table)["principals"]
    assert principal["oscore"] == str(folder)
    settings = folder / "settings.json"
    assert settings.stat().st_mode & 0o077 == 0
    own, theirs = json.loads(settings.read_text()), json.loads(secret)
    assert own["recipient-id_hex"] == theirs["sender-id_hex"] != own["sender-id_hex"]
    assert own["secret_hex"] == theirs["secret_hex"]
    again = ["credential", "ann", "--scope", "read", "--kind", "oscore", "--folder", str(folder)]
    assert CliRunner().invoke(cli, again).exit_code == 1
    assert json.loads(settings.read_text()) == own


@pytest.mark.parametrize(
    "arguments",
    [
        ["ann"],
        ["ann", "--scope", "everything"],
        ["a/b", "--scope", "read"],
        ["ann", "--scope", "read", "--kind", "oscore"],
        ["ann", "--scope", "read", "--folder", "x"],
        ["ann", "--scope", "read", "--kind", "nothing"],
    ],
)
def test_what_cannot_be_meant_is_refused(arguments: list[str]) -> None:
    result = CliRunner().invoke(cli, ["credential", *arguments])
    assert result.exit_code == 2
    assert not result.stdout
