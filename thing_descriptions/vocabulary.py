"""The terms of our Thing Descriptions: contexts, prefixes and the names of our own vocabulary."""

from collections.abc import Iterable, Mapping
from typing import Any

TD_CONTEXT = "https://www.w3.org/2022/wot/td/v1.1"
DISCOVERY_CONTEXT = "https://www.w3.org/2022/wot/discovery"

URN = "urn:wasm-servient"
VOCABULARY = f"{URN}:vocabulary#"

# The binding documents' prefixes, which the context of TD 1.1 does not declare; forms use them.
PREFIXES = {
    "wasm": VOCABULARY,
    "cov": "https://www.w3.org/2019/wot/coap#",
    "mqv": "https://www.w3.org/2019/wot/mqtt#",
}

# Declared by the context of TD 1.1 itself, besides its plain terms.
CONTEXT_PREFIXES = frozenset(
    {"dct", "hctl", "htv", "jsonschema", "rdfs", "td", "tm", "wotsec", "xsd"}
)

# Of the Thing of a module.
MODULE_TYPE = "wasm:Module"
DEPLOYMENT = "wasm:deployment"
MODULE = "wasm:module"
MODULE_ID = "wasm:moduleId"
# Where it says that its instance was replaced, and its state lost.
GENERATION_PROPERTY = "wasm:generationProperty"
REPLACED_EVENT = "wasm:replacedEvent"

# Of an action of such a Thing: the export that it calls, and where an outcome is published.
FUNCTION = "wasm:function"
RESULT_PROPERTY = "wasm:resultProperty"
COMPLETED_EVENT = "wasm:completedEvent"
FAILED_EVENT = "wasm:failedEvent"

# Of an action that takes another scope than `invoke`.
SCOPE = "wasm:scope"

# Of an action whose function writes files besides its result: the properties that hold the last ones.
FILE_PROPERTIES = "wasm:fileProperties"

# Of a property that is a file: its name in the module's folder.
FILE = "wasm:file"

# Of what an OpenAPI document describes: OpenAPI's own words that TD 1.1 has no term for.
OPERATION_ID = "wasm:operationId"
TAGS = "wasm:tags"
DEPRECATED = "wasm:deprecated"
DISCRIMINATOR = "wasm:discriminator"
EXAMPLE = "wasm:example"
EXTERNAL_DOCS = "wasm:externalDocs"
CALLBACK = "wasm:callback"

# Of the Thing of the servient.
SERVIENT_TYPE = "wasm:Servient"
DIRECTORY_TYPE = "ThingDirectory"


def context(*further: str) -> list[Any]:
    """The @context of a TD of ours: TD 1.1, `further` context documents, our prefixes."""
    return [TD_CONTEXT, *further, dict(PREFIXES)]


def with_prefixes(context: Any, forms: Iterable[Mapping[str, Any]]) -> Any:
    """An @context that declares our prefixes as far as the forms' members need them."""
    entries = context if isinstance(context, list) else [context]
    declared = {name for entry in entries if isinstance(entry, dict) for name in entry}
    used = {term.partition(":")[0] for form in forms for term in form if ":" in term}
    missing = {name: iri for name, iri in PREFIXES.items() if name in used - declared}
    return [*entries, missing] if missing else context
