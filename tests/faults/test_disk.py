"""A disk that is full, a folder that cannot be written, a database that is damaged."""

from pathlib import Path

import pytest

from servient.storage.backup import copy_path
from servient.storage.store import DATABASE_NAME
from tests.faults.running import needs_namespaces, servient
from tests.files import FileServer


def on_tmpfs(folder: Path, size: str = "12m") -> str:
    return f"mount -t tmpfs -o size={size},mode=700 none {folder / 'instance'}"


async def test_a_full_file_system(tmp_path: Path, files: FileServer) -> None:
    needs_namespaces()
    async with servient(tmp_path, mounts=on_tmpfs(tmp_path)) as running:
        assert (await running.deploy(files)).is_success
        assert (await running.count()).json() == 1
        filler = running.inside() / "filler"
        with pytest.raises(OSError, match="space"), filler.open("wb", buffering=0) as out:
            while True:
                out.write(bytes(4096))
        # What cannot be kept is refused, and what is there is served.
        refused = [await running.count() for _ in range(200)]
        assert {507} >= {each.status_code for each in refused[-50:]}
        assert not (await running.deploy(files, "d")).is_success
        assert (await running.http.get("/health/live")).is_success
        assert (await running.http.get("/things/c:counter/properties/increment_result")).is_success
        filler.unlink()
        assert (await running.count()).json() == 202
        assert (await running.deploy(files, "d")).is_success
        assert await running.stop() == 0


async def test_a_folder_that_becomes_read_only(tmp_path: Path, files: FileServer) -> None:
    """As a memory card does that is worn out."""
    needs_namespaces()
    async with servient(tmp_path, mounts=on_tmpfs(tmp_path)) as running:
        assert (await running.deploy(files)).is_success
        assert (await running.count()).json() == 1
        folder = str(tmp_path / "instance")
        bound = tmp_path / "instance"
        running.mount("--bind", folder, folder)
        running.mount("-o", "remount,bind,ro", str(bound))
        # What was open before stays open: the record is kept; new files are not.
        assert (await running.count()).status_code in (200, 507)
        answer = await running.deploy(files, "d")
        assert (await running.http.get("/health/live")).is_success
        deployments = (await running.http.get("/deploy")).json()["deployments"]
        assert ("d" in [each["deploymentId"] for each in deployments]) == answer.is_success


async def test_a_folder_that_cannot_be_written_is_named_at_the_start(tmp_path: Path) -> None:
    needs_namespaces()
    folder = tmp_path / "instance"
    read_only = f"mount --bind {folder} {folder} && mount -o remount,bind,ro {folder}"
    with pytest.raises(RuntimeError, match=r"cannot start: .*Read-only file system|cannot be used"):
        async with servient(tmp_path, mounts=read_only):
            pass
    assert "Traceback" not in (tmp_path / "log").read_text()


@pytest.mark.parametrize("how", ["noise", "empty"])
async def test_a_damaged_database(how: str, tmp_path: Path, files: FileServer) -> None:
    async with servient(tmp_path) as running:
        assert (await running.deploy(files)).is_success
        assert await running.stop() == 0
    database = tmp_path / "instance" / DATABASE_NAME
    database.write_bytes(b"noise" * 5000 if how == "noise" else b"")
    async with servient(tmp_path) as running:
        assert (await running.count()).json() == 1
    assert "goes on with its copy" in (tmp_path / "log").read_text()


async def test_a_damaged_database_without_a_copy(tmp_path: Path, files: FileServer) -> None:
    async with servient(tmp_path) as running:
        assert (await running.deploy(files)).is_success
        assert await running.stop() == 0
    database = tmp_path / "instance" / DATABASE_NAME
    database.write_bytes(b"noise" * 5000)
    copy_path(database).unlink()
    with pytest.raises(RuntimeError, match="is damaged"):
        async with servient(tmp_path):
            pass
    assert database.read_bytes() == b"noise" * 5000
