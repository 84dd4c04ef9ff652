"""A Thing of plain WoTPy whose action calls the module by wasmtime's Python API, over four protocols.

python -m benchmarks.peers.plain_wotpy MODULE HTTP_PORT WEBSOCKET_PORT COAP_PORT BROKER_PORT
"""

import asyncio
import json
import logging
import sys
from collections.abc import Callable
from typing import Any

import wasmtime
from wotpy.protocols.coap.server import CoAPServer
from wotpy.protocols.http.server import HTTPServer
from wotpy.protocols.mqtt.server import MQTTServer
from wotpy.protocols.ws.server import WebsocketServer
from wotpy.wot.servient import Servient

NUMBER = {"type": "integer"}
INPUT = {"type": "object", "properties": {"iterations": NUMBER}, "required": ["iterations"]}
DESCRIPTION = {
    "@context": ["https://www.w3.org/2022/wot/td/v1.1"],
    "id": "urn:fibonacci",
    "title": "fibonacci",
    "securityDefinitions": {"nosec": {"scheme": "nosec"}},
    "security": "nosec",
    "properties": {"fibo_result": {**NUMBER, "observable": True}},
    "actions": {"fibo": {"input": INPUT, "output": NUMBER}},
}


async def main(
    module: str, http_port: int, websocket_port: int, coap_port: int, broker_port: int
) -> None:
    fibo = load(module)
    servient = Servient(catalogue_port=None)
    servient.add_server(HTTPServer(port=http_port))
    servient.add_server(WebsocketServer(port=websocket_port))
    servient.add_server(CoAPServer(port=coap_port))
    servient.add_server(MQTTServer(f"mqtt://127.0.0.1:{broker_port}", servient_id="plain"))
    wot = await servient.start()
    thing = wot.produce(json.dumps(DESCRIPTION))

    async def invoke(parameters: dict[str, Any]) -> int:
        # Its bindings hand over the input, or an object that has it.
        result = fibo(parameters.get("input", parameters)["iterations"])
        await thing.properties["fibo_result"].write(result)
        return result

    thing.set_action_handler("fibo", invoke)
    thing.expose()
    await thing.properties["fibo_result"].write(21)
    print("ready", flush=True)
    await asyncio.Event().wait()


def load(module: str) -> Callable[[int], int]:
    engine = wasmtime.Engine()
    store = wasmtime.Store(engine)
    instance = wasmtime.Instance(store, wasmtime.Module.from_file(engine, module), [])
    function = instance.exports(store)["fibo"]
    assert isinstance(function, wasmtime.Func)
    return lambda iterations: function(store, iterations)


if __name__ == "__main__":
    # Each request in a line of its own is not what is to be measured.
    logging.getLogger("tornado.access").setLevel(logging.ERROR)
    asyncio.run(main(sys.argv[1], *(int(port) for port in sys.argv[2:6])))
