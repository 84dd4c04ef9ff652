"""Who may come in over CoAP: those whose requests are protected with OSCORE."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiocoap
import pytest
from aiocoap import oscore
from aiocoap.numbers.codes import DELETE, GET, POST, PUT

from servient.bindings.coap.binding import CoapBinding
from servient.wot.access import Grant, Policy, Principal, Scope
from servient.wot.servient import Servient
from servient.wot.thing import ExposedThing
from tests.bindings.coap.serving import RawPeer
from tests.things import THING, expose_lamp
from thing_descriptions.validator import validate_td

DEADLINE_SECONDS = 20.0
PATH = f"/things/{THING}"


def write_context(folder: Path, sender: str, recipient: str, secret: str = "11" * 16) -> Path:
    folder.mkdir(mode=0o700)
    settings = folder / "settings.json"
    document = {
        "sender-id_hex": sender,
        "recipient-id_hex": recipient,
        "secret_hex": secret,
        "salt_hex": "22" * 8,
    }
    settings.write_text(json.dumps(document))
    settings.chmod(0o600)
    return folder


def somebody(name: str, *scopes: Scope) -> Principal:
    return Principal(name, (Grant(frozenset(scopes)),))


class Served:
    def __init__(self, servient: Servient, binding: CoapBinding, lamp: ExposedThing) -> None:
        self.servient, self.binding, self.lamp = servient, binding, lamp
        self.origin = f"coap://127.0.0.1:{binding.port}"


@asynccontextmanager
async def serving(folders: dict[Path, Principal]) -> AsyncIterator[Served]:
    servient = Servient(policy=Policy(is_open=False))
    binding = CoapBinding("127.0.0.1", "127.0.0.1", 0, oscore=folders)
    servient.add_server(binding)
    wot = await servient.start()
    try:
        yield Served(servient, binding, expose_lamp(wot))
    finally:
        await servient.shutdown()


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    people = {"01": somebody("ann", Scope.READ), "02": somebody("bob", Scope.INVOKE)}
    folders = {write_context(tmp_path / name, "", name): who for name, who in people.items()}
    async with serving(folders) as running:
        yield running


@asynccontextmanager
async def client(served: Served, folder: Path | None) -> AsyncIterator[aiocoap.Context]:
    context = await aiocoap.Context.create_client_context(transports=["oscore", "simple6"])
    keys: Any = oscore.FilesystemSecurityContext(str(folder)) if folder else None
    if keys is not None:
        context.client_credentials[f"{served.origin}/*"] = keys
    try:
        yield context
    finally:
        await context.shutdown()
        if keys is not None:
            keys._destroy()  # as the servient does


async def ask(
    context: aiocoap.Context, served: Served, code: Any, path: str, **options: Any
) -> Any:
    request = aiocoap.Message(code=code, uri=served.origin + path, **options)
    async with asyncio.timeout(DEADLINE_SECONDS):
        try:
            return await context.request(request).response
        except oscore.NotAProtectedMessage as refusal:  # nobody protects what has no context
            return refusal.plain_message


OPERATIONS = [
    (GET, f"{PATH}/properties/level", b"", "01"),
    (PUT, f"{PATH}/properties/level", b"7", "02"),
    (POST, f"{PATH}/actions/double", b'{"number": 4}', "02"),
    (GET, f"{PATH}/properties", b"", "01"),
    (PUT, f"{PATH}/properties", b'{"level": 3}', "02"),
    (GET, f"{PATH}/actions/double/99", b"", "01"),
    (DELETE, f"{PATH}/actions/double/99", b"", "02"),
    (GET, PATH, b"", "01"),
]


@pytest.mark.parametrize(("code", "path", "payload", "right"), OPERATIONS)
async def test_an_operation_takes_its_scope(
    served: Served, tmp_path: Path, code: Any, path: str, payload: bytes, right: str
) -> None:
    async def answer(folder: Path | None) -> Any:
        async with client(served, folder) as context:
            return await ask(context, served, code, path, payload=payload, content_format=50)

    assert (await answer(None)).code is aiocoap.UNAUTHORIZED
    unknown = write_context(tmp_path / "unknown", "0f", "")
    assert (await answer(unknown)).code is aiocoap.UNAUTHORIZED
    wrong = write_context(tmp_path / "wrong", right, "", "33" * 16)
    assert (await answer(wrong)).code is aiocoap.BAD_REQUEST
    for name in ("01", "02"):
        code_of_it = (await answer(write_context(tmp_path / f"client-{name}", name, ""))).code
        if name == right:
            assert code_of_it.is_successful() or code_of_it is aiocoap.NOT_FOUND
        else:
            assert code_of_it is aiocoap.FORBIDDEN


async def test_a_body_in_blocks_and_an_observation_are_protected(
    served: Served, tmp_path: Path
) -> None:
    folder = write_context(tmp_path / "ann", "01", "")
    async with client(served, folder) as context:
        td = await ask(context, served, GET, PATH)
        assert len(td.payload) > 1024
        assert json.loads(td.payload)["title"] == f"Lamp {THING}"
        uri = f"{served.origin}{PATH}/properties/level"
        request = context.request(aiocoap.Message(code=GET, uri=uri, observe=0))
        async with asyncio.timeout(DEADLINE_SECONDS):
            await request.response
            observed: Any = aiter(request.observation)
            for value in (5, 6):
                await served.lamp.write_property("level", value)
                assert json.loads((await anext(observed)).payload) == value
            request.observation.cancel()


async def test_a_recording_is_not_carried_out(served: Served, tmp_path: Path) -> None:
    keys: Any = oscore.FilesystemSecurityContext(str(write_context(tmp_path / "bob", "02", "")))
    request = aiocoap.Message(code=POST, payload=b'{"number": 4}')
    request.opt.uri_path = ("things", THING, "actions", "double")
    request.opt.content_format = 50
    protected, identifiers = keys.protect(request)
    peer = RawPeer(served.binding.port)
    codes = []
    for number in (1, 2):
        protected.mtype, protected.mid, protected.token = aiocoap.CON, number, bytes([number])
        await peer.send(protected)
        answer = await peer.receive()
        codes.append(answer.code)
        if number == 1:
            answer.direction = aiocoap.message.Direction.INCOMING
            opened, _ = keys.unprotect(answer, identifiers)
            assert (opened.code, opened.payload) == (aiocoap.CHANGED, b"8")
    peer.close()
    assert codes == [aiocoap.CHANGED, aiocoap.UNAUTHORIZED]
    assert len(list(served.servient.invocations)) == 1


@pytest.mark.parametrize(
    "option", [b"", b"\x00", b"\x10", b"\x18", b"\x07a", b"\xff" * 20, b"\x09\x00\x01"]
)
@pytest.mark.parametrize("payload", [b"", b"x", b"x" * 40])
async def test_hostile_options_are_refused(served: Served, option: bytes, payload: bytes) -> None:
    peer = RawPeer(served.binding.port)
    answer = await peer.ask(POST, PATH, oscore=option, payload=payload)
    peer.close()
    assert answer.code in (aiocoap.UNAUTHORIZED, aiocoap.BAD_OPTION, aiocoap.BAD_REQUEST)


async def test_a_restart_asks_who_comes_to_be_fresh(tmp_path: Path) -> None:
    folders = {write_context(tmp_path / "01", "", "01"): somebody("ann", Scope.READ)}
    own = write_context(tmp_path / "ann", "01", "")
    for _ in range(2):
        async with serving(folders) as served, client(served, own) as context:
            answer = await ask(context, served, GET, f"{PATH}/properties/level")
            assert answer.code is aiocoap.CONTENT
    # As a crash leaves it: nobody knows what has come already.
    (tmp_path / "01" / "sequence.json").write_text('{"next-to-send": 50, "received": "unknown"}')
    async with serving(folders) as served, client(served, own) as context:
        answer = await ask(context, served, GET, f"{PATH}/properties/level")
        assert answer.code is aiocoap.CONTENT


@pytest.mark.parametrize(
    ("text", "mode", "reason"),
    [
        ("{}", 0o600, "sender-id_hex"),
        ("no", 0o600, "JSON"),
        (None, 0o644, "nobody else"),
        ('{"sender-id_hex": "00", "recipient-id_hex": "01", "secret_hex": "00"}', 0o600, "secret"),
    ],
)
async def test_a_context_of_no_use_is_an_error_at_start(
    tmp_path: Path, text: str | None, mode: int, reason: str
) -> None:
    folder = write_context(tmp_path / "01", "", "01")
    if text is not None:
        (folder / "settings.json").write_text(text)
    (folder / "settings.json").chmod(mode)
    with pytest.raises(Exception, match=reason):
        async with serving({folder: somebody("ann", Scope.READ)}):
            pass


async def test_the_forms_say_so(served: Served) -> None:
    td = served.servient.td(served.lamp)
    assert validate_td(td) == []
    assert td["securityDefinitions"]["oscore_sc"]["scheme"] == "psk"
    assert all(form["security"] == ["oscore_sc"] for form in td["properties"]["level"]["forms"])
