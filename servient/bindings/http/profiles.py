"""Which W3C profiles of HTTP a Thing keeps to (WoT Profile, sections 4 to 6)."""

from collections.abc import Mapping
from typing import Any

from servient.wot.description import Affordance, Description, Security
from servient.wot.operations import AffordanceKind

HTTP_BASIC = "https://www.w3.org/2022/wot/profile/http-basic/v1"
HTTP_SSE = "https://www.w3.org/2022/wot/profile/http-sse/v1"


def profiles_of(thing: Description, security: Security | None = None) -> list[str]:
    """Both or none: what the binding does keeps to them, what a program's TD says may not.

    `security` is what the binding wants of clients, if it wants anything.
    """
    fits = _is_open(thing.document) if security is None else _is_basic(security)
    # Section 4: only a description of TD 1.1 may have the member.
    holds = thing.is_of_td_1_1 and fits and all(_is_ours(each) for each in thing)
    return [HTTP_BASIC, HTTP_SSE] if holds else []


def _is_open(document: Mapping[str, Any]) -> bool:
    """Section 5.3: the security that is declared is the one that there is, which is none."""
    names = document["security"]
    schemes = document["securityDefinitions"]
    return all(
        schemes[name]["scheme"] == "nosec"
        for name in ([names] if isinstance(names, str) else names)
    )


def _is_basic(security: Security) -> bool:
    """Section 5.3: a password is enough, alone or as one of several ways."""
    definition = security.definitions[security.name]
    names = definition["oneOf"] if definition["scheme"] == "combo" else [security.name]
    return any(security.definitions[name]["scheme"] == "basic" for name in names)


def _is_ours(affordance: Affordance) -> bool:
    """Reached by our forms alone, and an action that says how it answers (section 6.2.2.1)."""
    definition = affordance.definition
    if definition.get("forms") or definition.get("uriVariables"):
        return False
    return affordance.kind is not AffordanceKind.ACTION or isinstance(
        definition.get("synchronous"), bool
    )
