"""Routes that others add."""

from collections.abc import Mapping
from typing import Any

import pytest

from servient.bindings.http.messages import Handler, Request, Response
from servient.errors import Busy, Conflict
from servient.wot.content import Content
from tests.bindings.http.serving import Serving, is_problem, serve


class Echo:
    """Tells what it was asked."""

    def find(self, segments: tuple[str, ...]) -> Mapping[str, Handler] | None:
        match segments:
            case ("deploy", *_) | ("things", "lamp:1"):
                return {"GET": self.tell, "POST": self.tell_form}
            case ("files", name):
                return {"GET": lambda _: self.file(name)}
            case ("fail", kind):
                return {"GET": lambda _: self.fail(kind)}
        return None

    async def tell(self, request: Request) -> Response:
        told: dict[str, Any] = {
            "method": request.method,
            "segments": request.segments,
            "path": request.path,
            "query": request.query,
            "host": request.host,
            "scheme": request.scheme,
            "client": request.client,
            "header": request.headers.get("x-chain-step"),
            "body": (await request.body()).decode(),
        }
        return Response.json(201, told, headers=(("Location", "/x"),))

    async def tell_form(self, request: Request) -> Response:
        return Response.json(200, {n: str(field) for n, field in (await request.form()).items()})

    async def file(self, name: str) -> Response:
        return Response.file(Content(name.encode(), "text/plain; charset=utf-8"))

    async def fail(self, kind: str) -> Response:
        errors = {
            "conflict": Conflict("there is one"),
            "busy": Busy("later"),
            "bug": RuntimeError("the password is 1234"),
        }
        raise errors[kind]


@pytest.fixture
async def serving() -> Any:
    async with serve(extensions=[Echo()]) as running:
        yield running


async def test_a_handler_sees_the_request(serving: Serving) -> None:
    answer = await serving.raw(
        b"GET //deploy/a%2Fb/?x=7&y=%20&x= HTTP/1.1\r\nHost: me:80\r\nX-Chain-Step: 2\r\n"
        b"Content-Length: 2\r\nConnection: close\r\n\r\nhi"
    )
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"location: /x\r\n" in head
    told = {
        "method": "GET",
        "segments": ["deploy", "a/b", ""],
        "path": "//deploy/a%2Fb/",
        "query": [["x", "7"], ["y", " "], ["x", ""]],
        "host": "me:80",
        "scheme": "http",
        "client": "127.0.0.1",
        "header": "2",
        "body": "hi",
    }
    assert Response.json(201, told).body == body


async def test_a_handler_sees_a_form(serving: Serving) -> None:
    form = {"image.jpeg": ("blob", b"x", "application/octet-stream"), "text": (None, "hi")}
    answer = await serving.send("POST", "/deploy", files=form)
    assert answer.json() == {
        "image.jpeg": str(Content(b"x", "application/octet-stream")),
        "text": "hi",
    }
    assert is_problem(await serving.send("POST", "/deploy", json={}), 415)


async def test_files_have_their_media_type(serving: Serving) -> None:
    answer = await serving.get("/files/n")
    assert (answer.headers["content-type"], answer.text) == ("text/plain; charset=utf-8", "n")
    head = await serving.send("HEAD", "/files/n")
    assert (head.status_code, head.content) == (200, b"")


async def test_errors_of_handlers_are_problems(serving: Serving) -> None:
    assert is_problem(await serving.get("/fail/conflict"), 409)
    assert is_problem(await serving.get("/fail/busy"), 503)
    assert is_problem(await serving.send("PUT", "/fail/conflict"), 405)


async def test_a_bug_is_not_explained_to_the_client(
    serving: Serving, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await serving.get("/fail/bug")
    assert is_problem(answer, 500)
    assert "1234" not in answer.text
    assert "1234" in caplog.text


async def test_the_web_of_things_comes_first(serving: Serving) -> None:
    assert (await serving.get("/things/lamp:1")).json()["title"] == "Lamp lamp:1"


async def test_a_query_that_cannot_be_read_is_a_problem(serving: Serving) -> None:
    assert is_problem(await serving.get("/deploy?" + "&".join("a=1" for _ in range(300))), 400)
    assert is_problem(await serving.get("/deploy?a=%ff"), 400)
