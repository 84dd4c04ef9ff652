"""Loads our Thing Models and vocabulary, and makes Thing Descriptions of the models."""

import json
import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

from thing_descriptions.builder import without_empties

MODULE_MODEL = "module.tm.json"
SERVIENT_MODEL = "servient.tm.json"
VOCABULARY_FILE = "vocabulary.jsonld"

_MODEL_TYPE = "tm:ThingModel"
# TD 1.1 section 9.3.4 ("Placeholder").
_PLACEHOLDER = re.compile(r"\{\{([ -z]+?)\}\}")


@cache
def load_model(name: str) -> Mapping[str, Any]:
    """A packaged Thing Model, by its file's name; not to be changed."""
    text = resources.files("thing_descriptions").joinpath(name).read_text(encoding="utf-8")
    return MappingProxyType(json.loads(text))


@cache
def load_vocabulary() -> bytes:
    """The JSON-LD document that defines our own terms, and is a context of them too."""
    return resources.files("thing_descriptions").joinpath(VOCABULARY_FILE).read_bytes()


def instantiate(model: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    """The partial Thing Description that a model gives with `values` in its placeholders.

    Raises KeyError for a placeholder without a value.
    """
    document = fill(
        {name: member for name, member in model.items() if not name.startswith("tm:")}, values
    )
    types = [name for name in document["@type"] if name != _MODEL_TYPE]
    document["@type"] = types[0] if len(types) == 1 else types
    # A model's version is not the version of what is made of it (TD 1.1 section 5.3.1.2).
    document.pop("version", None)
    complete: dict[str, Any] = without_empties(document)
    return complete


def fill(template: Any, values: Mapping[str, str]) -> Any:
    """A copy of a part of a model with its placeholders replaced; values are not looked into."""
    if isinstance(template, Mapping):
        return {name: fill(member, values) for name, member in template.items()}
    if isinstance(template, list):
        return [fill(element, values) for element in template]
    if isinstance(template, str):
        return _PLACEHOLDER.sub(lambda match: values[match[1]], template)
    return template
