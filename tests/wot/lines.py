"""A binding in a few lines, for a wire of its own: one line asks, one line answers."""

import asyncio
from typing import Any

from servient.errors import ServientError, problem
from servient.wot.binding import Binding
from servient.wot.content import Content, to_json
from servient.wot.description import Affordance, Description, Form
from servient.wot.door import Door, Interaction
from servient.wot.operations import Operation


class LineBinding(Binding):
    """`invokeaction lamp double {"number": 21}` is answered with `42`, errors with their problem.

    `calls` counts what the servient asked of it, by name.
    """

    protocol = "LINES"

    def __init__(self, port: int = 0, protocol: str = "LINES") -> None:
        super().__init__("127.0.0.1", port)
        self.protocol = protocol
        self.calls: list[tuple[str, str]] = []
        self._server: asyncio.Server | None = None

    @property
    def is_serving(self) -> bool:
        return self._server is not None

    async def start(self, servient: Any) -> None:
        self.calls.append(("start", self.protocol))
        self._door = Door(servient)
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self.calls.append(("stop", self.protocol))
        if self._server is not None:
            server, self._server = self._server, None
            server.close()
            await server.wait_closed()

    def add_exposed_thing(self, exposed_thing: Any) -> None:
        self.calls.append(("add", exposed_thing.name))

    def remove_exposed_thing(self, thing_id: str) -> None:
        self.calls.append(("remove", thing_id))

    def build_base_url(self, hostname: str, thing: Any) -> str:
        return f"lines://{self.public_host}:{self.port}/" + (thing.url_name if thing else "")

    def forms(self, thing: Description, affordance: Affordance) -> list[Form]:
        self.calls.append(("forms", thing.name))
        base = self.build_base_url(self.public_host, None)
        return [
            {
                "href": f"{base}{thing.name}/{affordance.kind}/{affordance.name}",
                "op": str(operation),
            }
            for operation in sorted(affordance.operations)
            if operation in (Operation.READ_PROPERTY, Operation.INVOKE_ACTION)
        ]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(await self._answer(line) + b"\n")
        writer.close()

    async def _answer(self, line: bytes) -> bytes:
        operation, thing, affordance, *body = line.split(maxsplit=3)
        interaction = Interaction(
            Operation(operation.decode()),
            thing.decode(),
            affordance.decode(),
            Content(body[0]) if body else None,
        )
        try:
            return to_json(await self._door.perform(interaction))
        except ServientError as error:
            return to_json(problem(error))


async def ask(binding: LineBinding, *lines: str) -> list[str]:
    """The answers to some lines, over one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", binding.port)
    try:
        writer.write("".join(f"{line}\n" for line in lines).encode())
        return [(await reader.readline()).decode().rstrip("\n") for _ in lines]
    finally:
        writer.close()
        await writer.wait_closed()
