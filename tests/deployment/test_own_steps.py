"""Which steps are on this servient, where an invocation stands in a chain, and what it passes on."""

import socket

import pytest

from converters.deployment import Endpoint, Function
from servient.bindings.http.binding import HttpBinding
from servient.config import load_config, main_address
from servient.deployment.origins import Origins
from servient.deployment.place import find_place, passed_on
from servient.deployment.steps import step_url
from servient.errors import NextStepFailed


def endpoint(url: str = "http://h:1", path: str = "/d/modules/m/f") -> Endpoint:
    return Endpoint("get", (), (), "", {}, url, path)


def origins(*hosts: str, port: int = 5000) -> Origins:
    return Origins(hosts, HttpBinding("127.0.0.1", "127.0.0.1", port))


@pytest.mark.parametrize(
    ("url", "is_own"),
    [
        ("http://127.0.0.1:5000/x", True),
        ("http://localhost:5000", True),
        ("http://LOCALHOST.:5000/x", True),
        ("http://127.8.9.1:5000/x", True),
        ("http://[::1]:5000/x", True),
        ("http://pi4.lan:5000/x", True),
        ("http://Pi4.LAN:5000/x", True),
        ("http://user@pi4.lan:5000/x", True),
        ("http://pi4.lan:5001/x", False),
        ("http://pi4.lan/x", False),
        ("https://pi4.lan:5000/x", False),
        ("http://pi4.lan.evil.org:5000/x", False),
        ("http://pi4.lan@evil.org:5000/x", False),
        ("http://192.168.1.9:5000/x", False),
    ],
)
def test_own_origins(url: str, is_own: bool) -> None:
    assert origins("127.0.0.1", "pi4.lan").include(url) is is_own


def test_loopback_is_not_our_own_where_we_do_not_listen_to_it() -> None:
    assert not origins("192.168.1.9").include("http://localhost:5000/")


def test_who_listens_everywhere_is_reached_by_every_name_of_the_machine() -> None:
    hosts = load_config(host="0.0.0.0", public_host="pi4.lan", insecure=True).own_hosts
    found = origins(*hosts)
    for host in ("pi4.lan", "127.0.0.1", main_address(), socket.gethostname()):
        assert found.include(f"http://{host}:5000/"), host


def test_a_manifest_says_where_a_servient_behind_another_port_is() -> None:
    found = Origins((), None)
    assert found.include("http://gateway:8080/x", "http://gateway:8080")
    assert found.include("https://gateway/x", "https://GATEWAY:443")
    assert not found.include("http://gateway:8081/x", "http://gateway:8080")
    assert not found.include("http://gateway:8080/x")
    assert origins("::", port=80).include("http://[0:0::0]/x")


FIRST, LAST = endpoint(path="/first"), None


def function(**steps: Endpoint | None) -> Function:
    numbered = {int(name[1:]): to for name, to in steps.items()}
    return Function("f", None, (), next(iter(numbered.values()), FIRST), numbered)


@pytest.mark.parametrize(
    ("steps", "said", "number", "to"),
    [
        ({}, None, 0, FIRST),
        ({}, "7", 7, FIRST),
        ({}, "-1", 0, FIRST),
        ({}, "x" * 5000, 0, FIRST),
        ({}, "9" * 5000, 0, FIRST),
        ({}, "\u0663", 0, FIRST),
        ({"_3": FIRST}, None, 3, FIRST),
        ({"_3": FIRST}, "9", 9, FIRST),
        ({"_1": FIRST, "_4": LAST}, None, 1, FIRST),
        ({"_1": FIRST, "_4": LAST}, "4", 4, LAST),
    ],
)
def test_the_place_in_a_chain(
    steps: dict[str, Endpoint | None], said: str | None, number: int, to: Endpoint | None
) -> None:
    place = find_place(function(**steps), {"x-chain-step": said} if said is not None else {})
    assert (place.number, place.next) == (number, to)


def test_a_step_that_a_function_is_not() -> None:
    with pytest.raises(NextStepFailed, match="as step 2 of its chain, in which it is step 1 and 4"):
        find_place(function(_1=FIRST, _4=LAST), {"x-chain-step": "2"})


def test_only_what_ties_requests_together_is_passed_on() -> None:
    context = {
        "traceparent": "00-1-2-01",
        "tracestate": "a\r\nEvil: 1",
        "baggage": "x" * 10_000,
        "x-request-id": "",
        "authorization": "Bearer secret",
        "method": "GET",
        "x-chain-step": "3",
    }
    place = find_place(function(), context)
    assert passed_on(context, place) == {"traceparent": "00-1-2-01", "x-chain-step": "4"}


@pytest.mark.parametrize(
    ("url", "path", "whole"),
    [
        ("http://h:1", "/d/modules/m/f", "http://h:1/d/modules/m/f"),
        ("http://h:1/", "/d", "http://h:1/d"),
        ("https://h/gate/?x=1#y", "/d", "https://h/gate/d"),
        ("http://h", "/a b?x=1#y", "http://h/a%20b%3Fx=1%23y"),
        ("http://h", "/%2e%2e/ü", "http://h/%2e%2e/%C3%BC"),
    ],
)
def test_the_url_of_a_step(url: str, path: str, whole: str) -> None:
    assert step_url(endpoint(url, path)) == whole
