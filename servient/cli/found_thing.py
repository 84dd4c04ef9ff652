"""The Thing that a command is about, found by whatever name it was given."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from converters.errors import ConversionError
from servient.cli.access import Access
from servient.cli.documents import read_file
from servient.cli.output import CommandFailed, ExitCode, to_line
from servient.cli.refusals import refusal
from servient.cli.remote import Remote, Td

NAMES_SHOWN = 10
_KINDS = {"properties": "property", "actions": "action", "events": "event"}


@dataclass(frozen=True, slots=True)
class FoundThing:
    """`is_own` means that the servient itself describes it, which may be shown its token."""

    td: Td
    is_own: bool

    @property
    def label(self) -> str:
        return to_line(name_of(self.td) or str(self.td.get("title", "the Thing")))[:200]

    def affordance(self, kind: str, name: str) -> Mapping[str, Any]:
        """Raises CommandFailed, which says what there is instead."""
        members = self.td.get(kind)
        members = members if isinstance(members, dict) else {}
        if isinstance(found := members.get(name), dict):
            return found
        offered = ", ".join(_closest(name, members)) or "none"
        raise CommandFailed(f"{self.label} has no {_KINDS[kind]} {name!r}; it has: {offered}")


async def find_thing(remote: Remote, access: Access, name: str) -> FoundThing:
    """By its name, id or title, a part of its name, or the URL or file of its description."""
    if "://" in name:
        return await _by_url(remote, access, name)
    if (file := _file(name)) is not None:
        return FoundThing(_read(file), is_own=False)
    td = await remote.td(name) if name.isprintable() and name else None
    if td is None:
        td = _only_one(name, await remote.things(), access.url)
    return FoundThing(td, is_own=True)


async def _by_url(remote: Remote, access: Access, url: str) -> FoundThing:
    if url.startswith("coap:"):
        # Here, since few want it and it imports a good deal.
        from servient.cli.consumer import read_url  # noqa: PLC0415

        return FoundThing(_checked(await read_url(url, access), url), is_own=False)
    response = await remote.send("GET", url, headers={"Accept": "application/td+json, */*;q=0.5"})
    if not response.is_success:
        raise refusal(response.status_code, {"detail": f"{url} answers {response.status_code}"})
    try:
        document = json.loads(response.content)
    except (ValueError, RecursionError) as error:
        raise CommandFailed(f"{url} is no Thing Description: it is not JSON") from error
    return FoundThing(_checked(document, url), is_own=access.includes(url))


def _file(name: str) -> Path | None:
    path = Path(name)
    return path if path.suffix in (".json", ".jsonld") and path.is_file() else None


def _read(path: Path) -> Td:
    try:
        return _checked(json.loads(read_file(path)), str(path))
    except (ConversionError, ValueError, RecursionError) as error:
        message = f"{path} is no Thing Description: {error}"
        raise CommandFailed(message, ExitCode.USAGE) from error


def _checked(document: Any, source: str) -> Td:
    if not isinstance(document, dict) or not isinstance(document.get("title"), str):
        raise CommandFailed(f"{source} is no Thing Description: it has no title")
    return document


def name_of(td: Mapping[str, Any]) -> str | None:
    """A Thing's name in the paths of a servient, which all its forms have."""
    for form in forms_of(td):
        match _path(str(form.get("href", ""))).split("/"):
            case ["", "things", name, *_]:
                return unquote(name)
    return None


def _path(href: str) -> str:
    try:
        return urlsplit(href).path
    except ValueError:
        return ""


def forms_of(td: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    """Every form of a Thing and its affordances, of a description that may be malformed."""
    affordances = [
        each for kind in _KINDS if isinstance(td.get(kind), dict) for each in td[kind].values()
    ]
    for holder in (*affordances, td):
        yield from forms_in(holder)


def forms_in(holder: Any) -> list[Mapping[str, Any]]:
    """The forms of one affordance, or those of a Thing as a whole."""
    forms = holder.get("forms") if isinstance(holder, dict) else None
    return [each for each in forms if isinstance(each, dict)] if isinstance(forms, list) else []


def _only_one(name: str, things: list[Td], url: str) -> Td:
    """The Thing of this id, title or name; else the only one with it as a part of its name."""
    wanted = name.casefold()
    named = [(name_of(td) or "", td) for td in things]
    exact = [td for own, td in named if wanted in _calls(td, own)]
    found = exact or [td for own, td in named if wanted in own.casefold().split(":")]
    if len(found) == 1:
        return found[0]
    if found:
        shown = ", ".join(name_of(td) or str(td.get("id")) for td in found[:NAMES_SHOWN])
        raise CommandFailed(f"{name!r} may be any of {shown}: name one of these", ExitCode.USAGE)
    offered = ", ".join(_closest(name, [own for own, _ in named if own])) or "none"
    raise CommandFailed(f"no Thing {name!r} at {url}; there are: {offered}")


def _calls(td: Td, name: str) -> set[str]:
    return {str(each).casefold() for each in (td.get("id"), td.get("title"), name)}


def _closest(name: str, offered: Iterable[str]) -> list[str]:
    """Those that look alike first, and not all of many."""
    names = list(offered)
    alike = get_close_matches(name, names, n=3)
    return [*alike, *(each for each in names if each not in alike)][:NAMES_SHOWN]
