"""Files by their content: whole or not there, bounded, and gone when nobody uses them."""

import hashlib
from pathlib import Path

import pytest

from servient.errors import StorageFailed
from servient.storage.files import FileStore


@pytest.fixture
def files(tmp_path: Path) -> FileStore:
    store = FileStore(tmp_path / "files", limit_bytes=100)
    store.open(frozenset())
    return store


def names(tmp_path: Path) -> list[str]:
    return sorted(file.name for file in (tmp_path / "files").iterdir())


def test_a_file_is_kept_once_under_its_digest(files: FileStore, tmp_path: Path) -> None:
    digest = files.put(b"picture")
    assert (
        digest == files.put(b"picture", is_durable=True) == hashlib.sha256(b"picture").hexdigest()
    )
    assert names(tmp_path) == [digest]
    assert files.read(digest) == b"picture"
    assert files.size_bytes == 7
    folder = tmp_path / "files"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / digest).stat().st_mode & 0o777 == 0o600
    files.remove(digest)
    files.remove(digest)
    assert (names(tmp_path), files.size_bytes) == ([], 0)


def test_opening_removes_what_nobody_uses(files: FileStore, tmp_path: Path) -> None:
    used, orphan = files.put(b"used"), files.put(b"orphan")
    folder = tmp_path / "files"
    (folder / ".0123456789abcdef").write_bytes(b"half wri")
    (tmp_path / "other").write_bytes(b"of somebody else")
    (folder / "link").symlink_to(tmp_path / "other")
    again = FileStore(folder, limit_bytes=100)
    again.open(frozenset({used}))
    assert names(tmp_path) == [used]
    assert again.size_bytes == 4
    with pytest.raises(StorageFailed, match="gone"):
        again.read(orphan)
    assert (tmp_path / "other").exists()


def test_all_files_together_are_bounded(files: FileStore, tmp_path: Path) -> None:
    first = files.put(bytes(60))
    with pytest.raises(StorageFailed, match="no more than 100 bytes"):
        files.put(bytes(41))
    assert names(tmp_path) == [first]
    files.put(bytes(40))
    files.remove(first)
    files.put(bytes(41))


def test_damage_is_noticed(files: FileStore, tmp_path: Path) -> None:
    digest = files.put(b"picture")
    (tmp_path / "files" / digest).write_bytes(b"pictura")
    with pytest.raises(StorageFailed, match="damaged"):
        files.read(digest)
    assert files.put(b"picture", is_durable=True) == digest
    assert files.read(digest) == b"picture"
    assert files.size_bytes == 7


def test_a_disk_that_is_full_leaves_no_half_file(files: FileStore, tmp_path: Path) -> None:
    (tmp_path / "files").rmdir()
    with pytest.raises(OSError, match="No such file"):
        files.put(b"picture")
    assert files.size_bytes == 0
