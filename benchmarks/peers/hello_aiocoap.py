"""The least that an aiocoap server answers with: the ceiling of a CoAP server on aiocoap."""

import asyncio
import logging
import sys

import aiocoap
import aiocoap.resource

logging.getLogger("coap-server").setLevel(logging.ERROR)


class Hello(aiocoap.resource.Resource):
    """Answers anything with a number."""

    async def render_get(self, _: aiocoap.Message) -> aiocoap.Message:
        return aiocoap.Message(code=aiocoap.CONTENT, payload=b"21", content_format=50)

    async def render_post(self, _: aiocoap.Message) -> aiocoap.Message:
        return aiocoap.Message(code=aiocoap.CHANGED, payload=b"21", content_format=50)


async def main(port: int) -> None:
    site = aiocoap.resource.Site()
    site.add_resource(["hello"], Hello())
    context = await aiocoap.Context.create_server_context(site, bind=("127.0.0.1", port))
    print("ready", flush=True)
    await asyncio.Event().wait()
    await context.shutdown()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
