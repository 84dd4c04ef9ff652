"""multipart/form-data (RFC 7578), parsed into fields by name."""

import logging
from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from servient.errors import InvalidInput, UnsupportedContent
from servient.wot.content import OCTET_STREAM, Content, essence

FORM_MEDIA_TYPE = "multipart/form-data"
PARTS_LIMIT = 64
NAME_LIMIT = 1000

# The parser warns of every malformed form: what a client does wrong is told to the client.
_QUIET = logging.Logger("forms", logging.ERROR)


def is_form(media_type: str | None) -> bool:
    return media_type is not None and essence(media_type) == FORM_MEDIA_TYPE


def parse_form(media_type: str, body: bytes) -> dict[str, Content | str]:
    """Fields by name: a part with a filename or a type of its own is a Content, others are text.

    Raises UnsupportedContent for another media type, InvalidInput for a malformed body.
    """
    if not is_form(media_type):
        raise UnsupportedContent(f"a {FORM_MEDIA_TYPE} body is wanted")
    parts = _Parts()
    try:
        boundary = parse_options_header(media_type)[1].get(b"boundary")
        if not boundary:
            raise InvalidInput("the form has no boundary")
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": parts.begin,
                "on_header_field": parts.header_name,
                "on_header_value": parts.header_value,
                "on_header_end": parts.header_end,
                "on_part_data": parts.data,
                "on_part_end": parts.end,
                "on_end": parts.finish,
            },
        )
        parser.logger = _QUIET
        parser.write(body)
    except (FormParserError, UnicodeError) as error:
        raise InvalidInput(f"the form is malformed: {error}") from error
    if not parts.is_complete:
        raise InvalidInput("the form is malformed: it ends before its last boundary")
    return parts.fields


@dataclass(slots=True)
class _Parts:
    """Collects what the parser finds."""

    fields: dict[str, Content | str] = field(default_factory=dict)
    is_complete: bool = False
    _name: bytes = b""
    _value: bytes = b""
    _headers: dict[bytes, bytes] = field(default_factory=dict)
    _body: bytearray = field(default_factory=bytearray)

    def begin(self) -> None:
        if len(self.fields) >= PARTS_LIMIT:
            raise InvalidInput(f"the form has more than {PARTS_LIMIT} parts")
        self._headers = {}
        self._body = bytearray()

    def header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def header_end(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name = self._value = b""

    def data(self, data: bytes, start: int, end: int) -> None:
        self._body += data[start:end]

    def end(self) -> None:
        disposition = self._headers.get(b"content-disposition", b"").decode("latin-1")
        parameters = parse_options_header(disposition)[1]
        name = parameters.get(b"name", b"").decode("utf-8")
        if not name or len(name) > NAME_LIMIT:
            raise InvalidInput("a part of the form has no name")
        if name in self.fields:
            raise InvalidInput(f"the form has two fields {name[:100]!r}")
        self.fields[name] = self._field(is_file=b"filename" in parameters)

    def _field(self, *, is_file: bool) -> Content | str:
        media_type = self._headers.get(b"content-type", b"").decode("latin-1")
        if media_type or is_file:
            return Content(bytes(self._body), media_type or OCTET_STREAM)
        return self._body.decode("utf-8")

    def finish(self) -> None:
        self.is_complete = True
