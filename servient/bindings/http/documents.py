"""Documents that never change while the servient runs, each at a path of its own."""

from collections.abc import Mapping

from servient.bindings.http.messages import Handler, Request, Response
from servient.wot.content import Content

_CACHE = (("Cache-Control", "max-age=3600"),)


class Documents:
    """Routes of fixed documents, by paths of one segment."""

    def __init__(self, documents: Mapping[str, Content]) -> None:
        self._handlers: Mapping[str, Mapping[str, Handler]] = {
            name: {"GET": _handler(document)} for name, document in documents.items()
        }

    def find(self, segments: tuple[str, ...]) -> Mapping[str, Handler] | None:
        return self._handlers.get(segments[0]) if len(segments) == 1 else None


def _handler(document: Content) -> Handler:
    response = Response(200, document.body, document.media_type, _CACHE)

    async def answer(_: Request) -> Response:
        return response

    return answer
