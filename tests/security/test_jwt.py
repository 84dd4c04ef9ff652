"""Tokens of somebody else: what is taken, and what is not."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm

from servient.errors import Busy, Unauthorized
from servient.security.jwt import JwtIssuer, Terms
from servient.security.key_set import FixedKey, KeySet
from servient.wot.access import Grant, Principal, Scope
from tests.files import FileServer

ISSUER, AUDIENCE = "https://issuer.example", "wasm-servient"
PRIVATE = ec.generate_private_key(ec.SECP256R1())
OTHER = ec.generate_private_key(ec.SECP256R1())
PUBLIC_PEM = PRIVATE.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)
ALL = frozenset(Scope)


def token(key: Any = PRIVATE, algorithm: str = "ES256", kid: str = "k1", **changes: Any) -> str:
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "ann",
        "exp": time.time() + 60,
        "scope": "openid wot:read wot:invoke",
        "things": ["d:*", "e:*"],
        **changes,
    }
    present = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(present, key, algorithm, headers={"kid": kid})


def terms(**changes: Any) -> Terms:
    usual = {"algorithms": ("ES256",), "scopes": ALL, "scope_prefix": "wot:", **changes}
    return Terms(ISSUER, AUDIENCE, **usual)


@pytest.fixture
def key(tmp_path: Path) -> FixedKey:
    file = tmp_path / "key.pem"
    file.write_bytes(PUBLIC_PEM)
    return FixedKey(file)


async def test_a_right_token_says_who_comes_and_what_they_may(key: FixedKey) -> None:
    expires_at = time.time() + 60
    found = await JwtIssuer(terms(), key).principal(token(exp=expires_at))
    grant = Grant(frozenset({Scope.READ, Scope.INVOKE}))
    assert found is not None
    assert found == Principal(f"ann of {ISSUER}", (grant,), found.expires_at)
    assert found.expires_at == pytest.approx(expires_at + 30, abs=1)


async def test_a_claim_says_which_things(key: FixedKey) -> None:
    issuer = JwtIssuer(terms(things_claim="things"), key)
    found = await issuer.principal(token())
    assert found is not None
    assert [grant.things for grant in found.grants] == ["d:*", "e:*"]
    for claim in (None, 5, [], [7], ""):
        nothing = await issuer.principal(token(things=claim))
        assert nothing is not None
        assert not nothing.may(Scope.READ, "d:x")


async def test_no_more_is_granted_than_the_issuer_may_grant(key: FixedKey) -> None:
    issuer = JwtIssuer(terms(scopes=frozenset({Scope.READ})), key)
    found = await issuer.principal(token(scope=["wot:read", "wot:admin", 5]))
    assert found is not None
    assert found.grants == (Grant(frozenset({Scope.READ})),)


def unsigned() -> str:
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "x", "exp": 9e9}
    return jwt.encode(claims, "", "none")


def shared() -> str:
    """The public key taken for a secret: libraries have fallen for it."""
    return token("x" * 64, "HS256")


@pytest.mark.parametrize(
    "make",
    [
        lambda: token(exp=time.time() - 60),
        lambda: token(nbf=time.time() + 600),
        lambda: token(aud="another"),
        lambda: token(aud=None),
        lambda: token(sub=None),
        lambda: token(exp=None),
        lambda: token(OTHER),
        lambda: token()[:-4] + "AAAA",
        lambda: token(rsa.generate_private_key(65537, 2048), "RS256"),
        unsigned,
        shared,
    ],
)
async def test_a_bad_token_is_refused(key: FixedKey, make: Callable[[], str]) -> None:
    with pytest.raises(Unauthorized):
        await JwtIssuer(terms(), key).principal(make())


@pytest.mark.parametrize("text", ["", "a", "a.b.c", "..", "é.é.é", "x" * 9000, token(iss="other")])
async def test_what_is_not_of_this_issuer_is_left_to_others(key: FixedKey, text: str) -> None:
    assert await JwtIssuer(terms(), key).principal(text) is None


@pytest.mark.parametrize("algorithms", [(), ("none",), ("HS256",), ("ES256", "HS256")])
def test_algorithms_that_prove_nothing_are_errors(algorithms: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="algorithms"):
        terms(algorithms=algorithms)


def test_a_key_of_no_use_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        FixedKey(tmp_path / "none")
    (tmp_path / "private.pem").write_text("-----BEGIN PRIVATE KEY-----")
    with pytest.raises(ValueError, match="public"):
        FixedKey(tmp_path / "private.pem")


def key_set(**keys: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
    found = [
        {**ECAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig"}
        for kid, key in keys.items()
    ]
    return {"keys": found}


async def test_keys_are_fetched_once_and_again_for_an_unknown_one(files: FileServer) -> None:
    now = [0.0]
    keys = KeySet(f"{files.origin}/jwks", lambda: now[0])
    issuer = JwtIssuer(terms(), keys)
    files.files["/jwks"] = json.dumps(key_set(k1=PRIVATE)).encode()
    for _ in range(3):
        assert await issuer.principal(token()) is not None
    assert files.requests == ["/jwks"]
    files.files["/jwks"] = json.dumps(key_set(k1=PRIVATE, k2=OTHER)).encode()
    for _ in range(3):  # not as often as somebody asks
        with pytest.raises(Unauthorized):
            await issuer.principal(token(OTHER, kid="k2"))
    now[0] = 31.0
    assert await issuer.principal(token(OTHER, kid="k2")) is not None
    assert files.requests == ["/jwks"] * 2
    with pytest.raises(Unauthorized):
        await issuer.principal(token(OTHER, kid="k1"))


async def test_keys_that_cannot_be_had_let_nobody_in_for_now(files: FileServer) -> None:
    for path, body in (
        ("/none", None),
        ("/redirect", None),
        ("/large", b" " * 300_000),
        ("/text", b"no JSON"),
        ("/list", b"[]"),
        ("/empty", b'{"keys": []}'),
        ("/odd", b'{"keys": [{"kty": "EC"}]}'),
    ):
        if body is not None:
            files.files[path] = body
        with pytest.raises(Busy):
            await JwtIssuer(terms(), KeySet(files.origin + path)).principal(token())


async def test_old_keys_are_not_used_for_ever(files: FileServer) -> None:
    now = [0.0]
    issuer = JwtIssuer(terms(), KeySet(f"{files.origin}/jwks", lambda: now[0]))
    files.files["/jwks"] = json.dumps(key_set(k1=PRIVATE)).encode()
    assert await issuer.principal(token()) is not None
    del files.files["/jwks"]
    now[0] = 3601.0
    with pytest.raises(Busy):
        await issuer.principal(token())
