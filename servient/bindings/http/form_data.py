"""multipart/form-data (RFC 7578), parsed into fields by name."""

import contextlib
import io
import logging
from collections.abc import Iterator
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
    """The fields of a form that is there already. Raises as `Form` does."""
    form = Form(media_type)
    form.feed(body)
    return form.close()


class Form:
    """A form that is parsed while it comes in, so that its files are in memory once.

    Fields by name: a part with a filename or a type of its own is a Content, others are text.
    """

    def __init__(self, media_type: str) -> None:
        """Raises UnsupportedContent for another media type, and InvalidInput."""
        if not is_form(media_type):
            raise UnsupportedContent(f"a {FORM_MEDIA_TYPE} body is wanted")
        self._parts = parts = _Parts()
        with _told():
            boundary = parse_options_header(media_type)[1].get(b"boundary")
            if not boundary:
                raise InvalidInput("the form has no boundary")
            self._parser = MultipartParser(
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
        self._parser.logger = _QUIET

    def feed(self, piece: bytes) -> None:
        """Take the next bytes. Raises InvalidInput for a malformed form."""
        with _told():
            self._parser.write(piece)

    def close(self) -> dict[str, Content | str]:
        """All fields. Raises InvalidInput when something is missing."""
        if not self._parts.is_complete:
            raise InvalidInput("the form is malformed: it ends before its last boundary")
        return self._parts.fields


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """What the parser says of a form, as our error."""
    try:
        yield
    except (FormParserError, UnicodeError) as error:
        raise InvalidInput(f"the form is malformed: {error}") from error


@dataclass(slots=True)
class _Parts:
    """Collects what the parser finds."""

    fields: dict[str, Content | str] = field(default_factory=dict)
    is_complete: bool = False
    _name: bytes = b""
    _value: bytes = b""
    _headers: dict[bytes, bytes] = field(default_factory=dict)
    _body: io.BytesIO = field(default_factory=io.BytesIO)

    def begin(self) -> None:
        if len(self.fields) >= PARTS_LIMIT:
            raise InvalidInput(f"the form has more than {PARTS_LIMIT} parts")
        self._headers = {}
        self._body = io.BytesIO()

    def header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def header_end(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name = self._value = b""

    def data(self, data: bytes, start: int, end: int) -> None:
        self._body.write(memoryview(data)[start:end])

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
            return Content(self._body.getvalue(), media_type or OCTET_STREAM)  # without a copy
        return self._body.getvalue().decode("utf-8")

    def finish(self) -> None:
        self.is_complete = True
