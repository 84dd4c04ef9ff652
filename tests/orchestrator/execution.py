"""Calls a deployed function, and follows its answers to the result, as an orchestrator does."""

import asyncio
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus
from typing import Any

import aiohttp

from tests.orchestrator.javascript import is_truthy, to_url

TRIES_LIMIT = 5
# An orchestrator has no such limit: it asks on for ever, and so hides that nothing comes.
LINKS_LIMIT = 20


class Body(Enum):
    """What is sent to a function that reads no file: content and media type."""

    NODE = (b"[object Object]", "text/plain;charset=UTF-8")
    RUST = (json.dumps({"foo": "bar"}).encode(), "application/json")


class ExecutionFailed(Exception):
    """What the orchestrator shows its user. `reason` may be no more than a status text."""

    def __init__(self, status: int, reason: Any) -> None:
        super().__init__(f"{status}: {reason}")
        self.status = status
        self.reason = str(reason)


@dataclass(frozen=True, slots=True)
class Executed:
    """The final result and what led to it: answers in their order, waits for what was not ready."""

    result: Any
    answers: list[dict[str, Any]] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    waits: int = 0

    @property
    def value(self) -> Any:
        """The JSON value among the result, which comes as a string."""
        text, files = self.result
        assert files is None
        return json.loads(text)


class Caller:
    """`wait_seconds` is between the tries for an answer that is not ready: 5 s in earnest."""

    def __init__(
        self, client: aiohttp.ClientSession, body: Body = Body.NODE, wait_seconds: float = 0.2
    ) -> None:
        self._client = client
        self._body = body
        self._wait_seconds = wait_seconds

    async def execute(
        self,
        endpoint: Mapping[str, Any],
        arguments: Mapping[str, Any],
        files: Mapping[str, bytes],
        headers: Mapping[str, str] | None = None,
    ) -> Executed:
        """Raises ExecutionFailed."""
        url = endpoint["url"] + endpoint["path"]
        names = [each["name"] for each in endpoint["request"]["parameters"]]
        # In the order of what the user gave, which need not be that of the parameters.
        query = [(name, str(value)) for name, value in arguments.items() if name in names]
        sent = {} if endpoint["method"] == "get" else self._data(endpoint, files)
        more = {**(headers or {}), **sent.pop("headers", {})}
        async with self._client.request(
            endpoint["method"].upper(), url, params=query, headers=more, **sent
        ) as answer:
            if not answer.ok:
                raise ExecutionFailed(answer.status, _status_text(answer))
            first = await answer.json()
        return await _Following(self._client, self._wait_seconds).result(first)

    def _data(self, endpoint: Mapping[str, Any], files: Mapping[str, bytes]) -> dict[str, Any]:
        if "request_body" not in endpoint["request"]:
            content, media_type = self._body.value
            return {"data": content, "headers": {"Content-Type": media_type}}
        form = aiohttp.FormData()
        for name, body in files.items():
            media_type = "application/octet-stream"
            form.add_field(name, io.BytesIO(body), filename="blob", content_type=media_type)
        return {"data": form}


class _Following:
    """One walk from answer to answer."""

    def __init__(self, client: aiohttp.ClientSession, wait_seconds: float) -> None:
        self._client = client
        self._wait_seconds = wait_seconds
        self._answers: list[dict[str, Any]] = []
        self._links: list[str] = []
        self._waits = 0

    async def result(self, answer: dict[str, Any]) -> Executed:
        while True:
            self._answers.append(answer)
            result = answer.get("result")
            if is_truthy(result) and answer.get("status") != "error":
                link = to_url(result)
                if link is None:
                    return Executed(result, self._answers, self._links, self._waits)
            elif is_truthy(answer.get("error")):
                raise ExecutionFailed(500, answer["error"])
            else:
                link = answer["resultUrl"]
            answer = await self._follow(link)

    async def _follow(self, link: str) -> dict[str, Any]:
        assert len(self._links) < LINKS_LIMIT, f"would ask for ever: {self._links}"
        self._links.append(link)
        for _ in range(TRIES_LIMIT):
            async with self._client.get(link) as answer:
                if answer.ok:
                    document: dict[str, Any] = await answer.json()
                    return document
                if answer.status != HTTPStatus.NOT_FOUND:
                    raise ExecutionFailed(answer.status, _status_text(answer))
                # Such an answer is looked at as well: an error in it is final.
                if is_truthy(_said(await answer.text()).get("error")):
                    raise ExecutionFailed(404, _status_text(answer))
            self._waits += 1
            await asyncio.sleep(self._wait_seconds)
        raise ExecutionFailed(404, "Not Found")


def _said(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _status_text(answer: aiohttp.ClientResponse) -> str:
    return answer.reason or HTTPStatus(answer.status).phrase
