"""Thing Descriptions over CoAP, and the list of what there is (WoT Discovery section 6)."""

from dataclasses import replace

from aiocoap.numbers.codes import CONTENT, GET

from servient.bindings.coap.answers import Answer, validated
from servient.bindings.coap.content_formats import JSON, LINK_FORMAT, TD
from servient.bindings.coap.incoming import Asked
from servient.bindings.coap.links import Link, to_link_format
from servient.bindings.paths import THINGS, thing_path, to_path
from servient.errors import NotAcceptable, NotFound, OperationNotAllowed
from servient.wot.access import Scope
from servient.wot.content import to_json
from servient.wot.servient import Servient

WELL_KNOWN_CORE = (".well-known", "core")
WELL_KNOWN_WOT = (".well-known", "wot")


class Descriptions:
    """`directory_thing` is the name of the servient's own Thing, which is a ThingDirectory."""

    def __init__(self, servient: Servient, directory_thing: str | None) -> None:
        self._servient = servient
        self._directory_thing = directory_thing

    def answer(self, request: Asked) -> Answer:
        """Raises NotFound, OperationNotAllowed and NotAcceptable."""
        options = request.options
        match options.path:
            case path if path == WELL_KNOWN_CORE:
                found = Answer(CONTENT, to_link_format(self._links(), options.queries), LINK_FORMAT)
            case path if path == WELL_KNOWN_WOT and self._directory_thing is not None:
                found = self._td(self._directory_thing)
            case (head, thing) if head == THINGS:
                found = self._td(thing)
            case path:
                raise NotFound(f"there is nothing at /{'/'.join(path)[:200]}")
        if request.code is not GET:
            raise OperationNotAllowed(f"a description takes no {request.code}")
        found = _as_accepted(found, options.accept)
        return validated(replace(found, tag=found.etag()), options.etags)

    def _td(self, name: str) -> Answer:
        policy = self._servient.policy
        policy.require_somebody()
        thing = self._servient.exposed(name)
        policy.require(Scope.READ, thing.name)
        return Answer(CONTENT, to_json(self._servient.td(thing)), TD)

    def _links(self) -> list[Link]:
        """Of what may be read."""
        policy = self._servient.policy
        policy.require_somebody()
        links = [
            Link(thing_path(thing.name), TD, "wot.thing")
            for thing in self._servient.enabled_exposed_things
            if policy.allows(Scope.READ, thing.name)
        ]
        if self._directory_thing is not None:
            links.insert(0, Link(to_path(*WELL_KNOWN_WOT), TD, "wot.directory"))
        return links


def _as_accepted(answer: Answer, accept: int | None) -> Answer:
    if accept is None or accept == answer.content_format:
        return answer
    if answer.content_format == TD and accept == JSON:
        return Answer(answer.code, answer.body, JSON)
    raise NotAcceptable(f"content format {accept} is not offered, {answer.content_format} is")
