"""Invocations that nobody waits for: started over HTTP, looked up and cancelled later."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urljoin

from servient.cli.found_thing import FoundThing
from servient.cli.output import CommandFailed, ExitCode
from servient.cli.remote import Remote
from servient.cli.show import show_json
from servient.clients.http_form import find_forms, for_json
from servient.wot.content import Value, to_json
from servient.wot.operations import AffordanceKind, Operation

PREFERENCE = {"Prefer": "respond-async", "Content-Type": "application/json"}


async def start(
    remote: Remote, thing: FoundThing, action: str, value: Value, *, as_json: bool
) -> None:
    """Begin an action and print which invocation it is. Raises CommandFailed."""
    forms = find_forms(thing.td, AffordanceKind.ACTION, action, Operation.INVOKE_ACTION)
    if not forms:
        raise CommandFailed(f"{thing.label} has no form for {action} over HTTP", ExitCode.USAGE)
    form = for_json(forms) or forms[0]
    body = None if value is None else to_json(value)
    response, status = await remote.ask(form.method, form.url, body, PREFERENCE)
    location = response.headers.get("location")
    if response.status_code != 201 or not location or not isinstance(status, dict):
        raise CommandFailed(f"{thing.label} waits for the end of {action}: leave out --async")
    url = urljoin(form.url, location)
    show_json({**status, "href": url} if as_json else _id_of(url) or url)


def _id_of(url: str) -> str | None:
    """An invocation's id: that of its Thing, action and number."""
    match url.split("/")[3:]:
        case ["things", thing, "actions", action, number]:
            return f"{thing}:{action}:{number}"
    return None


def path_of(invocation: str) -> str:
    """Where an invocation is. Raises CommandFailed."""
    match invocation.rsplit(":", 2):
        case [thing, action, number] if thing and action and number.isdigit():
            return f"/things/{quote(thing, safe=':')}/actions/{quote(action, safe='')}/{number}"
    raise CommandFailed(
        f"{invocation[:100]!r} is no id of an invocation: see `wasm-servient invocations`",
        ExitCode.USAGE,
    )


def row_of(status: Mapping[str, Any]) -> tuple[str, ...]:
    """An invocation for a table."""
    error = status.get("error")
    reason = str(error.get("detail", "")) if isinstance(error, dict) else ""
    times = (str(status.get(name, "")) for name in ("timeRequested", "timeEnded"))
    began, ended = (time[:19].replace("T", " ") for time in times)
    return str(status.get("id", "")), str(status.get("status", "")), began, ended, reason
