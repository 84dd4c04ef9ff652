"""What a document says about an API as a whole."""

from collections.abc import Iterator
from typing import Any

from converters.errors import ConversionError
from converters.losses import Losses
from converters.reading import Node
from converters.schema_words import PROSE_LIMIT_CHARS

URL_LIMIT_CHARS = 2048

_WORDS = "TD 1.1 has no word for it"


def describe_api(root: Node, losses: Losses) -> dict[str, Any]:
    """Title, description, version, support and links of the Thing. Raises ConversionError."""
    info = root.member("info")
    if not info.is_object:
        raise info.fail("expected an object that says what the API is")
    known = {"title", "description", "version", "contact", "license", "termsOfService"}
    losses.rest(info, known)
    version = info.member("version").value
    contact = info.member("contact")
    described = {
        "title": info.member("title").prose(PROSE_LIMIT_CHARS) or "API",
        "description": info.member("description").prose(PROSE_LIMIT_CHARS),
        "version": {"instance": str(version)[:128]} if version not in (None, "") else None,
        "support": _support(contact, losses) if contact.is_object else None,
        "links": list(_links(root, losses)),
    }
    if not root.member("tags").is_null:
        why = "the words about tags are lost; operations have their tags"
        losses.drop(root.member("tags"), "tags", why)
    return {name: value for name, value in described.items() if value}


def _support(contact: Node, losses: Losses) -> str | None:
    url, email = (_url(contact.member(name), losses) for name in ("url", "email"))
    kept = "url" if url else "email"
    for name in contact.value:
        if name != kept:
            losses.drop(contact.member(name), name, "a Thing has one address for support")
    return url or (f"mailto:{email}" if email else None)


def _links(root: Node, losses: Losses) -> Iterator[dict[str, str]]:
    info = root.member("info")
    documents, license_ = root.member("externalDocs"), info.member("license")
    for node, url, relation in (
        (documents, "url", "describedby"),
        (license_, "url", "license"),
        (info, "termsOfService", "terms-of-service"),
    ):
        if not node.is_object:
            continue
        if href := _url(node.member(url), losses):
            yield {"href": href, "rel": relation}
        if node is not info:
            for name in node.value:
                if name != url:
                    losses.drop(node.member(name), name, _WORDS)


def _url(node: Node, losses: Losses) -> str | None:
    if node.is_null or node.value == "":
        return None
    try:
        url = node.text(URL_LIMIT_CHARS).strip()
    except ConversionError as error:
        losses.fault(node, error.message)
        return None
    if not url or any(character.isspace() or character in '<>"{}|\\^`' for character in url):
        losses.fault(node, "is not a URL")
        return None
    return url
