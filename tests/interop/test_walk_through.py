"""The walk-through that users of wasmiot supervisors know, typed into a shell with the real curl."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from servient.app import App
from servient.config import Config
from servient.wasm.imports.pictures import TestPicture
from tests.files import EXAMPLES, FileServer
from tests.interop.programs import run
from tests.tools import needs

MANIFESTS = Path(__file__).parents[1] / "manifests"
DIGIT = EXAMPLES / "digits" / "digit.png"
BINARIES = "/wasm-binaries/wasm32-wasi"


class Shell:
    """Where the user types; `http://localhost:5000` is the servient under test."""

    def __init__(self, origin: str, folder: Path) -> None:
        self._origin = origin
        self._folder = folder

    def path(self, name: str) -> Path:
        return self._folder / name

    async def type(self, command: str) -> str:
        """What a command prints."""
        here = command.replace("http://localhost:5000", self._origin)
        needs("curl")
        ended = await run("sh", "-c", f"cd '{self._folder}'; {here}")
        assert ended.code == 0, (here, ended.text)
        return ended.text

    async def json(self, command: str) -> Any:
        return json.loads(await self.type(command))

    def manifest(self, name: str, text: str, files: FileServer) -> None:
        self.path(name).write_text(text.replace("http://localhost:8000", files.origin))


@pytest.fixture
async def shell(
    settings: Callable[..., Config], files: FileServer, tmp_path: Path
) -> AsyncIterator[Shell]:
    config = settings(camera_source="test-picture", bindings=("http",))
    async with App(config) as app:
        shell = Shell(app.addresses()["http"], tmp_path)
        for file in MANIFESTS.glob("old-*.json"):
            shell.manifest(file.name, file.read_text(), files)
        for name in ("fibonacci", "digits", "camera"):
            text = (EXAMPLES / name / "manifest-readme.json").read_text()
            shell.manifest(f"{name}.json", text, files)
        shell.path("image.png").write_bytes(DIGIT.read_bytes())
        files.files[f"{BINARIES}/ml.wasm"] = (EXAMPLES / "digits/digits.wasm").read_bytes()
        files.files[f"{BINARIES}/ml.pb"] = (EXAMPLES / "digits/model.pb").read_bytes()
        yield shell


DEPLOY = """
curl \\
    --silent \\
    --header "Content-Type: application/json" \\
    --request POST \\
    --data @{} \\
    http://localhost:5000/deploy
"""


async def deploy(shell: Shell, manifest: str, deployment: str) -> None:
    answer = await shell.json(DEPLOY.format(manifest))
    assert answer == {"status": "success", "deploymentId": deployment}


async def result_of(shell: Shell, call: str) -> dict[str, Any]:
    """Call a function, and look at the address that comes back."""
    answer = await shell.json(call)
    entry: dict[str, Any] = await shell.json(f"curl --silent {answer['resultUrl']}")
    assert entry["success"], entry
    assert entry["result"] == answer["result"]
    return entry


@pytest.mark.parametrize("manifest", ["old-fibo.json", "fibonacci.json"])
async def test_fibonacci(shell: Shell, manifest: str) -> None:
    await deploy(shell, manifest, "0")
    for iterations, number in {7: 21, 12: 233}.items():
        call = f"curl --silent http://localhost:5000/0/modules/fiboMod/fibo?iterations={iterations}"
        entry = await result_of(shell, call)
        assert entry["result"] == [str(number), None]
        assert entry["request_args"] == {"iterations": iterations}


MODELS = {"old-mobilenet.json": "mobilenet", "digits.json": "digits"}


@pytest.mark.parametrize(("manifest", "module"), MODELS.items(), ids=MODELS.values())
async def test_machine_learning(shell: Shell, manifest: str, module: str) -> None:
    """A form is posted although the manifest's operation says get."""
    await deploy(shell, manifest, "1")
    call = (
        f"curl --silent -F data=@image.png http://localhost:5000/1/modules/{module}/infer_from_ptrs"
    )
    entry = await result_of(shell, call)
    assert entry["result"] == ["2", None]
    assert list(entry["request_files"]) == ["data"]


@pytest.mark.parametrize("manifest", ["old-camera.json", "camera.json"])
async def test_the_camera(shell: Shell, manifest: str) -> None:
    await deploy(shell, manifest, "2")
    entry = await result_of(
        shell, "curl --silent http://localhost:5000/2/modules/camera/take_image"
    )
    assert entry["result"][1], entry
    await shell.type(f"curl --silent --fail --output picture.jpeg {entry['outputs'][0]}")
    assert shell.path("picture.jpeg").read_bytes() == TestPicture().take()


async def test_the_history(shell: Shell) -> None:
    await deploy(shell, "old-fibo.json", "0")
    await deploy(shell, "old-mobilenet.json", "1")
    await deploy(shell, "old-camera.json", "2")
    calls: Sequence[str] = (
        "curl --silent http://localhost:5000/0/modules/fiboMod/fibo?iterations=7",
        "curl --silent -F data=@image.png"
        " http://localhost:5000/1/modules/mobilenet/infer_from_ptrs",
        "curl --silent http://localhost:5000/2/modules/camera/take_image",
    )
    answers = [await shell.json(call) for call in calls]
    entries = await shell.json("curl --silent http://localhost:5000/request-history")
    assert sorted(entry["deployment_id"] for entry in entries) == ["0", "1", "2"]
    assert all(entry["success"] for entry in entries)
    listed = {entry["request_id"]: entry["result"] for entry in entries}
    for answer in answers:
        request_id = answer["resultUrl"].rpartition("/")[2]
        assert listed[request_id] == answer["result"]
