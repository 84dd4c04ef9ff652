"""`run`: the settings that are options, too."""

from pathlib import Path
from typing import Annotated

import typer


def run(
    config: Annotated[Path | None, typer.Option(help="A TOML file with settings.")] = None,
    name: Annotated[str | None, typer.Option(help="The servient's name.")] = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    public_host: Annotated[
        str | None, typer.Option(help="The name or address that consumers reach this machine by.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="The TCP port of HTTP; 0 takes a free one.")
    ] = None,
    websocket_port: Annotated[int | None, typer.Option(help="The TCP port of WebSockets.")] = None,
    coap_port: Annotated[int | None, typer.Option(help="The UDP port of CoAP.")] = None,
    mqtt_broker: Annotated[
        str | None, typer.Option(help="mqtt://host:port; by default a private broker.")
    ] = None,
    mqtt_port: Annotated[int | None, typer.Option(help="The private broker's TCP port.")] = None,
    bindings: Annotated[
        str | None, typer.Option(help="The protocols to speak, e.g. http,coap.")
    ] = None,
    instance_path: Annotated[Path | None, typer.Option(help="The folder for what is kept.")] = None,
    insecure: Annotated[
        bool | None, typer.Option("--insecure", help="Listen beyond this machine, to everybody.")
    ] = None,
    orchestrator_url: Annotated[
        str | None, typer.Option(help="The orchestrator to register with, as http://host:port.")
    ] = None,
    announce: Annotated[
        bool | None,
        typer.Option(help="Announce by multicast DNS; by default when reached from beyond."),
    ] = None,
    withdraw_on_stop: Annotated[
        bool | None,
        typer.Option(
            "--withdraw-on-stop", help="When stopping, have orchestrators forget this servient."
        ),
    ] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the addresses as one line of JSON when ready.")
    ] = False,
) -> None:
    """Run a servient until it is told to stop (SIGINT or SIGTERM)."""
    arguments = {key: value for key, value in locals().items() if key not in ("config", "as_json")}
    # Here, since it imports the settings: other commands answer without them.
    from servient.cli.serving import serve  # noqa: PLC0415

    serve(config, arguments, as_json=as_json)
