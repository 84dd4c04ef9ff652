"""Files that modules send to other machines over HTTP."""

import httpx

from servient.version import VERSION


class Post:
    """What sends them; it fails with OSError."""

    def __init__(self) -> None:
        # Made once: it takes longer than a request.
        self._tls = httpx.create_ssl_context()

    async def __call__(self, url: str, field: str, data: bytes) -> int:
        """The status; the answer's body is not looked at."""
        client = httpx.AsyncClient(
            follow_redirects=False,
            trust_env=False,
            timeout=None,  # noqa: S113 - the guest's deadline bounds it
            verify=self._tls,
            headers={"User-Agent": f"wasm-servient/{VERSION}"},
        )
        file = (field, data, "application/octet-stream")
        try:
            async with client, client.stream("POST", url, files={field: file}) as answer:
                return answer.status_code
        except httpx.HTTPError as error:
            raise OSError(str(error) or type(error).__name__) from error
