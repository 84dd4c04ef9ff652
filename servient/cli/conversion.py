"""Documents and modules become Thing Descriptions, and it is told what is lost."""

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import typer

from converters.deployment import Deployment, ModuleEntry
from converters.errors import ConversionError
from converters.losses import Loss, Losses
from converters.manifest import parse_manifest
from converters.package import open_package
from converters.plan import Signature
from converters.thing import to_thing_description
from servient.cli.documents import FilesBeside, read_document, read_file, read_text
from servient.cli.output import fail
from servient.errors import ServientError

SERVIENT_ID = "servient"
DEPLOYMENT_ID = "deployment"

Result: TypeAlias = tuple[Any, Iterable[Loss]]


def from_openapi(file: Path, url: str) -> Result:
    # Here, as each conversion's own: the others start sooner without them.
    from converters.openapi.thing import to_thing_description as openapi_to_td  # noqa: PLC0415

    converted = openapi_to_td(read_document(file), load=FilesBeside(file), source_url=url)
    return converted.td, converted.losses


def from_manifest(file: Path) -> Result:
    deployment = parse_manifest(open_package(read_document(file)).manifest)
    found = [_describe(deployment, module, {}) for module in deployment.modules]
    return found[0] if len(found) == 1 else found, ()


def from_module(file: Path) -> Result:
    return _describe_alone(file.stem, asyncio.run(_signatures(read_file(file)))), ()


def from_wit(file: Path) -> Result:
    from converters.wit import parse_wit  # noqa: PLC0415 - as above

    losses = Losses()
    found = parse_wit(read_text(file), losses)
    return _describe_alone(file.stem, found.functions), losses


async def _signatures(binary: bytes) -> Mapping[str, Signature]:
    # Here, since it imports the engine: the other conversions do without.
    from servient.cli.signatures import read_signatures  # noqa: PLC0415

    return await read_signatures(binary)


def _describe_alone(name: str, signatures: Mapping[str, Signature]) -> dict[str, Any]:
    """The Thing of a module as if it were deployed alone."""
    module = ModuleEntry(name, name, "", None, {}, {})
    return _describe(Deployment(DEPLOYMENT_ID, (module,)), module, signatures)


def _describe(
    deployment: Deployment, module: ModuleEntry, signatures: Mapping[str, Signature]
) -> dict[str, Any]:
    return to_thing_description(
        deployment, module, endpoints={}, signatures=signatures, servient_id=SERVIENT_ID
    )


def answer(file: Path, make: Callable[[], Result], out: Path | None, as_json: bool) -> None:
    """Print or write what `make` gives, or say why it cannot."""
    try:
        td, losses = make()
    except ConversionError as error:
        place = f" at {error.pointer}" if error.pointer else ""
        fail(f"{file} cannot be converted{place}: {error.message}")
    except ServientError as error:
        fail(f"{file} cannot be converted: {error.detail}")
    told = list(losses)
    result = {"td": td, "losses": _plain(told)} if as_json else td
    text = json.dumps(result, indent=2, ensure_ascii=False) + "\n"
    if not as_json:
        for loss in told:
            typer.echo(f"{loss.pointer}: {loss.what}: {loss.why}", err=True)
    if out is None:
        typer.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        fail(f"cannot write {out}: {error.strerror}")


def _plain(losses: Sequence[Loss]) -> list[dict[str, str]]:
    return [{"pointer": loss.pointer, "what": loss.what, "why": loss.why} for loss in losses]
