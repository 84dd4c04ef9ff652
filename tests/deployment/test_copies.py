"""How often the bytes of an upload are copied between the socket and the module.

In Python's memory they are to be once; the second copy is the module's file or memory, which is the
guest's. Some more is there while they arrive, but not another time as much.
"""

import asyncio
import gc
import json
import socket
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
import wasmtime

from servient.app import App
from tests.files import FileServer

SIZE_BYTES = 5 * 2**20
# One copy, a buffer that grows by an eighth, and what is on its way.
PEAK_LIMIT = 1.5
PIECE = bytes(range(256)) * 128
BOUNDARY = "--------a-line"
WASI = "wasi_snapshot_preview1"
# How large its file `i` is, and what an address and a length say.
SIZES = f"""(module
  (import "{WASI}" "path_filestat_get" (func $stat (param i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1) (data (i32.const 8) "i")
  (func (export "file") (result i32)
    (drop (call $stat (i32.const 3) (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 200)))
    (i32.load (i32.const 232)))
  (func (export "alloc") (param $size i32) (result i32)
    (i32.mul (i32.const 65536) (memory.grow
      (i32.div_u (i32.add (local.get $size) (i32.const 65535)) (i32.const 65536)))))
  (func (export "memory_of") (param $at i32) (param $length i32) (result i32) (local.get $length)))"""


def manifest(files: FileServer) -> dict[str, Any]:
    files.files["/sizes.wasm"] = bytes(wasmtime.wat2wasm(SIZES))
    sent = [{"path": "i", "media_type": "image/png", "stage": "execution"}]
    mounts = {"execution": sent, "deployment": [], "output": []}
    return {
        "deploymentId": "s",
        "modules": [{"name": "sizes", "urls": {"binary": f"{files.origin}/sizes.wasm"}}],
        "mounts": {"sizes": {"file": mounts, "memory_of": mounts}},
    }


def raw(size: int) -> tuple[str, bytes, bytes]:
    return "image/png", b"", b""


def form(size: int) -> tuple[str, bytes, bytes]:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="i"; filename="i.png"\r\n'
    head += "Content-Type: image/png\r\n\r\n"
    end = f"\r\n--{BOUNDARY}--\r\n"
    return f"multipart/form-data; boundary={BOUNDARY}", head.encode(), end.encode()


def pieces(size: int) -> Iterator[bytes]:
    for start in range(0, size, len(PIECE)):
        yield PIECE[: size - start]


def post(address: str, path: str, make: Any, size: int, is_chunked: bool) -> Any:
    """Without a copy of the body on this side."""
    media_type, head, end = make(size)
    host, _, port = address.removeprefix("http://").partition(":")
    length = f"Content-Length: {len(head) + size + len(end)}"
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: {host}",
        f"Content-Type: {media_type}",
        "Transfer-Encoding: chunked" if is_chunked else length,
        "Connection: close",
    ]
    with socket.create_connection((host, int(port)), timeout=60) as client:
        client.sendall("\r\n".join([*lines, "", ""]).encode())
        for piece in (head, *pieces(size), end):
            if piece and is_chunked:
                client.sendall(b"%x\r\n" % len(piece))
            client.sendall(piece)
            if piece and is_chunked:
                client.sendall(b"\r\n")
        if is_chunked:
            client.sendall(b"0\r\n\r\n")
        answer = b""
        while received := client.recv(65536):
            answer += received
    assert answer.startswith(b"HTTP/1.1 200"), answer[:500]
    return json.loads(answer.partition(b"\r\n\r\n")[2])


@pytest.mark.parametrize("function", ["file", "memory_of"])
@pytest.mark.parametrize("make", [raw, form])
@pytest.mark.parametrize("is_chunked", [False, True])
async def test_an_upload_is_in_memory_once(
    app: App, files: FileServer, function: str, make: Any, is_chunked: bool
) -> None:
    await app.deployer.deploy(manifest(files))
    address, path = app.addresses()["http"], f"/things/s:sizes/actions/{function}"
    assert await asyncio.to_thread(post, address, path, make, 1000, is_chunked) == 1000
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        size = await asyncio.to_thread(post, address, path, make, SIZE_BYTES, is_chunked)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size == SIZE_BYTES
    assert (peak - before) / SIZE_BYTES < PEAK_LIMIT
