"""What a wire has to offer to be a binding: a life, and forms."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from wotpy.protocols.server import BaseProtocolServer
from wotpy.wot.form import Form as WotpyForm

from servient.wot.description import Affordance, Description, Form, Security
from servient.wot.operations import AffordanceKind

_KINDS = {
    "property": AffordanceKind.PROPERTY,
    "action": AffordanceKind.ACTION,
    "event": AffordanceKind.EVENT,
}


class Binding(BaseProtocolServer):
    """A protocol server whose forms are a pure function of a description.

    Bindings look Things up in the servient per request, so exposing a Thing registers nothing;
    only a binding that speaks first (MQTT) overrides `add_exposed_thing` and `remove_exposed_thing`.
    `public_host` is the name under which consumers reach this machine.
    """

    def __init__(self, public_host: str, port: int) -> None:
        super().__init__(port=port)
        self.public_host = public_host

    @abstractmethod
    def forms(self, thing: Description, affordance: Affordance) -> list[Form]:
        """How a consumer reaches this affordance over this wire."""

    def thing_forms(self, thing: Description) -> list[Form]:
        """How a consumer reaches the Thing as a whole; none unless a binding says otherwise."""
        return []

    def profiles(self, thing: Description) -> list[str]:
        """The W3C profiles that the Thing keeps to over this wire; none unless a binding says so."""
        return []

    def security(self) -> Security | None:
        """The credentials that every request over this wire takes; None when it takes none."""
        return None

    def add_exposed_thing(self, exposed_thing: Any) -> None:
        """A Thing is now served."""

    def remove_exposed_thing(self, thing_id: str) -> None:
        """The Thing of that title is no longer served."""

    def build_forms(self, hostname: str, interaction: Any) -> Sequence[WotpyForm]:
        """WoTPy's way to ask for forms, for programs that use it."""
        document = interaction.thing.described
        affordance = document.find(_KINDS[interaction.interaction_type.lower()], interaction.name)
        return [
            WotpyForm(
                interaction=interaction,
                protocol=self.protocol,
                href=form["href"],
                content_type=form.get("contentType", affordance.media_type),
                op=form.get("op"),
            )
            for form in self.forms(document, affordance)
        ]
