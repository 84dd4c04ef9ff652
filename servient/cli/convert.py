"""`convert`: documents and modules become Thing Descriptions, and it is told what is lost."""

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from converters.deployment import Deployment, ModuleEntry
from converters.errors import ConversionError
from converters.losses import Loss, Losses
from converters.manifest import parse_manifest
from converters.plan import Signature
from converters.thing import to_thing_description
from servient.cli.documents import FilesBeside, read_document, read_file, read_text
from servient.cli.output import fail
from servient.errors import ServientError

convert = typer.Typer(
    name="convert",
    help="Turn a document or a module into a Thing Description 1.1.",
    no_args_is_help=True,
)

SERVIENT_ID = "servient"
DEPLOYMENT_ID = "deployment"

FileArgument: TypeAlias = Annotated[Path, typer.Argument(help="The file to convert.")]
OutOption: TypeAlias = Annotated[
    Path | None, typer.Option("--out", help="Write there, not to standard output.")
]
JsonOption: TypeAlias = Annotated[
    bool,
    typer.Option("--json", help='Give {"td": …, "losses": [{"pointer", "what", "why"}, …]}.'),
]
Result: TypeAlias = tuple[Any, Iterable[Loss]]


@convert.command()
def openapi(
    file: FileArgument,
    out: OutOption = None,
    as_json: JsonOption = False,
    url: Annotated[
        str, typer.Option(help="Where the document is from, should its servers be relative.")
    ] = "",
) -> None:
    """An OpenAPI 3.1, 3.0 or 2.0 document, in JSON or YAML: an API as a Thing."""

    # Here, as each conversion's own: `run`, which is the same program, starts sooner without them.
    from converters.openapi.thing import to_thing_description as openapi_to_td  # noqa: PLC0415

    def make() -> Result:
        document = read_document(file)
        converted = openapi_to_td(document, load=FilesBeside(file), source_url=url)
        return converted.td, converted.losses

    _answer(file, make, out, as_json)


@convert.command()
def manifest(file: FileArgument, out: OutOption = None, as_json: JsonOption = False) -> None:
    """An orchestrator's deployment manifest: the Thing of its module, or a list of several."""

    def make() -> Result:
        deployment = parse_manifest(read_document(file))
        found = [_describe(deployment, module, {}) for module in deployment.modules]
        return found[0] if len(found) == 1 else found, ()

    _answer(file, make, out, as_json)


@convert.command()
def wasm(file: FileArgument, out: OutOption = None, as_json: JsonOption = False) -> None:
    """A WebAssembly module or component, by the types of its functions. It is not run."""

    def make() -> Result:
        return _describe_alone(file.stem, asyncio.run(_signatures(read_file(file)))), ()

    _answer(file, make, out, as_json)


@convert.command()
def wit(file: FileArgument, out: OutOption = None, as_json: JsonOption = False) -> None:
    """A WIT file, which says what a component exports."""

    from converters.wit import parse_wit  # noqa: PLC0415

    def make() -> Result:
        losses = Losses()
        found = parse_wit(read_text(file), losses)
        return _describe_alone(file.stem, found.functions), losses

    _answer(file, make, out, as_json)


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


def _answer(file: Path, make: Callable[[], Result], out: Path | None, as_json: bool) -> None:
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
