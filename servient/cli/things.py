"""`things` and `td`: what a servient serves."""

from typing import Annotated, Any

import typer

from servient.cli.access import Access
from servient.cli.options import JsonOption, OutputOption, ThingArgument
from servient.cli.talking import talking


@talking
async def things(access: Access, as_json: JsonOption = False) -> None:
    """List the Things with what they offer."""
    # Here, as in each command: the others start sooner without.
    from servient.cli.found_thing import name_of  # noqa: PLC0415
    from servient.cli.remote import Remote  # noqa: PLC0415
    from servient.cli.show import show_json, show_table  # noqa: PLC0415

    async with Remote(access) as remote:
        found = await remote.things()
    rows = [{"name": name_of(td) or "", **_summary(td)} for td in found]
    if as_json:
        show_json(rows)
        return
    show_table(
        ("NAME", "TITLE", "ACTIONS", "PROPERTIES"),
        [
            (
                row["name"],
                row["title"],
                *(_list(row[kind]) for kind in ("actions", "properties")),
            )
            for row in rows
        ],
    )


@talking
async def td(
    access: Access,
    thing: ThingArgument,
    output: OutputOption = None,
    as_json: Annotated[bool, typer.Option("--json", hidden=True)] = True,
) -> None:
    """Print the Thing Description of a Thing: of this servient, or of any by its URL."""
    from servient.cli.found_thing import find_thing  # noqa: PLC0415 - as above
    from servient.cli.remote import Remote  # noqa: PLC0415 - likewise
    from servient.cli.show import show_result  # noqa: PLC0415 - likewise

    async with Remote(access) as remote:
        found = await find_thing(remote, access, thing)
    show_result(found.td, output, as_json=True, is_expected=as_json)


def _summary(document: dict[str, Any]) -> dict[str, Any]:
    named = {"id": document.get("id"), "title": str(document.get("title", ""))}
    kinds = {kind: document.get(kind) for kind in ("actions", "properties", "events")}
    return named | {
        kind: list(members) if isinstance(members, dict) else [] for kind, members in kinds.items()
    }


def _list(names: list[str], shown: int = 4) -> str:
    rest = f" +{len(names) - shown}" if len(names) > shown else ""
    return ", ".join(names[:shown]) + rest
