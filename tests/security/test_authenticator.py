"""Credentials, right and wrong, and how they are kept."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servient.errors import TooManyRequests, Unauthorized
from servient.security.accounts import Account, Accounts, Scheme
from servient.security.authenticator import Authenticator
from servient.security.credentials import ApiKey, Basic, Bearer, parse_credentials
from servient.security.describe import to_security
from servient.security.failures import Failures
from servient.security.secrets import hash_password, hash_token, is_password, make_token
from servient.wot.access import Grant, Principal, Scope

TOKEN, KEY = make_token(), make_token()


def principal(name: str) -> Principal:
    return Principal(name, (Grant(frozenset({Scope.READ})),))


ACCOUNTS = Accounts(
    [
        Account(principal("ann"), token_sha256=hash_token(TOKEN)),
        Account(principal("bob"), password_argon2=hash_password("pass:wörd")),
        Account(principal("cam"), api_key_sha256=hash_token(KEY)),
    ]
)


@pytest.fixture
def authenticator() -> Authenticator:
    return Authenticator(ACCOUNTS, failures=Failures(limit=100))


@pytest.mark.parametrize(
    ("credentials", "name"),
    [(Bearer(TOKEN), "ann"), (Basic("bob", "pass:wörd"), "bob"), (ApiKey(KEY), "cam")],
)
async def test_right_credentials_say_who_it_is(
    authenticator: Authenticator, credentials: Any, name: str
) -> None:
    for _ in range(2):  # a password that is right is remembered
        assert (await authenticator.authenticate(credentials, "here")).name == name


@pytest.mark.parametrize(
    "credentials",
    [
        Bearer(KEY),
        ApiKey(TOKEN),
        Bearer(""),
        Bearer(hash_token(TOKEN)),
        Basic("bob", "other"),
        Basic("nobody", "pass:wörd"),
        Basic("ann", TOKEN),
        Basic("bob", "x" * 1_000_000),
    ],
)
async def test_wrong_credentials_are_refused(
    authenticator: Authenticator, credentials: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(Unauthorized) as refused:
        await authenticator.authenticate(credentials, "here")
    for name in credentials.__slots__:
        secret = getattr(credentials, name)
        if name != "name" and secret:
            assert secret not in caplog.text
            assert secret not in refused.value.detail


async def test_who_fails_too_often_has_to_wait() -> None:
    now = [0.0]
    authenticator = Authenticator(ACCOUNTS, failures=Failures(3, 60.0, lambda: now[0]))
    for _ in range(3):
        with pytest.raises(Unauthorized):
            await authenticator.authenticate(Bearer("wrong"), "there")
    with pytest.raises(TooManyRequests):
        await authenticator.authenticate(Bearer(TOKEN), "there")
    assert (await authenticator.authenticate(Bearer(TOKEN), "elsewhere")).name == "ann"
    now[0] = 61.0
    assert (await authenticator.authenticate(Bearer(TOKEN), "there")).name == "ann"


@pytest.mark.parametrize(
    "accounts",
    [
        [Account(principal("ann"))],
        [Account(principal("ann"), token_sha256=TOKEN)],
        [Account(principal("ann"), token_sha256=hash_token(TOKEN))] * 2,
        [Account(principal(name), token_sha256=hash_token(TOKEN)) for name in ("ann", "bob")],
    ],
)
def test_accounts_that_cannot_be_meant_are_errors(accounts: list[Account]) -> None:
    with pytest.raises(ValueError, match="princip"):
        Accounts(accounts)


def test_a_password_is_kept_by_a_slow_hash() -> None:
    kept = hash_password("secret")
    assert kept.startswith("$argon2id$")
    assert is_password("secret", kept)
    assert not is_password("Secret", kept)
    assert not is_password("secret", "no hash")


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("authorization", "api_key", "credentials"),
    [
        (None, None, None),
        ("Bearer abc", None, Bearer("abc")),
        ("bEARER  abc ", "key", Bearer("abc")),
        (basic("a:b:c"), None, Basic("a", "b:c")),
        (None, "key", ApiKey("key")),
    ],
)
def test_credentials_are_read(
    authorization: str | None, api_key: str | None, credentials: Any
) -> None:
    assert parse_credentials(authorization, api_key) == credentials


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Digest x", "Basic", "Basic !", basic("a"), "Basic /w==", "x" * 9000],
)
def test_what_is_no_credentials_is_refused(header: str) -> None:
    with pytest.raises(Unauthorized):
        parse_credentials(header, None)


@given(st.text(), st.none() | st.text())
def test_any_header_is_read_or_refused(authorization: str, api_key: str | None) -> None:
    try:
        parse_credentials(authorization, api_key)
    except Unauthorized as error:
        assert error.detail


def test_what_is_checked_is_what_is_said() -> None:
    one = to_security({Scheme.BEARER})
    assert one.name == "bearer_sc"
    assert one.definitions.keys() == {"bearer_sc"}
    both = to_security({Scheme.BASIC, Scheme.BEARER})
    assert both.definitions[both.name] == {"scheme": "combo", "oneOf": ["bearer_sc", "basic_sc"]}
