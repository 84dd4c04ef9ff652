"""Programs written for WoTPy 0.14: Thing Descriptions and handlers as they had them."""

import functools
import inspect
import json
from collections.abc import Callable, Mapping
from typing import Any

CONTEXT = "https://www.w3.org/2022/wot/td/v1.1"
NO_SECURITY = {"nosec_sc": {"scheme": "nosec"}}


def is_old(document: Mapping[str, Any]) -> bool:
    """Whether a description is of before TD 1.0: with a `name`, or without what is mandatory since."""
    return "title" not in document or "@context" not in document


def modernize(document: Mapping[str, Any]) -> dict[str, Any]:
    """The same with what TD 1.1 wants: a title, a context, security."""
    found = dict(document)
    title = found.pop("name", None) if "title" not in found else None
    if title or "title" not in found:
        found["title"] = title or found.get("id") or "Thing"
    found.setdefault("@context", CONTEXT)
    if "securityDefinitions" not in found:
        found["securityDefinitions"] = NO_SECURITY
        found["security"] = ["nosec_sc"]
    found.setdefault("security", list(found["securityDefinitions"])[:1])
    return found


class CompatibleWot:
    """An entry point that also takes what old programs produce."""

    def __init__(self, wot: Any) -> None:
        self._wot = wot

    def __getattr__(self, name: str) -> Any:
        return getattr(self._wot, name)

    def produce(self, model: Any, *arguments: Any, **options: Any) -> Any:
        document = _read(model)
        if document is None or not is_old(document):
            return self._wot.produce(model, *arguments, **options)
        thing = self._wot.produce(modernize(document), *arguments, **options)
        for name in document.get("properties", {}):
            # What has no value yet was null, not an error.
            thing.set_property_read_handler(name, functools.partial(_stored, thing, name))
        return OldThing(thing)


class OldThing:
    """An exposed Thing whose action handlers are given `{"input": …}`."""

    def __init__(self, thing: Any) -> None:
        self._thing = thing

    def __getattr__(self, name: str) -> Any:
        return getattr(self._thing, name)

    def set_action_handler(self, name: str, action_handler: Callable[..., Any]) -> None:
        self._thing.set_action_handler(name, with_old_input(action_handler))

    def add_action(self, name: str, action_init: Any, action_handler: Any = None) -> None:
        handler = with_old_input(action_handler) if action_handler else None
        self._thing.add_action(name, action_init, handler)


async def _stored(thing: Any, name: str) -> Any:
    return thing.value_of(name)


def with_old_input(handler: Callable[..., Any]) -> Callable[..., Any]:
    """A handler for the input itself, of one for a dict that holds it."""

    async def handle(value: Any) -> Any:
        returned = handler({"input": value})
        return await returned if inspect.isawaitable(returned) else returned

    return handle


def _read(model: Any) -> dict[str, Any] | None:
    """The document of a model; None of what is for WoTPy to judge."""
    if isinstance(model, str | bytes):
        try:
            model = json.loads(model)
        except ValueError:
            return None
    return model if isinstance(model, dict) else None
