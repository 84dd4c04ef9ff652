"""URLs in messages: what they lead to, and nothing by which one gets in."""

import pytest

from converters.shown_url import shown_url


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://a.example/x.wasm", "https://a.example/x.wasm"),
        ("http://ann:secret@a.example:8000/x.wasm", "http://a.example:8000/x.wasm"),
        ("http://secret@[::1]:8000/x", "http://[::1]:8000/x"),
        ("http://ann:se@cret@a.example/x", "http://a.example/x"),
        ("https://a.example/x.wasm?X-Amz-Signature=secret#secret", "https://a.example/x.wasm?…"),
        ("https://ann:secret@a.example", "https://a.example"),
        ("http://[secret", "a URL that cannot be read"),
        ("ni:///sha-256;f4OxZX_x_FO5LcGBSKHWXfwtSx-j1ncoSt3SABJtkGk", None),
    ],
)
def test_nothing_by_which_one_gets_in_is_shown(url: str, shown: str | None) -> None:
    assert shown_url(url) == (shown or url)
