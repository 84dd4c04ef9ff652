"""WoTPy's catalogue of Thing Descriptions, for programs that ask for one: complete, and as given."""

import socket
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler

from servient.errors import PROBLEM_MEDIA_TYPE, NotFound, problem
from servient.wot.content import to_json


class _Handler(RequestHandler):
    def initialize(self, servient: Any) -> None:
        self.servient = servient

    def answer(self, value: Any, media_type: str) -> None:
        self.set_header("Content-Type", media_type)
        self.finish(to_json(value))


class CatalogueHandler(_Handler):
    """All Things by title: their paths, or with `?expanded=true` their descriptions."""

    def get(self) -> None:
        is_expanded = bool(self.get_argument("expanded", ""))
        things = {
            thing.title: self.servient.td(thing) if is_expanded else f"/{thing.name}"
            for thing in self.servient.enabled_exposed_things
        }
        self.answer(things, "application/json")


class DescriptionHandler(_Handler):
    """One Thing, by its name, title or id."""

    def get(self, name: str) -> None:
        try:
            thing = self.servient.exposed(name)
        except NotFound as error:
            self.set_status(error.status)
            self.answer(problem(error), PROBLEM_MEDIA_TYPE)
        else:
            self.answer(self.servient.td(thing), "application/td+json")


def serve_catalogue(servient: Any, host: str, port: int) -> HTTPServer:
    """Raises OSError when the port cannot be had."""
    routes = [(r"/", CatalogueHandler), (r"/([^/]+)/?", DescriptionHandler)]
    application = Application([(path, handler, {"servient": servient}) for path, handler in routes])
    server = HTTPServer(application)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.create_server((host, port), family=family)
    listening.setblocking(False)
    server.add_socket(listening)
    return server


async def close_catalogue(server: HTTPServer) -> None:
    """Also the connections that clients keep."""
    server.stop()
    await server.close_all_connections()
