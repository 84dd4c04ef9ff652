"""A module whose network is computed by the host, from the manifest to the answer."""

import httpx
import pytest
import wasmtime

from servient.app import App
from tests.files import FileServer
from tests.wasm.imports.onnx_models import ADD

# infer(number) → the first element of `add` for a tensor that begins with it.
INFERRING = """(module
  (import "wasi_ephemeral_nn" "load_by_name" (func $load (param i32 i32 i32) (result i32)))
  (import "wasi_ephemeral_nn" "init_execution_context" (func $open (param i32 i32) (result i32)))
  (import "wasi_ephemeral_nn" "set_input" (func $set (param i32 i32 i32) (result i32)))
  (import "wasi_ephemeral_nn" "compute" (func $compute (param i32) (result i32)))
  (import "wasi_ephemeral_nn" "get_output"
    (func $get (param i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "add.onnx")
  ;; dimensions at 100: (4); the tensor's record at 120; its data at 200
  (data (i32.const 100) "\\04\\00\\00\\00")
  (data (i32.const 120) "\\64\\00\\00\\00\\01\\00\\00\\00\\01\\00\\00\\00\\c8\\00\\00\\00\\10\\00\\00\\00")
  (func $check (param i32) (if (local.get 0) (then unreachable)))
  (func (export "infer") (param f32) (result f32)
    (f32.store (i32.const 200) (local.get 0))
    (call $check (call $load (i32.const 0) (i32.const 8) (i32.const 64)))
    (call $check (call $open (i32.load (i32.const 64)) (i32.const 68)))
    (call $check (call $set (i32.load (i32.const 68)) (i32.const 0) (i32.const 120)))
    (call $check (call $compute (i32.load (i32.const 68))))
    (call $check (call $get (i32.load (i32.const 68)) (i32.const 0)
      (i32.const 300) (i32.const 16) (i32.const 72)))
    (f32.load (i32.const 300))))"""


@pytest.mark.parametrize("way", [{}, {"stateless": True}, {"isolated": True}])
async def test_a_model_comes_with_the_deployment(
    app: App, files: FileServer, way: dict[str, bool]
) -> None:
    files.files |= {"/infer.wasm": bytes(wasmtime.wat2wasm(INFERRING)), "/add.onnx": ADD}
    urls = {
        "binary": f"{files.origin}/infer.wasm",
        "other": {"add.onnx": f"{files.origin}/add.onnx"},
    }
    module = {"name": "network", "urls": urls, **way}
    manifest = {"deploymentId": "nn", "modules": [module]}
    async with httpx.AsyncClient(base_url=app.addresses()["http"], timeout=30) as http:
        answer = await http.post("/deploy", json=manifest)
        assert answer.status_code == 200, answer.text
        for number in (1.5, 41.0):
            td = (await http.get("/things/nn:network")).json()
            (parameter,) = td["actions"]["infer"]["input"]["properties"]
            url = "/things/nn:network/actions/infer"
            answer = await http.post(url, json={parameter: number})
            assert (answer.status_code, answer.json()) == (200, number + 1)
