"""`invocations` and `cancel`: what has been asked for, and stopping it."""

from typing import Annotated

import typer

from servient.cli.access import Access
from servient.cli.completion import complete_thing
from servient.cli.options import JsonOption
from servient.cli.talking import talking


@talking
async def invocations(
    access: Access,
    thing: Annotated[
        str | None,
        typer.Argument(help="Those of one Thing, by its name.", autocompletion=complete_thing),
    ] = None,
    status: Annotated[
        str | None, typer.Option(help="Those that are pending, running, completed or failed.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="The newest so many.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """List invocations, the newest last."""
    from servient.cli.remote import Remote  # noqa: PLC0415 - other commands start sooner
    from servient.cli.show import show_json, show_table  # noqa: PLC0415 - likewise
    from servient.cli.started import row_of  # noqa: PLC0415 - likewise

    async with Remote(access) as remote:
        every = await remote.read("invocations")
    found = [
        each
        for each in every
        if (thing is None or thing in (each.get("thing"), *str(each.get("thing")).split(":")))
        and status in (None, each.get("status"))
    ][-limit:]
    if as_json:
        show_json(found)
    else:
        show_table(("ID", "STATUS", "REQUESTED (UTC)", "ENDED (UTC)", "REASON"), map(row_of, found))


@talking
async def cancel(
    access: Access,
    invocation: Annotated[str, typer.Argument(metavar="INVOCATION", help="Its id.")],
    as_json: JsonOption = False,
) -> None:
    """Stop an invocation where it is: it ends as failed."""
    from servient.cli.remote import Remote  # noqa: PLC0415 - other commands start sooner
    from servient.cli.show import show_done  # noqa: PLC0415 - likewise
    from servient.cli.started import path_of  # noqa: PLC0415 - likewise

    async with Remote(access) as remote:
        await remote.ask("DELETE", path_of(invocation))
    show_done(f"cancelled {invocation}", {"id": invocation}, as_json=as_json)
