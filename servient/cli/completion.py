"""What the shell offers to complete: names that the servient knows, if it answers at once."""

import asyncio
import os
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import typer

from servient.cli.access import Access, to_access
from servient.cli.output import to_line

SECONDS = 1.0


def complete_thing(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Names of Things, with their titles; a part of one where that is enough.

    To bash, a colon ends a word: a name with one could not be followed by anything.
    """
    from servient.cli.found_thing import name_of  # noqa: PLC0415 - only a shell asks for it

    titles = {name_of(td) or "": to_line(str(td.get("title", ""))) for td in _things(context)}
    count = Counter(part for name in titles for part in set(name.split(":")))
    found = []
    for name, title in titles.items():
        short = [part for part in reversed(name.split(":")) if count[part] == 1]
        fitting = (each for each in (*short, name) if each and each.startswith(incomplete))
        found += [(each, title) for each in islice(fitting, 1)]
    return found


def complete_action(context: typer.Context, incomplete: str) -> list[str]:
    return _affordances(context, "actions", incomplete)


def complete_property(context: typer.Context, incomplete: str) -> list[str]:
    return _affordances(context, "properties", incomplete)


def complete_event_or_property(context: typer.Context, incomplete: str) -> list[str]:
    kind = "events" if context.params.get("event") else "properties"
    return _affordances(context, kind, incomplete)


def complete_deployment(context: typer.Context, incomplete: str) -> list[str]:
    found = {str(td.get("wasm:deployment", "")) for td in _things(context)}
    return sorted(name for name in found if name and name.startswith(incomplete))


def complete_input(context: typer.Context, incomplete: str) -> list[str]:
    """The members of an action's input, as `name=`."""
    td = _thing(context)
    action = _member(_member(td, "actions"), str(context.params.get("action")))
    members = _member(_member(action, "input"), "properties")
    given = {word.partition("=")[0] for word in context.params.get("words") or ()}
    return [f"{m}=" for m in members if m.startswith(incomplete) and m not in given]


def _affordances(context: typer.Context, kind: str, incomplete: str) -> list[str]:
    return [name for name in _member(_thing(context), kind) if name.startswith(incomplete)]


def _member(value: Any, name: str) -> dict[str, Any]:
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def _things(context: typer.Context) -> list[dict[str, Any]]:
    from servient.cli.remote import Remote  # noqa: PLC0415 - only a shell asks for it

    async def ask() -> list[dict[str, Any]]:
        async with Remote(_access(context)) as remote:
            return await remote.things()

    return _at_once(ask()) or []


def _thing(context: typer.Context) -> dict[str, Any]:
    from servient.cli.found_thing import find_thing  # noqa: PLC0415 - likewise
    from servient.cli.remote import Remote  # noqa: PLC0415 - likewise

    access = _access(context)

    async def ask() -> dict[str, Any]:
        async with Remote(access) as remote:
            return (await find_thing(remote, access, str(context.params.get("thing")))).td

    return _at_once(ask()) or {}


def _at_once(work: Any) -> Any:
    """What can be had within a second. Whatever goes wrong, a shell must see nothing of it."""

    async def bounded() -> Any:
        async with asyncio.timeout(SECONDS):
            return await work

    try:
        return asyncio.run(bounded())
    except Exception:  # noqa: BLE001 - there is nobody to tell
        return None


def _access(context: typer.Context) -> Access:
    def given(name: str) -> str | None:
        return context.params.get(name) or os.environ.get(f"WASM_SERVIENT_{name.upper()}") or None

    ca = given("ca")
    place = Path(ca) if ca else None
    return to_access(given("url"), given("token"), given("user"), place, SECONDS)
