"""Tornado's hello world, and its WebSocket echo: the ceiling of a WebSocket server on tornado."""

import asyncio
import sys

import tornado.web
import tornado.websocket


class Hello(tornado.web.RequestHandler):
    """Answers anything with a number."""

    def get(self) -> None:
        self.set_header("Content-Type", "application/json")
        self.write(b"21")


class Echo(tornado.websocket.WebSocketHandler):
    """Sends back what it gets."""

    async def on_message(self, message: str | bytes) -> None:
        await self.write_message(message)


async def main(port: int) -> None:
    application = tornado.web.Application([("/", Hello), ("/echo", Echo)])
    application.listen(port, "127.0.0.1")
    # Each request in a line of its own is not what is to be measured.
    application.settings["log_function"] = lambda _: None
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
