"""Modules and manifests of this machine, deployed by a command."""

import json
from collections.abc import Callable
from pathlib import Path

import minisign
import pytest

from servient.app import App
from servient.config import Config
from tests.cli.command import command
from tests.cli.conftest import Run
from tests.files import EXAMPLES, FileServer

FIBONACCI = EXAMPLES / "fibonacci" / "fibonacci.wasm"


@pytest.mark.parametrize("protocol", [None, "http", "ws", "coap", "mqtt"])
async def test_a_module_and_its_description(protocol: str | None, run: Run) -> None:
    described = ("--description", str(EXAMPLES / "fibonacci" / "description.json"))
    over = ("-p", protocol) if protocol else ()
    ended = await run("deploy", str(FIBONACCI), *described, *over)
    assert ended.code == 0, ended.err
    assert "deployed fibonacci in" in ended.err
    assert "fibo(iterations: integer) → integer" in ended.out
    assert (await run("invoke", "fibonacci", "fibo", "iterations=7")).json == 21


async def test_a_module_alone_under_another_name(run: Run) -> None:
    deployed = (await run("deploy", str(FIBONACCI), "--name", "fib", "--json")).json
    assert deployed == {"deploymentId": "fib", "things": ["fib:fib"]}
    assert (await run("invoke", "fib", "fibo", "7")).json == 21
    assert [each["deploymentId"] for each in (await run("deployments", "--json")).json] == ["fib"]
    assert "fib:fib" in (await run("deployments")).out
    assert (await run("undeploy", "fib", "--json")).json == {"deploymentId": "fib"}
    assert (await run("deployments", "--json")).json == []
    (await run("undeploy", "fib")).failed(1, "no deployment 'fib'")


async def test_text_format(run: Run, tmp_path: Path) -> None:
    ended = await run("deploy", str(EXAMPLES / "counter" / "counter.wat"))
    assert "increment() → integer" in ended.out
    broken = tmp_path / "broken.wat"
    broken.write_text("(module (func (export")
    (await run("deploy", str(broken))).failed(1, "not WebAssembly text")


async def test_a_description_in_yaml(run: Run, tmp_path: Path) -> None:
    (tmp_path / "api.yaml").write_text(
        "openapi: 3.0.3\ninfo: {title: x, version: '1'}\npaths:\n  /modules/x/fibo:\n    get:\n"
        "      parameters: [{name: n, in: query, schema: {type: integer}}]\n"
        "      responses: {'200': {description: d}}\n"
    )
    ended = await run("deploy", str(FIBONACCI), "--description", str(tmp_path / "api.yaml"))
    assert "fibo(n: integer)" in ended.out


async def test_a_manifest_brings_the_files_beside_it(run: Run, tmp_path: Path) -> None:
    (tmp_path / "m.wasm").write_bytes(FIBONACCI.read_bytes())
    (tmp_path / "data").write_bytes(b"data")
    urls = {"binary": "m.wasm", "other": ["data"]}
    manifest = {"deploymentId": "d", "modules": [{"name": "m", "urls": urls}]}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    assert (await run("deploy", str(tmp_path / "manifest.json"), "--json")).json["things"] == [
        "d:m"
    ]
    (tmp_path / "sub").mkdir()
    urls["binary"] = "../m.wasm"
    (tmp_path / "sub" / "manifest.json").write_text(json.dumps(manifest))
    ended = await run("deploy", str(tmp_path / "sub" / "manifest.json"))
    ended.failed(2, "'../m.wasm', which is not in its folder")


async def test_a_manifest_of_what_is_elsewhere(run: Run, files: FileServer, tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(files.manifest("counter/manifest.json", deploymentId="c")))
    assert (await run("deploy", str(path), "--name", "d", "--json")).json["deploymentId"] == "d"


async def test_the_signature_beside_it_goes_along(
    settings: Callable[..., Config], tmp_path: Path
) -> None:
    keys = minisign.KeyPair.generate()
    module = tmp_path / "m.wasm"
    module.write_bytes(FIBONACCI.read_bytes())
    async with App(settings(module_public_keys=keys.public_key.to_base64().decode())) as app:
        url = ("--url", app.addresses()["http"])
        (await command("deploy", str(module), *url)).failed(1, "no signature with it")
        signature = tmp_path / "m.wasm.minisig"
        signature.write_bytes(bytes(keys.secret_key.sign(module.read_bytes())))
        assert (await command("deploy", str(module), *url)).code == 0


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("x.wasm", b"\0asm\x01\0\0\0\xff", ["module 'x'"]),
        ("x.json", b"{}", ["/deploymentId"]),
    ],
)
async def test_what_the_servient_refuses(
    name: str, content: bytes, words: list[str], run: Run, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    (await run("deploy", str(tmp_path / name))).failed(1, *words)


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("x.json", b"[1", "not JSON"),
        ("x.yaml", b"a: [", "neither JSON nor YAML"),
        ("x.json", b"[1]", "neither a WebAssembly module nor a manifest"),
        ("x.bin", b"\xff\xfe\x00", "not UTF-8"),
        ("ä.wasm", b"\0asm\x01\0\0\0", "--name"),
    ],
)
async def test_what_is_nothing_to_deploy(
    name: str, content: bytes, word: str, run: Run, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    (await run("deploy", str(tmp_path / name))).failed(2, word)


async def test_files_that_are_not_there(run: Run, tmp_path: Path) -> None:
    (await run("deploy", str(tmp_path / "no.wasm"))).failed(2, "cannot read", "no.wasm")
    (await run("deploy", str(tmp_path))).failed(2, "cannot read")
    gone = ("--description", str(tmp_path / "no.json"))
    (await run("deploy", str(FIBONACCI), *gone)).failed(2, "no.json")
    (tmp_path / "m.json").write_text('{"modules": [{"name": "m", "urls": {"binary": "m.wasm"}}]}')
    (await run("deploy", str(tmp_path / "m.json"))).failed(2, "m.wasm")


async def test_what_is_too_large(settings: Callable[..., Config], tmp_path: Path) -> None:
    (tmp_path / "x.wasm").write_bytes(b"\0asm" + bytes(200_000))
    async with App(settings(body_limit_bytes=100_000, deploy_limit_bytes=100_000)) as app:
        for protocol in ("http", "coap", "ws", "mqtt"):
            url = ("--url", app.addresses()["http"], "-p", protocol)
            ended = await command("deploy", str(tmp_path / "x.wasm"), *url)
            assert ended.code in (1, 3), (protocol, ended)
            assert ended.err.count("\n") == 1
            if protocol in ("http", "coap"):
                ended.failed(1, "too large", "_limit_bytes")
