"""The CoAP binding as the servient sees it: a life, and forms."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wotpy.protocols.enums import Protocols

from servient.bindings.coap.endpoint import Endpoint
from servient.bindings.coap.forms import to_forms, to_thing_forms
from servient.bindings.coap.security import SECURITY
from servient.bindings.coap.site import Site
from servient.bindings.paths import affordance_path, thing_path
from servient.errors import InvalidInput
from servient.wot.access import Principal
from servient.wot.binding import Binding
from servient.wot.description import Affordance, Description, Form, Security
from servient.wot.servient import Servient

if TYPE_CHECKING:
    from servient.bindings.coap.oscore import Guard

BODY_LIMIT_BYTES = 8 * 1024 * 1024


class CoapBinding(Binding):
    """Serves Things over CoAP on one UDP address.

    `public_host` stands in forms; `host` and `port` are where it listens, port 0 being any free one.
    `directory_thing` is the name of the servient's own Thing, described at `/.well-known/wot`.
    With `oscore`, folders of security contexts and whose they are, requests have to be protected.
    """

    def __init__(
        self,
        public_host: str,
        host: str = "127.0.0.1",
        port: int = 5683,
        *,
        body_limit_bytes: int = BODY_LIMIT_BYTES,
        directory_thing: str | None = None,
        oscore: Mapping[Path, Principal] | None = None,
    ) -> None:
        super().__init__(public_host, port)
        self._host = host
        self._body_limit_bytes = body_limit_bytes
        self._directory_thing = directory_thing
        self._oscore = oscore
        self._guard: Guard | None = None
        self._endpoint: Endpoint | None = None
        self._site: Site | None = None

    @property
    def protocol(self) -> str:
        coap: str = Protocols.COAP
        return coap

    # Life

    async def start(self, servient: Servient) -> None:
        """Raises OSError when it cannot listen, and for a security context that is of no use."""
        site = Site(servient, self._directory_thing, self._body_limit_bytes)
        # Not in a thread: the locks of the folders belong to the thread that takes them.
        try:
            guard = self._make_guard(site)
        except (ValueError, InvalidInput) as error:
            raise OSError(f"CoAP cannot be served: {error}") from error
        try:
            # What is protected is protected as aiocoap's messages.
            ways = (guard.respond,) if guard else (site.respond, site.begin)
            self._endpoint = await Endpoint.open(self._host, self.port, *ways)
        except BaseException:
            if guard is not None:
                guard.close()
            raise
        self._guard = guard
        self._site = site
        self._port: int = self._endpoint.port
        servient.refresh_forms()  # the port may have become known only now

    def _make_guard(self, site: Site) -> "Guard | None":
        """Raises ValueError and InvalidInput."""
        if self._oscore is None:
            return None
        # Here, since the library that encrypts is large, and an open servient does without it.
        from servient.bindings.coap.oscore import Guard  # noqa: PLC0415

        return Guard(site.respond, self._oscore)

    async def stop(self) -> None:
        endpoint, site = self._endpoint, self._site
        self._endpoint = self._site = None
        if endpoint is not None and site is not None:
            site.end()
            await endpoint.close()
            site.close()
        guard, self._guard = self._guard, None
        if guard is not None:
            guard.close()

    @property
    def observers(self) -> int:
        """How many observations and subscriptions there are."""
        return len(self._site.observations) if self._site else 0

    # Descriptions

    @property
    def origin(self) -> str:
        host = f"[{self.public_host}]" if ":" in self.public_host else self.public_host
        return f"coap://{host}:{self.port}"

    def forms(self, thing: Description, affordance: Affordance) -> list[Form]:
        return to_forms(self.origin + affordance_path(thing.name, affordance), affordance)

    def thing_forms(self, thing: Description) -> list[Form]:
        return to_thing_forms(self.origin + thing_path(thing.name), thing)

    def security(self) -> Security | None:
        return SECURITY if self._oscore is not None else None

    def build_base_url(self, hostname: str, thing: Any) -> str:
        """WoTPy's way to ask where a Thing is, or where all are."""
        return self.origin + (thing_path(thing.url_name) if thing is not None else "")
