"""Every parser that faces the network, with good inputs for it and the errors that it may raise."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import cast

from aiocoap.numbers.codes import Code
from hypothesis import strategies as st

from converters.errors import ConversionError
from converters.manifest import parse_manifest
from converters.openapi.modules import parse_description
from converters.openapi.thing import to_thing_description
from converters.package import open_package
from servient.bindings.coap.incoming import decode as decode_datagram
from servient.bindings.coap.options import Malformed
from servient.bindings.http.form_data import parse_form
from servient.bindings.http.listing import parse_page
from servient.bindings.http.messages import Incoming, Request
from servient.bindings.mqtt.messages import to_input
from servient.bindings.mqtt.topics import Topics
from servient.bindings.websocket.dialect import Rejected
from servient.bindings.websocket.json_rpc import JsonRpc
from servient.bindings.websocket.web_thing_protocol import WebThingProtocol
from servient.errors import InvalidInput, ServientError
from servient.mqtt.message import Message
from servient.mqtt.packets import Malformed as MalformedPacket
from servient.mqtt.packets import parse_publish, to_publish
from servient.security.credentials import parse_credentials
from servient.wot.accept import parse_accept, quality
from servient.wot.codecs import decode, parse_cbor, to_cbor
from servient.wot.content import parse_json, to_json
from servient.wot.tracing import from_bytes, parse_traceparent
from tests.bindings.hostile.sponge import ID
from tests.bindings.hostile.websocket import JsonRpcDriver, WebThingDriver
from tests.fuzz import seeds
from tests.fuzz.mutation import Mutate, change_bytes, change_document

PAYLOAD_LIMIT_BYTES = 10_000


@dataclass(frozen=True, slots=True)
class Parser:
    """`parse` takes any bytes, and raises nothing but `refusals`."""

    name: str
    seeds: Callable[[], Sequence[bytes]]
    parse: Callable[[bytes], object]
    refusals: tuple[type[Exception], ...]
    mutate: Mutate = change_bytes


def _parse_json(data: bytes) -> None:
    value = parse_json(data)
    assert parse_json(to_json(value)) == value


def _parse_cbor(data: bytes) -> None:
    to_cbor(parse_cbor(data))


def _parse_manifest(data: bytes) -> None:
    parse_manifest(open_package(parse_json(data)).manifest)


def _parse_description(data: bytes) -> None:
    parse_description(parse_json(data), "fibonacci")


def _parse_openapi(data: bytes) -> None:
    json.dumps(to_thing_description(parse_json(data), source_url="http://a.example/d").td)


def _parse_form(data: bytes) -> None:
    media_type, _, body = data.partition(b"\n")
    parse_form(media_type.decode("latin-1"), body)


_WEB_THING = WebThingProtocol(ID, "/things/sponge")
_JSON_RPC = JsonRpc(ID, "/things/sponge")
_TOPICS = Topics("servient/x")


def _parse_mqtt(data: bytes) -> None:
    """Lines for the topic, the content type and the answer's topic; then the payload."""
    topic, media_type, answer_to, payload = (data.split(b"\n", 3) + [b""] * 3)[:4]
    name = topic.decode("utf-8", "replace")
    message = Message(name, payload, content_type=media_type.decode("utf-8", "replace"))
    _TOPICS.takes_answers(answer_to.decode("utf-8", "replace"))
    request = _TOPICS.parse(name)
    if request is None:
        raise InvalidInput("no request")
    decode(to_input(message, PAYLOAD_LIMIT_BYTES, "application/json"))


def _parse_request(data: bytes) -> None:
    """A line for the path with its query, then one for each header."""
    target, *lines = data.split(b"\r\n")
    path, _, query = target.partition(b"?")
    pairs = [line.partition(b":") for line in lines]
    headers = {name.strip().lower(): value.strip() for name, _, value in reversed(pairs)}
    channel = SimpleNamespace(scheme="http", client="", server="127.0.0.1:1")
    incoming = SimpleNamespace(
        method="GET", path=path.decode("latin-1"), query=query, headers=headers, channel=channel
    )
    request = Request(cast("Incoming", incoming), 1000)
    refused = None
    for look in (_path, parse_page, _credentials, _accept):
        try:
            look(request)
        except ServientError as error:
            refused = error
    parse_traceparent(request.header("traceparent"))
    if refused is not None:
        raise refused


def _path(request: Request) -> None:
    assert all(isinstance(segment, str) for segment in request.segments)


def _credentials(request: Request) -> None:
    parse_credentials(request.header("authorization"), request.header("x-api-key"))


def _accept(request: Request) -> None:
    weight = quality("application/json", parse_accept(request.header("accept") or "*/*"))
    assert 0 <= weight <= 1


# Good inputs


