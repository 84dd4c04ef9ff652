"""Calls the next steps of chains over HTTP: bounded in size and time, tried again where that is safe."""

import asyncio
import socket
from collections.abc import Mapping
from urllib.parse import urlencode

import httpx

from converters.deployment import Endpoint
from converters.shown_url import shown_url
from servient.deployment.handover import Handover
from servient.deployment.origins import origin_of
from servient.deployment.step_answer import read_answer, step_failed
from servient.deployment.step_limits import StepLimits
from servient.errors import DeadlineExceeded
from servient.version import VERSION
from servient.wot import tracing

# Methods whose requests may be sent twice (RFC 9110, section 9.2.2).
IDEMPOTENT = frozenset({"get", "put", "head", "options", "delete"})
PAUSES_SECONDS = (0.1, 0.4)
# Below the five seconds after which common servers close a connection that nobody uses: a request
# that meets such an end cannot be told from one that was lost on the way.
KEEP_ALIVE_SECONDS = 2.0

_NOT_SENT = (httpx.ConnectError, httpx.ProxyError)
_LOST = (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)


class StepClient:
    """An HTTP client for all chains; to be closed when it was used.

    Redirects are not followed: where results go is for the manifest to say. Proxies and netrc files
    of the environment are not used.
    """

    def __init__(self, limits: StepLimits, tokens: Mapping[str, str]) -> None:
        """`tokens` are shown at the origins that are their keys (RFC 6750), and nowhere else."""
        self._limits = limits
        self._tokens = {origin_of(origin): token for origin, token in tokens.items()}
        self._client = httpx.AsyncClient(
            follow_redirects=False,
            trust_env=False,
            timeout=httpx.Timeout(None, connect=limits.connect_seconds),
            limits=httpx.Limits(
                max_connections=limits.connections,
                max_keepalive_connections=limits.idle_connections,
                keepalive_expiry=KEEP_ALIVE_SECONDS,
            ),
            headers={"User-Agent": f"wasm-servient/{VERSION}", "Accept-Encoding": "identity"},
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def call(
        self, url: str, endpoint: Endpoint, handover: Handover, headers: Mapping[str, str]
    ) -> str:
        """Take the step at `url`, and return where its result is.

        Raises NextStepFailed, and DeadlineExceeded when the answer did not come in time.
        """
        try:
            async with asyncio.timeout(self._limits.deadline_seconds):
                return await self._until_answered(url, endpoint, handover, headers)
        except TimeoutError as error:
            limit = f"{self._limits.deadline_seconds:g} s"
            raise DeadlineExceeded(
                f"the step {shown_url(url)} did not answer within {limit}"
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise step_failed(url, _reason(error)) from error

    async def _until_answered(
        self, url: str, endpoint: Endpoint, handover: Handover, headers: Mapping[str, str]
    ) -> str:
        for pause_seconds in PAUSES_SECONDS:
            try:
                return await self._try(url, endpoint, handover, headers)
            except _NOT_SENT:
                await asyncio.sleep(pause_seconds)
            except _Unanswered:
                if endpoint.method not in IDEMPOTENT:
                    raise
                await asyncio.sleep(pause_seconds)
        return await self._try(url, endpoint, handover, headers)

    async def _try(
        self, url: str, endpoint: Endpoint, handover: Handover, headers: Mapping[str, str]
    ) -> str:
        query = urlencode(handover.query(endpoint))
        if (token := self._tokens.get(origin_of(url))) is not None:
            headers = {**headers, "Authorization": f"Bearer {token}"}
        if trace := tracing.TRACEPARENT.get():
            headers = {tracing.NAME: trace, **headers}  # of a chain that began over another wire
        request = self._client.build_request(
            endpoint.method.upper(),
            f"{url}?{query}" if query else url,
            headers=headers,
            files=[
                (name, ("blob", file.body, file.media_type))
                for name, file in handover.files.items()
            ],
        )
        try:
            response = await self._client.send(request, stream=True)
        except _LOST as error:
            raise _Unanswered(_reason(error)) from error
        try:
            return read_answer(url, response.status_code, await self._read(url, response))
        finally:
            await response.aclose()

    async def _read(self, url: str, response: httpx.Response) -> bytes:
        if response.headers.get("Content-Encoding", "identity") != "identity":
            # What unpacks to more than its limit would do so in one step.
            raise step_failed(url, "its answer came compressed, which was not asked for")
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > self._limits.answer_bytes:
                limit = f"{self._limits.answer_bytes} bytes"
                raise step_failed(url, f"its answer is larger than {limit}")
        return bytes(body)


class _Unanswered(httpx.HTTPError):
    """The connection was lost before there was an answer: the request may have had its effect."""


def _reason(error: BaseException) -> str:
    """Why a step cannot be reached, from whichever layer says it plainly."""
    cause: BaseException | None = error
    while cause is not None:
        match cause:
            case httpx.ConnectTimeout():
                return "it cannot be reached: nobody answers there"
            case ConnectionRefusedError():
                return "it cannot be reached: connection refused"
            case socket.gaierror():
                return "it cannot be reached: there is no such host"
            case ConnectionResetError():
                return "the connection was reset before it answered"
        cause = cause.__cause__ or cause.__context__
    return str(error) or type(error).__name__
