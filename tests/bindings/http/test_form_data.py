"""multipart/form-data, well-formed and not."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servient.bindings.http.form_data import PARTS_LIMIT, parse_form
from servient.errors import InvalidInput, ServientError
from servient.wot.content import Content

TYPE = "multipart/form-data; boundary=b"


def part(disposition: str, body: bytes = b"", media_type: str | None = None) -> bytes:
    head = f"--b\r\nContent-Disposition: form-data; {disposition}\r\n"
    head += f"Content-Type: {media_type}\r\n" if media_type else ""
    return head.encode() + b"\r\n" + body + b"\r\n"


@given(
    st.dictionaries(
        st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20),
        st.binary(max_size=100).filter(lambda body: b"--b" not in body),
        max_size=5,
    )
)
def test_fields_come_out_as_they_went_in(fields: dict[str, bytes]) -> None:
    parts = [part(f'name="{name}"', body, "a/b") for name, body in fields.items()]
    found = parse_form(TYPE, b"".join(parts) + b"--b--\r\n")
    assert found == {name: Content(body, "a/b") for name, body in fields.items()}


def test_a_part_is_a_file_when_it_has_a_filename_or_a_type() -> None:
    body = (
        part('name="text"', "ä".encode())
        + part('name="file"; filename="../../x"', b"\xff")
        + part('name="typed"', b"1", "application/json")
        + b"--b--\r\n"
    )
    assert parse_form(TYPE, body) == {
        "text": "ä",
        "file": Content(b"\xff", "application/octet-stream"),
        "typed": Content(b"1", "application/json"),
    }


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        (TYPE, b""),
        (TYPE, b"--b--"[:3]),
        (TYPE, b"nothing"),
        (TYPE, part('name="a"', b"x")),
        (TYPE, part('name="a"') + part('name="a"') + b"--b--\r\n"),
        (TYPE, part("noname=1") + b"--b--\r\n"),
        (TYPE, part('name=""') + b"--b--\r\n"),
        (TYPE, part('name="a"', b"\xff") + b"--b--\r\n"),
        (TYPE, part(f'name="{"a" * 3000}"') + b"--b--\r\n"),
        (TYPE, b"--b\r\nContent-Disposition: form-data\r\n\r\n\r\n--b--\r\n"),
        (TYPE, b"--b\r\n" + b"X: y\r\n" * 10_000 + b"\r\n--b--\r\n"),
        (TYPE, b"".join(part(f'name="{n}"') for n in range(PARTS_LIMIT + 1)) + b"--b--\r\n"),
        ("multipart/form-data", b"--b--\r\n"),
        ("multipart/form-data; boundary=", b"--b--\r\n"),
        ("multipart/form-data; boundary=" + "b" * 10_000, b"--b--\r\n"),
    ],
)
def test_a_malformed_form_is_refused(media_type: str, body: bytes) -> None:
    with pytest.raises(InvalidInput):
        parse_form(media_type, body)


@given(st.binary(max_size=300), st.text(max_size=20))
def test_no_bytes_do_harm(body: bytes, parameter: str) -> None:
    for media_type in (TYPE, f"multipart/form-data; {parameter}"):
        for bytes_ in (body, b"--b\r\n" + body + b"\r\n--b--\r\n"):
            with contextlib.suppress(ServientError):
                parse_form(media_type, bytes_)
