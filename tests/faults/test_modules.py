"""A module that wants all the memory that there is."""

from pathlib import Path
from typing import Any

import psutil
import pytest
from wasmtime import wat2wasm

from tests.faults.running import servient
from tests.files import FileServer

LIMIT_BYTES = 16 * 2**20
GREEDY = """(module (memory (export "memory") 1)
  (func (export "greedy") (result i32)
    (loop $more (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
    (memory.fill (i32.const 0) (i32.const 1) (i32.shl (memory.size) (i32.const 16)))
    (memory.size))
  (func (export "beyond") (result i32) (i32.load (i32.const 0x7ffffff0))))"""


def manifest(files: FileServer, *, is_isolated: bool) -> dict[str, Any]:
    files.files["/greedy.wasm"] = bytes(wat2wasm(GREEDY))
    module = {
        "id": "m",
        "name": "m",
        "urls": {"binary": f"{files.origin}/greedy.wasm"},
        "isolated": is_isolated,
    }
    endpoints = {
        name: {
            "url": "http://localhost",
            "path": f"/g/modules/m/{name}",
            "method": "get",
            "request": {"parameters": []},
            "response": {"media_type": "application/json", "schema": {"type": "integer"}},
        }
        for name in ("greedy", "beyond")
    }
    return {"deploymentId": "g", "modules": [module], "endpoints": {"m": endpoints}}


@pytest.mark.parametrize("is_isolated", [False, True], ids=["inside", "isolated"])
async def test_no_memory_for_a_module(is_isolated: bool, tmp_path: Path, files: FileServer) -> None:
    limit = {"WASM_SERVIENT_MODULE_MEMORY_BYTES": str(LIMIT_BYTES)}
    async with servient(tmp_path, **limit) as running:
        assert (await running.deploy(files)).is_success
        answer = await running.http.post("/deploy", json=manifest(files, is_isolated=is_isolated))
        assert answer.is_success, answer.text
        before = psutil.Process(running.pid).memory_info().rss
        for _ in range(3):
            pages = (await running.http.post("/things/g:m/actions/greedy")).json()
            assert LIMIT_BYTES // 2 < pages * 2**16 <= LIMIT_BYTES
            assert (await running.http.post("/things/g:m/actions/beyond")).status_code == 500
        assert psutil.Process(running.pid).memory_info().rss - before < 4 * LIMIT_BYTES
        assert (await running.count()).json() == 1
