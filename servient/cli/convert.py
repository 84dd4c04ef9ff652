"""`convert`: documents and modules become Thing Descriptions."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

convert = typer.Typer(
    name="convert",
    help="Turn a document or a module into a Thing Description 1.1.",
    no_args_is_help=True,
)

FileArgument: TypeAlias = Annotated[Path, typer.Argument(help="The file to convert.")]
OutOption: TypeAlias = Annotated[
    Path | None, typer.Option("--out", help="Write there, not to standard output.")
]
JsonOption: TypeAlias = Annotated[
    bool,
    typer.Option("--json", help='Give {"td": …, "losses": [{"pointer", "what", "why"}, …]}.'),
]


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
    # Here, as in each of these: commands that are the same program start sooner without.
    from servient.cli.conversion import answer, from_openapi  # noqa: PLC0415

    answer(file, lambda: from_openapi(file, url), out, as_json)


@convert.command()
def manifest(file: FileArgument, out: OutOption = None, as_json: JsonOption = False) -> None:
    """An orchestrator's deployment manifest: the Thing of its module, or a list of several."""
    from servient.cli.conversion import answer, from_manifest  # noqa: PLC0415 - as above

    answer(file, lambda: from_manifest(file), out, as_json)


@convert.command()
def wasm(file: FileArgument, out: OutOption = None, as_json: JsonOption = False) -> None:
    """A WebAssembly module or component, by the types of its functions. It is not run."""
    from servient.cli.conversion import answer, from_module  # noqa: PLC0415 - as above

    answer(file, lambda: from_module(file), out, as_json)


@convert.command()
def wit(file: FileArgument, out: OutOption = None, as_json: JsonOption = False) -> None:
    """A WIT file, which says what a component exports."""
    from servient.cli.conversion import answer, from_wit  # noqa: PLC0415 - as above

    answer(file, lambda: from_wit(file), out, as_json)
