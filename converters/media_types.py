"""Media types as people type them, made fit for a Content-Type header."""

import re

from converters.reading import Node

JSON = "application/json"
OCTET_STREAM = "application/octet-stream"
MULTIPART = "multipart/form-data"

MEDIA_TYPE_LIMIT_CHARS = 255

_NAME = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
# RFC 9110 section 8.3.1.
_MEDIA_TYPE = re.compile(
    rf'({_NAME}/{_NAME})((?:[ \t]*;[ \t]*{_NAME}=(?:{_NAME}|"[ !#-\[\]-~]*"))*)[ \t;]*'
)


def read_media_type(node: Node) -> str:
    """The media type that a member names; "" when it names none.

    An orchestrator's user may have typed any text there: what is no media type stands for bytes of
    an unknown kind.
    """
    if node.is_null or node.value == "":
        return ""
    match = _MEDIA_TYPE.fullmatch(node.text(MEDIA_TYPE_LIMIT_CHARS).strip())
    return f"{match[1].lower()}{match[2]}" if match else OCTET_STREAM


def is_json(media_type: str) -> bool:
    """Whether the type is JSON or built on it (RFC 6839 section 3.1)."""
    essence = media_type.partition(";")[0].strip()
    return essence == JSON or essence.endswith("+json")


def as_file(media_type: str) -> str:
    """The media type of a file as consumers are told: what calls itself JSON is not read as a value."""
    return OCTET_STREAM if is_json(media_type) else media_type
