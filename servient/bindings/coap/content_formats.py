"""Media types and CoAP's numbers for them (RFC 7252 section 12.3), by aiocoap's registry."""

from aiocoap.numbers.contentformat import ContentFormat

from servient.errors import UnsupportedContent
from servient.wot.content import JSON_MEDIA_TYPE, OCTET_STREAM, essence, is_json

LINK_FORMAT = 40
OCTETS = 42
JSON = 50
TD = 432


def to_media_type(number: int | None) -> str:
    """What a Content-Format option says; without one, it is JSON. Raises UnsupportedContent."""
    if number is None or number == JSON:
        return JSON_MEDIA_TYPE
    # By its map: the enumeration itself would keep every unknown number that anybody sends.
    known = ContentFormat._value2member_map_.get(number)
    if known is None or not known.is_known() or known.encoding != "identity":
        raise UnsupportedContent(f"content format {number} is not understood")
    media_type: str = known.media_type
    return media_type


def to_number(media_type: str) -> int:
    """The number of a media type; of one that has none, that of JSON or of plain bytes."""
    if media_type == JSON_MEDIA_TYPE:
        return JSON
    for name in (media_type, essence(media_type), f"{essence(media_type)};charset=utf-8"):
        try:
            return int(ContentFormat.by_media_type(name))
        except KeyError:
            continue
    return JSON if is_json(media_type) else OCTETS


def on_the_wire(media_type: str) -> str:
    """What a media type is called in a form: the type that its number stands for."""
    return {JSON: JSON_MEDIA_TYPE, OCTETS: OCTET_STREAM}.get(to_number(media_type), media_type)
