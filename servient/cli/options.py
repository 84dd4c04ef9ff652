"""The options that commands share which talk to a servient."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from servient.cli.access import DEFAULT_URL
from servient.cli.completion import (
    complete_action,
    complete_deployment,
    complete_event_or_property,
    complete_input,
    complete_property,
    complete_thing,
)


class Protocol(StrEnum):
    """The wires, in the order in which they are tried."""

    HTTP = "http"
    WEBSOCKET = "ws"
    COAP = "coap"
    MQTT = "mqtt"


UrlOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--url",
        envvar="WASM_SERVIENT_URL",
        help="The servient, over HTTP.",
        show_default=DEFAULT_URL,
    ),
]
TokenOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--token",
        envvar="WASM_SERVIENT_TOKEN",
        show_default=False,
        help="The token or password to show to this servient.",
    ),
]
UserOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--user",
        envvar="WASM_SERVIENT_USER",
        help="Whose it is: needed over MQTT, and for passwords.",
    ),
]
CaOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--ca", envvar="WASM_SERVIENT_CA", help="A PEM file of certificates to trust besides."
    ),
]
TimeoutOption: TypeAlias = Annotated[
    float, typer.Option("--timeout", min=0.001, help="How many seconds to wait for an answer.")
]
JsonOption: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print JSON, for other programs.")
]
ProtocolOption: TypeAlias = Annotated[
    Protocol | None,
    typer.Option("--protocol", "-p", help="By default the first that the Thing speaks."),
]
OutputOption: TypeAlias = Annotated[
    Path | None, typer.Option("--output", "-o", help="The file to write the result to.")
]
ThingArgument: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="THING",
        help="Its name, id or title, a part of the name, or the URL or file of a description.",
        autocompletion=complete_thing,
    ),
]
ActionArgument: TypeAlias = Annotated[
    str,
    typer.Argument(metavar="ACTION", help="Its name.", autocompletion=complete_action),
]
PropertyArgument: TypeAlias = Annotated[
    str,
    typer.Argument(metavar="PROPERTY", help="Its name.", autocompletion=complete_property),
]
FollowedArgument: TypeAlias = Annotated[
    str,
    typer.Argument(metavar="PROPERTY", help="Its name.", autocompletion=complete_event_or_property),
]
InputArgument: TypeAlias = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[INPUT]...",
        help="JSON, name=value pairs, values in order, @FILE, or - for standard input.",
        autocompletion=complete_input,
    ),
]
DeploymentArgument: TypeAlias = Annotated[
    str,
    typer.Argument(metavar="DEPLOYMENT", help="Its id.", autocompletion=complete_deployment),
]
