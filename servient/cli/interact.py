"""`invoke`, `read`, `write` and `observe`: a Thing used over a wire of one's choice."""

import asyncio
import datetime
from contextlib import aclosing
from pathlib import Path
from typing import Annotated, Any

import typer

from servient.cli.access import Access
from servient.cli.options import (
    ActionArgument,
    FollowedArgument,
    InputArgument,
    JsonOption,
    OutputOption,
    PropertyArgument,
    Protocol,
    ProtocolOption,
    ThingArgument,
)
from servient.cli.output import CommandFailed, ExitCode
from servient.cli.talking import talking


@talking
async def invoke(
    access: Access,
    thing: ThingArgument,
    action: ActionArgument,
    words: InputArgument = None,
    file: Annotated[
        list[str] | None, typer.Option(metavar="NAME=PATH", help="A file of the input; repeatable.")
    ] = None,
    protocol: ProtocolOption = None,
    is_async: Annotated[
        bool, typer.Option("--async", help="Do not wait for the end: print the invocation.")
    ] = False,
    output: OutputOption = None,
    as_json: JsonOption = False,
) -> None:
    """Invoke an action and print what it gives."""
    from servient.cli.consumer import Consumer  # noqa: PLC0415 - other commands start sooner
    from servient.cli.found_thing import find_thing  # noqa: PLC0415 - likewise
    from servient.cli.inputs import parse_input  # noqa: PLC0415 - likewise
    from servient.cli.progress import waiting  # noqa: PLC0415 - likewise
    from servient.cli.remote import Remote  # noqa: PLC0415 - likewise
    from servient.cli.show import show_result  # noqa: PLC0415 - likewise
    from servient.cli.started import start  # noqa: PLC0415 - likewise

    if is_async and protocol not in (None, Protocol.HTTP):
        raise CommandFailed("--async goes over HTTP only", ExitCode.USAGE)
    async with Remote(access) as remote:
        found = await find_thing(remote, access, thing)
        definition = found.affordance("actions", action)
        value = parse_input(words or (), file or (), definition.get("input") or {})
        if is_async:
            await start(remote, found, action, value, as_json=as_json)
            return
    with waiting(f"{action} of {found.label}"):
        result = await Consumer(found, access, protocol).invoke(action, value)
    show_result(result, output, as_json=as_json, is_expected="output" in definition)


@talking
async def read(
    access: Access,
    thing: ThingArgument,
    name: PropertyArgument,
    protocol: ProtocolOption = None,
    output: OutputOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read a property and print its value."""
    from servient.cli.consumer import Consumer  # noqa: PLC0415 - other commands start sooner
    from servient.cli.found_thing import find_thing  # noqa: PLC0415 - likewise
    from servient.cli.remote import Remote  # noqa: PLC0415 - likewise
    from servient.cli.show import show_result  # noqa: PLC0415 - likewise

    async with Remote(access) as remote:
        found = await find_thing(remote, access, thing)
    value = await Consumer(found, access, protocol).read(name)
    show_result(value, output, as_json=as_json, is_expected=True)


@talking
async def write(
    access: Access,
    thing: ThingArgument,
    name: PropertyArgument,
    value: Annotated[
        str, typer.Argument(help="JSON, bare text for a string, @FILE, or - for standard input.")
    ],
    protocol: ProtocolOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a property."""
    from servient.cli.consumer import Consumer  # noqa: PLC0415 - other commands start sooner
    from servient.cli.found_thing import find_thing  # noqa: PLC0415 - likewise
    from servient.cli.inputs import parse_value  # noqa: PLC0415 - likewise
    from servient.cli.remote import Remote  # noqa: PLC0415 - likewise
    from servient.cli.show import show_done  # noqa: PLC0415 - likewise

    async with Remote(access) as remote:
        found = await find_thing(remote, access, thing)
    parsed = parse_value(value, found.affordance("properties", name))
    await Consumer(found, access, protocol).write(name, parsed)
    show_done(f"{name} of {found.label} is written", {name: parsed}, as_json=as_json)


@talking
async def observe(
    access: Access,
    thing: ThingArgument,
    name: FollowedArgument,
    event: Annotated[bool, typer.Option("--event", help="The name is that of an event.")] = False,
    count: Annotated[
        int | None, typer.Option("--count", "-n", min=1, help="End after so many.")
    ] = None,
    protocol: ProtocolOption = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file that always has the last one.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help='Print {"time", "name", "value"} for each.')
    ] = False,
) -> None:
    """Print each value of a property, or the data of an event, on a line of its own, until Ctrl-C."""
    from servient.cli.consumer import Consumer  # noqa: PLC0415 - other commands start sooner
    from servient.cli.found_thing import find_thing  # noqa: PLC0415 - likewise
    from servient.cli.remote import Remote  # noqa: PLC0415 - likewise
    from servient.cli.show import show_line, write_result  # noqa: PLC0415 - likewise

    async with Remote(access) as remote:
        found = await find_thing(remote, access, thing)
    values = Consumer(found, access, protocol).follow("events" if event else "properties", name)
    seen = 0
    try:
        async with aclosing(values):  # type: ignore[type-var] # an async generator
            async for value in values:
                if output is not None:
                    write_result(value, output)
                else:
                    show_line(_entry(name, value) if as_json else value)
                seen += 1
                if seen == count:
                    return
    except asyncio.CancelledError:
        return  # Ctrl-C is how it ends
    raise CommandFailed(f"{found.label} ended the subscription", ExitCode.FAILED)


def _entry(name: str, value: Any) -> dict[str, Any]:
    """A value with when it came."""
    now = datetime.datetime.now(datetime.UTC)
    return {"time": now.isoformat(), "name": name, "value": value}
