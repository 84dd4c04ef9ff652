"""A damaged database comes back as its last good copy, and never silently as an empty one."""

import logging
from pathlib import Path

import pytest

from servient.storage.backup import copy_path
from servient.storage.errors import Unusable
from servient.storage.store import DATABASE_NAME, Store

NOISE = b"\xff" * 5000


async def keep(folder: Path, *names: str) -> None:
    async with Store(folder) as store:
        for name in names:
            await store.deployments.save(name, {"id": name}, {"http://a/x": b"module"}, 0)


async def kept(folder: Path) -> list[str]:
    async with Store(folder) as store:
        return [each.id for each in await store.deployments.all()]


def damage(path: Path, how: str) -> None:
    body = path.read_bytes()
    match how:
        case "noise":
            path.write_bytes(NOISE)
        case "cut":
            path.write_bytes(body[: len(body) // 2])
        case "empty":
            path.write_bytes(b"")
        case "gone":
            path.unlink()
        case "pages":
            path.write_bytes(body[:4096] + NOISE + body[4096 + len(NOISE) :])


@pytest.mark.parametrize("how", ["noise", "cut", "empty", "gone", "pages"])
async def test_it_comes_back(how: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    await keep(tmp_path, "a", "b")
    damage(tmp_path / DATABASE_NAME, how)
    with caplog.at_level(logging.ERROR):
        assert await kept(tmp_path) == ["a", "b"]
    assert "goes on with its copy" in caplog.text
    if how != "gone":
        assert (tmp_path / f"{DATABASE_NAME}.damaged").exists()
    caplog.clear()
    assert await kept(tmp_path) == ["a", "b"]
    assert not caplog.text


async def test_numbers_of_invocations_that_were_lost_are_not_given_again(tmp_path: Path) -> None:
    await keep(tmp_path, "a")
    damage(tmp_path / DATABASE_NAME, "noise")
    async with Store(tmp_path) as store:
        _, next_number = await store.invocations.restore()
    assert next_number >= 1_000_000


async def test_without_a_good_copy_it_does_not_start(tmp_path: Path) -> None:
    await keep(tmp_path, "a")
    path = tmp_path / DATABASE_NAME
    path.write_bytes(NOISE)
    copy_path(path).write_bytes(NOISE)
    with pytest.raises(Unusable, match="so is its copy"):
        await kept(tmp_path)
    assert (tmp_path / f"{DATABASE_NAME}.damaged").read_bytes() == NOISE


async def test_a_log_that_was_cut_loses_its_end_alone(tmp_path: Path) -> None:
    """As after a loss of power: what is whole counts."""
    await keep(tmp_path, "a")
    store = Store(tmp_path)
    await store.__aenter__()
    try:
        await store.deployments.save("b", {}, {}, 0)
        log = (tmp_path / f"{DATABASE_NAME}-wal").read_bytes()
        database = (tmp_path / DATABASE_NAME).read_bytes()
    finally:
        await store.__aexit__(None, None, None)
    (tmp_path / DATABASE_NAME).write_bytes(database)
    (tmp_path / f"{DATABASE_NAME}-wal").write_bytes(log[: len(log) // 2])
    assert await kept(tmp_path) in (["a"], ["a", "b"])
