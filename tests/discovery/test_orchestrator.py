"""Which orchestrator a servient works for, over restarts and whatever somebody posts."""

import logging
from pathlib import Path

import pytest

from servient.discovery.orchestrator import (
    LOST_AFTER_FAILURES,
    Orchestrator,
    parse_orchestrator_url,
    without_credentials,
)
from servient.errors import InvalidInput


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "orchestrator.json"


def test_there_is_none_at_first(file: Path) -> None:
    orchestrator = Orchestrator(file)
    assert orchestrator.url is None
    assert not orchestrator.is_set
    assert orchestrator.seconds_since_health_check() == float("inf")


def test_what_it_says_outlives_a_restart(file: Path) -> None:
    Orchestrator(file).set("http://orchestrator:3000/")
    assert Orchestrator(file).url == "http://orchestrator:3000"
    assert Orchestrator(file).is_set
    assert file.stat().st_mode & 0o777 == 0o600


def test_what_it_says_wins_over_what_was_configured(file: Path) -> None:
    Orchestrator(file, "http://configured").set("http://public")
    again = Orchestrator(file, "http://configured")
    assert again.url == "http://public"
    assert again.configured_url == "http://configured"


def test_another_configuration_wins_over_what_was_said(file: Path) -> None:
    Orchestrator(file, "http://configured").set("http://public")
    assert Orchestrator(file, "http://other/").url == "http://other"


def test_one_that_takes_nothing_is_asked_for_its_place(file: Path) -> None:
    orchestrator = Orchestrator(file, "http://gone")
    for _ in range(LOST_AFTER_FAILURES):
        assert orchestrator.is_set
        orchestrator.delivered(is_taken=False)
    assert not orchestrator.is_set
    orchestrator.set("http://gone")
    assert orchestrator.is_set


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"url": 5}', b'{"url": "ftp://x"}', b'{"x": 1}', b"\xff", b"[" * 9999]
)
def test_a_spoiled_file_is_left_aside(
    file: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    file.write_bytes(content)
    assert Orchestrator(file).url is None
    assert "is left aside" in caplog.text


def test_a_file_that_cannot_be_written_costs_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    orchestrator = Orchestrator(tmp_path / "nowhere" / "orchestrator.json")
    orchestrator.set("http://orchestrator")
    assert orchestrator.url == "http://orchestrator"
    assert "cannot be written" in caplog.text


@pytest.mark.parametrize(
    ("url", "parsed"),
    [
        ("http://a", "http://a"),
        ("http://a:3000/", "http://a:3000"),
        ("https://a/wasm/iot//?x=1#y", "https://a/wasm/iot"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("HTTP://A", "http://A"),
    ],
)
def test_urls(url: str, parsed: str) -> None:
    assert parse_orchestrator_url(url) == parsed


@pytest.mark.parametrize(
    "url",
    [
        "",
        "orchestrator",
        "//a",
        "ftp://a",
        "file:///etc/passwd",
        "http://",
        "http://:3000",
        "http://a:99999",
        "http://a:x",
        "http://a:0",
        "http://a b",
        "http://a\r\nHost: b",
        "http://[::1",
        "http://" + "a" * 3000,
        None,
        5,
    ],
)
def test_what_is_no_url_is_refused(url: object) -> None:
    with pytest.raises(InvalidInput):
        parse_orchestrator_url(url)


def test_credentials_stay_out_of_logs(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    Orchestrator(file).set("http://user:se@cret@a:3000/x")
    assert "cret" not in caplog.text
    assert without_credentials("http://user:se@cret@a:3000/x") == "http://a:3000/x"
