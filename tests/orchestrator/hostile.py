"""Texts by which a stranger tries to get out of the folders that are meant for them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

SECRET = "the secret of the decoy"
UNUSUAL = (
    "..",
    ".",
    "",
    " ",
    "a\0b",
    "secret.txt\0.jpeg",
    "..\\..\\secret.txt",
    "C:\\secret.txt",
    "../secret.txt",
    "../../secret.txt",
    "../../../secret.txt",
    "....//....//secret.txt",
    "./././../secret.txt",
    "a/../../secret.txt",
    "~/secret.txt",
    "$(touch secret.txt)",
    "/etc/passwd",
    "//etc/passwd",
    "../" * 40 + "etc/passwd",
    "file:///etc/passwd",
    "..%2fsecret.txt",
    "%2e%2e%2f%2e%2e%2fsecret.txt",
    "%252e%252e%252fsecret.txt",
    "%c0%ae%c0%ae%c0%afsecret.txt",
    "..%00/secret.txt",
    "\uff0e\uff0e\uff0fsecret.txt",
    "\u202etxt.terces",
    "ünïcödé",
    "e\u0301",
    "\ud800",
    "line\nbreak",
    "\x1b[2J",
    "a:b",
    "+",
    "#",
    "?x=1",
    "-rf",
    "__proto__",
    "x" * 300,
    "x" * 5000,
    "../" * 2000,
)


@dataclass(frozen=True, slots=True)
class Decoy:
    """A tree beside the servient's own folder that nobody has any business in.

    `link` is a symbolic link in the servient's folder that leads to it.
    """

    folder: Path
    link: Path

    @classmethod
    def plant(cls, parent: Path, instance_path: Path) -> "Decoy":
        folder = parent / "decoy"
        (folder / "inner").mkdir(parents=True)
        for path in (parent, folder, folder / "inner"):
            (path / "secret.txt").write_text(SECRET)
        link = instance_path / "link"
        link.symlink_to(folder)
        return cls(folder, link)

    def texts(self) -> tuple[str, ...]:
        """What is tried: also the absolute path, and the way through the link."""
        secret = self.folder / "secret.txt"
        planted = (str(secret), f"/{secret}", f"file://{secret}", str(self.link / "secret.txt"))
        return (*UNUSUAL, *planted, "../link/secret.txt", "link/secret.txt")


def snapshot(*parents: Path) -> dict[str, bytes | str | None]:
    """Everything below some folders by its path: contents of files, targets of links."""
    found: dict[str, bytes | str | None] = {}
    for parent in parents:
        for path in sorted(parent.rglob("*")):
            if path.is_symlink():
                found[str(path)] = str(path.readlink())
            else:
                found[str(path)] = path.read_bytes() if path.is_file() else None
    return found


def leaks(body: bytes) -> bool:
    """Whether an answer carries something that it can only have from outside."""
    return SECRET.encode() in body or b"root:" in body


Place = tuple[str | int, ...]


def places_in(document: Any, place: Place = ()) -> Iterator[tuple[Place, bool]]:
    """Where texts stand in a document; True where it is the name of a member."""
    match document:
        case dict():
            for name, member in document.items():
                yield (*place, name), True
                yield from places_in(member, (*place, name))
        case list():
            for index, element in enumerate(document):
                yield from places_in(element, (*place, index))
        case str():
            yield place, False


def replaced(document: Any, place: Place, text: str, is_name: bool) -> Any:
    """A copy of the document with another text at a place."""
    if not place:
        return text
    step, *rest = place
    if isinstance(document, list):
        changed = list(document)
        changed[int(step)] = replaced(document[int(step)], tuple(rest), text, is_name)
        return changed
    if not rest and is_name:
        return {(text if name == step else name): member for name, member in document.items()}
    return {
        name: replaced(member, tuple(rest), text, is_name) if name == step else member
        for name, member in document.items()
    }


def replaced_everywhere(document: Any, name: str, text: str) -> Any:
    """A copy in which a name is another one wherever it stands, in paths too.

    Not in URLs: what is at the end of those shall be found.
    """
    match document:
        case dict():
            return {
                (text if key == name else key): replaced_everywhere(member, name, text)
                for key, member in document.items()
            }
        case list():
            return [replaced_everywhere(element, name, text) for element in document]
        case str() if document == name:
            return text
        case str() if "://" not in document and name in document.split("/"):
            return "/".join(text if part == name else part for part in document.split("/"))
    return document


def spelled(text: str) -> list[str]:
    """A text as part of a request's target: as it is where it can be, encoded, and encoded twice."""
    once = quote(text.encode("utf-8", "surrogatepass"), safe="")
    raw = [text] if text.isascii() and text.isprintable() and " " not in text else []
    return [*raw, once, once.replace("%", "%25")]


def to_json(document: Any) -> bytes:
    """Also what is no Unicode: JSON has an escape for it."""
    return json.dumps(document).encode()
