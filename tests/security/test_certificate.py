"""TLS for HTTP and WebSockets, and certificates that are renewed meanwhile."""

import asyncio
import datetime
import ssl
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from websockets.asyncio.client import connect

from servient.app import App
from servient.config import Config, ConfigError, load_config
from servient.security.certificate import Certificate
from tests.security.people import PRINCIPALS, bearer

WAIT_SECONDS = 10.0


def write_pair(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate of its own authority, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = folder / "cert.pem", folder / "key.pem"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    files[1].write_bytes(key.private_bytes(pem, pkcs8, serialization.NoEncryption()))
    return files


async def test_http_and_websockets_are_served_over_tls(
    settings: Callable[..., Config], tmp_path: Path
) -> None:
    certificate, key = write_pair(tmp_path, "first")
    config = settings(
        bindings=("http", "websocket"),
        principals=PRINCIPALS,
        tls_certificate=certificate,
        tls_key=key,
        public_host="localhost",
    )
    trusting = ssl.create_default_context(cafile=certificate)
    async with App(config) as app:
        addresses = app.addresses()
        assert [url.partition(":")[0] for url in addresses.values()] == ["https", "wss"]
        async with httpx.AsyncClient(verify=trusting, headers=bearer("admin")) as client:
            td = (await client.get(f"{addresses['http']}/things/servient")).json()
            deployed = await client.get(f"{addresses['http']}/things/servient/properties/health")
            assert deployed.status_code == 200
        schemes = {form["href"].partition(":")[0] for form in td["actions"]["deploy"]["forms"]}
        assert schemes == {"https", "wss"}
        url = f"{addresses['websocket']}/things/servient"
        async with connect(url, ssl=trusting, additional_headers=bearer("admin"), proxy=None):
            pass
        with pytest.raises(httpx.RemoteProtocolError):
            async with httpx.AsyncClient() as plain:
                await plain.get(addresses["http"].replace("https", "http"))


async def served_name(port: int) -> bytes:
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting)
    found: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return x509.load_der_x509_certificate(found).subject.rfc4514_string().encode()


async def test_a_renewed_certificate_is_used_and_a_broken_one_is_not(tmp_path: Path) -> None:
    files = write_pair(tmp_path, "first")
    async with Certificate(*files, poll_seconds=0.01) as certificate:
        server = await asyncio.start_server(
            lambda *_: None, "127.0.0.1", 0, ssl=certificate.context
        )
        port = server.sockets[0].getsockname()[1]
        assert await served_name(port) == b"CN=first"
        files[0].write_text("broken")
        await asyncio.sleep(0.1)
        assert await served_name(port) == b"CN=first"
        write_pair(tmp_path, "second")
        async with asyncio.timeout(WAIT_SECONDS):
            while await served_name(port) != b"CN=second":
                await asyncio.sleep(0.05)
        server.close()


def test_files_of_no_use_are_an_error(settings: Callable[..., Config], tmp_path: Path) -> None:
    (tmp_path / "no.pem").write_text("no")
    config = settings(tls_certificate=tmp_path / "no.pem", tls_key=tmp_path / "no.pem")
    with pytest.raises(ConfigError, match="TLS"):
        App(config)
    with pytest.raises(ConfigError, match="together"):
        load_config(tls_certificate=tmp_path / "no.pem")