def _json_bodies() -> list[bytes]:
    return [data for media_type, data in seeds.bodies() if media_type == "application/json"]


def _cbor_bodies() -> list[bytes]:
    return [data for media_type, data in seeds.bodies() if media_type == "application/cbor"]


def _forms() -> list[bytes]:
    head = b"multipart/form-data; boundary=x\n"
    part = b'--x\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n%b\r\n'
    text = part % (b"a", b"", b"1")
    file = part % (b"f", b'; filename="p.png"\r\nContent-Type: image/png', b"\x89PNG")
    odd = part % (b"u", b"; filename*=UTF-8''%e2%82%ac", b"")
    return [head + body + b"--x--\r\n" for body in (text, file, odd, text + file + odd)]


def _messages(cases: st.SearchStrategy[str | bytes]) -> Callable[[], list[bytes]]:
    def messages() -> list[bytes]:
        found = [each for each in seeds.drawn(cases, 400) if isinstance(each, str)]
        return [each.encode() for each in found if _is_object(each)]

    return messages


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _mqtt_requests() -> list[bytes]:
    topics = (b"actions/a", b"actions/a/id", b"properties/p/read", b"properties/p/write")
    return [
        b"servient/x/things/sponge/%b\n%b\nanswers/me\n%b" % (topic, media_type.encode(), data)
        for topic in topics
        for media_type, data in seeds.bodies()[:60]
        if "\n" not in media_type
    ]


def _mqtt_packets() -> list[bytes]:
    """The first byte of a PUBLISH, and what follows its length."""
    message = Message("a/b", b"{}", 1, True, "text/plain", "c/d", b"\x00")
    versions = (to_publish(message, 7, version) for version in (4, 5))
    return [packet[:1] + packet[2:] for packet in versions]


def _parse_mqtt_packet(data: bytes) -> None:
    for version in (4, 5):
        parse_publish(data[0] if data else 0, data[1:], version)


def _datagrams() -> list[bytes]:
    path = b"\xb6things\x06sponge\x0aproperties\x06number"
    codes = (Code.GET, Code.POST, Code.PUT, Code.FETCH, Code.EMPTY, Code.CONTENT)
    heads = [b"\x42%c\x12\x34tk" % code for code in codes]
    tails = [
        b"",
        path,
        b"\x60" + b"\x57things",
        path + b"\x11\x32\xff" + b'{"a":1}',
        path + b"\x51\x3c\x61\x06\xa1\x1e\xff" + bytes(64),
        path + b"\xd1\x0a\x0e\xe2\x01\x02\x03abc",
    ]
    return [head + tail for head in heads for tail in tails]


def _requests() -> list[bytes]:
    paths = (b"/things/a%20b/properties/x", b"/things?limit=2&offset=1&x=%E2%82%AC", b"//deploy")
    headers = (
        b"accept: text/plain;q=0.5, application/json;q=1, */*;q=0",
        b"authorization: Basic dXNlcjpwYXNz",
        b"authorization: Bearer abc.def",
        b"x-api-key: k",
        b"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        b"last-event-id: 7",
    )
    return [path + b"\r\n" + b"\r\n".join(headers[i:]) for path in paths for i in range(6)]


_INVALID = (InvalidInput, ConversionError)

PARSERS = (
    Parser("manifest", seeds.manifests, _parse_manifest, _INVALID, change_document),
    Parser("module description", seeds.apis, _parse_description, _INVALID, change_document),
    Parser("OpenAPI", seeds.apis, _parse_openapi, _INVALID, change_document),
    Parser("JSON", _json_bodies, _parse_json, (InvalidInput,)),
    Parser("CBOR", _cbor_bodies, _parse_cbor, (InvalidInput,)),
    Parser("multipart", _forms, _parse_form, (ServientError,)),
    Parser("HTTP request", _requests, _parse_request, (ServientError,)),
    Parser("CoAP datagram", _datagrams, lambda data: decode_datagram(data, None), (Malformed,)),
    Parser("CoAP trace option", lambda: [bytes(26)], from_bytes, ()),
    Parser(
        "Web Thing Protocol",
        _messages(WebThingDriver.cases),
        lambda data: _WEB_THING.parse(data.decode("utf-8", "replace")),
        (Rejected,),
        change_document,
    ),
    Parser(
        "WoTPy JSON-RPC",
        _messages(JsonRpcDriver.cases),
        lambda data: _JSON_RPC.parse(data.decode("utf-8", "replace")),
        (Rejected,),
        change_document,
    ),
    Parser("MQTT message", _mqtt_requests, _parse_mqtt, (ServientError,)),
    Parser("MQTT packet", _mqtt_packets, _parse_mqtt_packet, (MalformedPacket,)),
)
