"""What a person keeps for the command line: where servients are, and what to show to each.

url = "https://servient.example:5000"       # for --url

["https://servient.example:5000"]
token = "…"
user = "ann"
ca = "/home/ann/ca.pem"
"""

import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import typer

from servient.cli.output import CommandFailed, ExitCode

FILE = "client.toml"
FILE_LIMIT_BYTES = 2**20
_MEMBERS = frozenset({"token", "user", "ca"})


@dataclass(frozen=True, slots=True)
class Servient:
    """What is kept about one."""

    token: str | None = field(default=None, repr=False)
    user: str | None = None
    ca: Path | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    url: str | None = None
    servients: Mapping[str, Servient] = field(default_factory=dict)


def load_profile() -> Profile:
    """The file in the folder for settings, where there is one. Raises CommandFailed."""
    path = Path(typer.get_app_dir("wasm-servient")) / FILE
    try:
        mode = path.stat().st_mode
        with path.open("rb") as file:
            text = file.read(FILE_LIMIT_BYTES).decode()
        document = tomllib.loads(text)
    except FileNotFoundError:
        return Profile()
    except OSError as error:
        raise _fault(path, error.strerror or "it cannot be read") from error
    except ValueError as error:
        raise _fault(path, f"it is not TOML: {error}") from error
    profile = _parse(path, document)
    has_secrets = any(each.token for each in profile.servients.values())
    if has_secrets and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise _fault(path, f"others may read the tokens in it: chmod 600 {path}")
    return profile


def _parse(path: Path, document: Mapping[str, Any]) -> Profile:
    servients = {}
    for name, member in document.items():
        if name == "url":
            continue
        if not isinstance(member, dict) or member.keys() - _MEMBERS:
            raise _fault(path, f"{name!r} is neither `url` nor a table of token, user and ca")
        if not all(isinstance(each, str) for each in member.values()):
            raise _fault(path, f"{name!r}: token, user and ca are texts")
        ca = Path(member["ca"]).expanduser() if "ca" in member else None
        servients[name.rstrip("/")] = Servient(member.get("token"), member.get("user"), ca)
    url = document.get("url")
    if url is not None and not isinstance(url, str):
        raise _fault(path, "`url` is a text")
    return Profile(url, servients)


def _fault(path: Path, reason: str) -> CommandFailed:
    return CommandFailed(f"{path}: {reason}", ExitCode.USAGE)
