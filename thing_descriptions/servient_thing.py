"""The Thing of the servient itself: what it runs, how it is, and how to deploy to it."""

from typing import Any
from urllib.parse import quote

from thing_descriptions.models import SERVIENT_MODEL, instantiate, load_model


def servient_td(name: str, servient_id: str) -> dict[str, Any]:
    """Its Thing Description without forms."""
    values = {"SERVIENT_NAME": name, "SERVIENT_ID": quote(servient_id, safe="")}
    return instantiate(load_model(SERVIENT_MODEL), values)
