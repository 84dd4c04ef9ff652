"""`deploy`, `undeploy` and `deployments`."""

import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from servient.cli.access import Access
from servient.cli.options import DeploymentArgument, JsonOption, Protocol, ProtocolOption
from servient.cli.output import CommandFailed
from servient.cli.talking import talking


@talking
async def deploy(
    access: Access,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="MODULE|MANIFEST",
            help="A .wasm or .wat file, or a manifest in JSON or YAML with the files it names.",
        ),
    ],
    name: Annotated[
        str | None, typer.Option(help="What to call it; by default as the file or the manifest.")
    ] = None,
    description: Annotated[
        Path | None, typer.Option(help="The OpenAPI description of a module, in JSON or YAML.")
    ] = None,
    protocol: ProtocolOption = None,
    as_json: JsonOption = False,
) -> None:
    """Deploy a module of this machine, or a manifest. A deployment of its name is replaced."""
    from servient.cli.found_thing import FoundThing  # noqa: PLC0415 - others start sooner
    from servient.cli.packing import pack  # noqa: PLC0415 - likewise
    from servient.cli.progress import waiting  # noqa: PLC0415 - likewise
    from servient.cli.remote import Remote  # noqa: PLC0415 - likewise
    from servient.cli.show import say, show_json  # noqa: PLC0415 - likewise

    with waiting(f"read {file.name}"):
        manifest = pack(file, name, description)
    began = time.monotonic()
    async with Remote(access) as remote:
        if protocol in (None, Protocol.HTTP):
            deployed = await _send(remote, manifest)
        else:
            from servient.cli.consumer import Consumer  # noqa: PLC0415 - likewise

            own = FoundThing(await remote.own_td(), is_own=True)
            with waiting(f"deploy over {protocol}"):
                deployed = await Consumer(own, access, protocol).invoke("deploy", manifest)
        if as_json:
            show_json(deployed)
            return
        match deployed:
            case {"deploymentId": str(deployment), "things": [*names]}:
                say(f"deployed {deployment} in {time.monotonic() - began:.1f} s")
                await _show_things(remote, map(str, names))
            case _:
                raise CommandFailed("deployed, but the servient does not say what")


async def _send(remote: Any, manifest: dict[str, Any]) -> Any:
    from servient.cli.progress import Upload  # noqa: PLC0415 - likewise

    body = json.dumps(manifest).encode()
    with Upload(body, "send", "fetch, compile and start") as upload:
        return await remote.invoke("deploy", upload.pieces(), {"Content-Length": str(len(body))})


async def _show_things(remote: Any, names: Iterable[str]) -> None:
    """What there is to invoke now."""
    from servient.cli.show import show_table  # noqa: PLC0415 - likewise
    from servient.cli.signature import signature_of  # noqa: PLC0415 - likewise

    rows: list[tuple[str, str]] = []
    for name in names:
        actions = (await remote.td(name) or {}).get("actions")
        if isinstance(actions, dict):
            rows += [(name, signature_of(action, each)) for action, each in actions.items()]
    show_table(("THING", "ACTION"), rows)


@talking
async def undeploy(
    access: Access, deployment: DeploymentArgument, as_json: JsonOption = False
) -> None:
    """Remove a deployment with its Things and files."""
    from servient.cli.remote import Remote  # noqa: PLC0415 - others start sooner
    from servient.cli.show import show_done  # noqa: PLC0415 - likewise

    body = json.dumps({"deploymentId": deployment}).encode()
    async with Remote(access) as remote:
        await remote.invoke("undeploy", body, {})
    show_done(f"undeployed {deployment}", {"deploymentId": deployment}, as_json=as_json)


@talking
async def deployments(access: Access, as_json: JsonOption = False) -> None:
    """List the deployments."""
    from servient.cli.remote import Remote  # noqa: PLC0415 - others start sooner
    from servient.cli.show import show_json, show_table  # noqa: PLC0415 - likewise

    async with Remote(access) as remote:
        found = await remote.read("deployments")
    if as_json:
        show_json(found)
        return
    rows = [
        (
            str(each.get("deploymentId")),
            ", ".join(map(str, each.get("things") or ())),
            str(each.get("error") or ""),
        )
        for each in found
    ]
    show_table(("DEPLOYMENT", "THINGS", "PROBLEM"), rows)
