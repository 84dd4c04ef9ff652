"""The terms that Thing Descriptions use beyond those of W3C."""

import json

from docs.generator.markdown import code, page, table
from thing_descriptions.models import load_vocabulary

INTRODUCTION = """\
The JSON-LD document is served at `/vocabulary`, and is
[thing_descriptions/vocabulary.jsonld](../../thing_descriptions/vocabulary.jsonld). `wasm:` stands for"""


def vocabulary() -> str:
    document = json.loads(load_vocabulary())
    terms = {each["@id"]: each for each in document["@graph"] if each["@id"].startswith("wasm:")}
    rows = (
        (
            code(name),
            _where(each.get("rdfs:domain") or each.get("rdfs:subClassOf") or {}),
            each["rdfs:comment"],
        )
        for name, each in sorted(terms.items())
    )
    prefix = code(document["@context"]["wasm"])
    return page("Vocabulary", f"{INTRODUCTION} {prefix}.", table(("term", "of", "means"), rows))


def _where(domain: dict[str, str]) -> str:
    return code(domain.get("@id", ""))
