"""How fast functions are called, beside the library's own calls, in one process and one run.

    python -m benchmarks.engine [--seconds N] [--json]

Measured in turns (A B A B …): ratios hold although the speed of a shared machine drifts.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import wasmtime

from servient.wasm.engine import Engine
from servient.wasm.folder import Folder
from servient.wasm.fresh import FreshCalls
from servient.wasm.guest import Guest
from servient.wasm.instance import Instance
from servient.wasm.isolated.instance import IsolatedInstance
from servient.wasm.module import Module
from servient.wasm.running import Running
from servient.wasm.stateless import StatelessInstances
from servient.wasm.types import Call, Limits
from servient.wasm.watch import Watch

EXAMPLES = Path(__file__).parent.parent / "examples"
ROUNDS = 5
CALL = Call("fibo", (7,))
LONG_FUNCTION, LONG_ARGUMENT = "fibo_recursive", 30
LOOP_BUDGET_MS = 20.0

Measures = dict[str, list[float]]


async def main() -> None:
    arguments = parse_arguments()
    limits = Limits()
    async with Engine(limits) as engine:
        module = await engine.compile((EXAMPLES / "fibonacci/fibonacci.wasm").read_bytes())
        with tempfile.TemporaryDirectory() as folder:
            rates = measure_calls(engine, module, Path(folder), limits, arguments.seconds)
            rates |= await measure_instances(
                engine, module, Path(folder), limits, arguments.seconds
            )
            threads = measure_threads(engine, module, Path(folder), limits)
            stall = await measure_stall(engine, Path(folder), limits, arguments.seconds)
    ratios = {
        "pooled_vs_wrapper": ratio(rates, "stateful, kept", "library, kept"),
        "fresh_vs_wrapper": ratio(rates, "fresh", "library, fresh"),
        "two_threads": threads,
    }
    if arguments.json:
        medians = {name: statistics.median(values) for name, values in rates.items()}
        print(json.dumps({"ratios": ratios, "calls_per_second": medians, "worst_stall_ms": stall}))
    else:
        show(rates, ratios, stall)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=0.4, help="of each measurement (0.4)")
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    return parser.parse_args()


def measure_calls(
    engine: Engine, module: Module, folder: Path, limits: Limits, seconds: float
) -> Measures:
    """Calls per second in one thread, ours and the library's, without an event loop."""
    guest = Guest(engine, module, Folder(folder, limits), limits, Watch(engine.ticker))
    guest.start(1.0)
    fresh = FreshCalls(engine, module, limits, Watch(engine.ticker))
    store = wasmtime.Store(engine.native)
    store.set_epoch_deadline(2**40)
    kept = wasmtime.Instance(store, module.native, []).exports(store)["fibo"]
    assert isinstance(kept, wasmtime.Func)

    def library_fresh() -> None:
        own = wasmtime.Store(engine.native)
        own.set_epoch_deadline(2**40)
        function = wasmtime.Instance(own, module.native, []).exports(own)["fibo"]
        assert isinstance(function, wasmtime.Func)
        function(own, 7)

    contenders: dict[str, Callable[[], object]] = {
        "stateful, kept": lambda: guest.call("fibo", (7,), 1.0),
        "library, kept": lambda: kept(store, 7),
        "fresh": lambda: fresh.call("fibo", (7,), 1.0),
        "library, fresh": library_fresh,
    }
    rates: Measures = {name: [] for name in contenders}
    for _ in range(ROUNDS):
        for name, call in contenders.items():
            rates[name].append(rate(call, seconds))
    guest.close()
    return rates


def rate(call: Callable[[], object], seconds: float) -> float:
    count, began = 0, time.perf_counter()
    while (spent := time.perf_counter() - began) < seconds:
        for _ in range(100):
            call()
        count += 100
    return count / spent


async def measure_instances(
    engine: Engine, module: Module, folder: Path, limits: Limits, seconds: float
) -> Measures:
    """Calls per second as the servient makes them: awaited on the event loop, 16 at a time."""
    kinds: dict[str, Callable[[], Instance | StatelessInstances | IsolatedInstance]] = {
        "stateful, awaited": lambda: Instance(engine, module, folder, limits),
        "stateless, awaited": lambda: StatelessInstances(engine, module, folder, limits),
        "isolated, awaited": lambda: IsolatedInstance(module, folder, limits),
    }
    rates: Measures = {name: [] for name in kinds}
    for _ in range(ROUNDS):
        for name, make in kinds.items():
            async with make() as instance:
                rates[name].append(await awaited_rate(instance, seconds))
    return rates


async def awaited_rate(instance: Running, seconds: float) -> float:
    counts, began = [0] * 16, time.perf_counter()

    async def client(number: int) -> None:
        while time.perf_counter() - began < seconds:
            await instance.call(CALL)
            counts[number] += 1
            await asyncio.sleep(0)

    await asyncio.gather(*map(client, range(16)))
    return sum(counts) / (time.perf_counter() - began)


def measure_threads(engine: Engine, module: Module, folder: Path, limits: Limits) -> float:
    """How much more two threads get done than one, of a function that takes some 10 ms."""
    guests = [
        Guest(engine, module, Folder(folder, limits), limits, Watch(engine.ticker))
        for _ in range(2)
    ]
    for guest in guests:
        guest.start(1.0)

    def compute(guest: Guest) -> None:
        for _ in range(20):
            guest.call(LONG_FUNCTION, (LONG_ARGUMENT,), 60.0)

    gains = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        compute(guests[0])
        alone = time.perf_counter() - began
        threads = [threading.Thread(target=compute, args=(guest,)) for guest in guests]
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        gains.append(2 * alone / (time.perf_counter() - began))
    for guest in guests:
        guest.close()
    return statistics.median(gains)


async def measure_stall(engine: Engine, folder: Path, limits: Limits, seconds: float) -> float:
    """The longest time, in ms, for which the loop stood still while inputs were tiny, then huge.

    The module's time depends on its input alone; each huge call is taken for a short one.
    """
    module = await engine.compile((EXAMPLES / "endless/endless.wasm").read_bytes())
    delays: list[float] = []

    async def probe() -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            delays.append(time.perf_counter() - before - 0.001)

    async with Instance(engine, module, folder, limits) as instance:
        probing = asyncio.create_task(probe(), name="probe")
        until = time.perf_counter() + ROUNDS * seconds
        while time.perf_counter() < until:
            for _ in range(200):
                await instance.call(Call("spin", (0,)))
            await instance.call(Call("spin", (100,)))
            await asyncio.sleep(0)
        probing.cancel()
        await asyncio.gather(probing, return_exceptions=True)
    return max(delays) * 1000


def ratio(rates: Measures, ours: str, theirs: str) -> float:
    """The median of the ratios within each round."""
    return statistics.median(a / b for a, b in zip(rates[ours], rates[theirs], strict=True))


def show(rates: Measures, ratios: dict[str, float], stall: float) -> None:
    print(f"fibo(7), calls per second, medians of {ROUNDS} rounds")
    for name, values in rates.items():
        print(f"  {name:<20} {statistics.median(values):>12,.0f}")
    print("ratios")
    for name, value in ratios.items():
        print(f"  {name:<20} {value:>12.2f}")
    print(f"longest stall of the loop: {stall:.1f} ms (budget {LOOP_BUDGET_MS:.0f} ms)")


if __name__ == "__main__":
    asyncio.run(main())
