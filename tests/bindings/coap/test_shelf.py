"""Values that are kept for a while."""

import asyncio

from servient.bindings.coap.shelf import Shelf


async def test_the_oldest_goes_first() -> None:
    shelf: Shelf[str, int] = Shelf(10, 60)
    for number, name in enumerate("abc"):
        shelf.put(name, number, 4)
    assert [shelf.get(name) for name in "abc"] == [None, 1, 2]
    shelf.put("b", 11, 4)  # kept for longer now
    shelf.put("d", 3, 4)
    assert [shelf.get(name) for name in "bcd"] == [11, None, 3]
    shelf.clear()


async def test_one_that_is_larger_than_all_is_kept_alone() -> None:
    shelf: Shelf[str, int] = Shelf(10, 60)
    shelf.put("a", 1, 1)
    shelf.put("b", 2, 100)
    assert (len(shelf), shelf.get("b")) == (1, 2)
    shelf.drop("b")
    shelf.drop("b")
    shelf.put("c", 3, 10)
    assert len(shelf) == 1
    shelf.clear()


async def test_values_expire_by_themselves() -> None:
    shelf: Shelf[int, int] = Shelf(1000, 0.05)
    for number in range(5):
        shelf.put(number, number, 1)
        await asyncio.sleep(0.01)
    async with asyncio.timeout(10):
        while len(shelf):
            await asyncio.sleep(0.01)
    assert shelf._timer is None
    assert shelf._used_bytes == 0
