"""What is counted of invocations, and that it stays small whatever comes and goes."""

import itertools

import pytest

from servient.errors import Busy, ModuleTrapped, ServientError
from servient.telemetry.metrics.histogram import Histogram
from servient.telemetry.metrics.invocation_tally import InvocationTally
from servient.wot.invocation import Invocation
from servient.wot.record import Kept

NUMBERS = itertools.count()


def over(thing: str, action: str = "f", error: ServientError | None = None) -> Invocation:
    invocation = Invocation(next(NUMBERS), thing, action, None, protocol="coap")
    if error is not None:
        invocation.fail(error)
    else:
        invocation.complete(None)
    invocation.close(Kept(invocation.outcome))
    return invocation


def counted(tally: InvocationTally) -> dict[tuple[str, ...], int]:
    return {
        (thing, action, *key): count
        for thing, action, found in tally
        for key, count in found.counts.items()
    }


def test_outcomes_are_told_apart_by_what_happened() -> None:
    tally = InvocationTally(lambda _: True)
    for error in (None, None, ModuleTrapped("unreachable")):
        tally.ended(over("a", error=error))
    tally.refused("a", "f", "mqtt", Busy("try again"))
    assert counted(tally) == {
        ("a", "f", "coap", "completed"): 2,
        ("a", "f", "coap", "module-trapped"): 1,
        ("a", "f", "mqtt", "busy"): 1,
    }
    ((_, _, found),) = tally
    assert dict(found.durations.buckets())["+Inf"] == 3  # one that was refused took no time


def test_what_was_counted_of_a_thing_goes_with_it() -> None:
    served = {"a", "b"}
    tally = InvocationTally(lambda name: name in served)
    late = over("a")
    tally.ended(over("a"))
    tally.ended(over("b"))
    served.discard("a")
    tally.forget("a")
    tally.forget("a")
    tally.ended(late)  # it was under way when its Thing went
    assert counted(tally) == {("b", "f", "coap", "completed"): 1, ("", "", "coap", "completed"): 1}


def test_a_thousand_things_that_come_and_go_leave_nothing() -> None:
    tally = InvocationTally(lambda _: True, affordances_limit=3)
    for number in range(1000):
        tally.ended(over(f"thing-{number}"))
        tally.forget(f"thing-{number}")
    assert counted(tally) == {}


def test_there_are_only_so_many_that_are_told_apart() -> None:
    tally = InvocationTally(lambda _: True, affordances_limit=2)
    for name in "abcd":
        tally.ended(over(name))
        tally.ended(over(name))
    assert counted(tally) == {
        ("a", "f", "coap", "completed"): 2,
        ("b", "f", "coap", "completed"): 2,
        ("", "", "coap", "completed"): 4,
    }


@pytest.mark.parametrize(
    ("seconds", "counts"),
    [
        (0.0, [1, 1, 1]),
        (1.0, [1, 1, 1]),
        (1.1, [0, 1, 1]),
        (99.0, [0, 0, 1]),
    ],
)
def test_a_duration_is_in_every_bucket_whose_bound_it_does_not_exceed(
    seconds: float, counts: list[int]
) -> None:
    histogram = Histogram((1.0, 2.0))
    copied = histogram.copy()
    histogram.observe(seconds)
    assert [count for _, count in histogram.buckets()] == counts
    assert [bound for bound, _ in histogram.buckets()] == ["1.0", "2.0", "+Inf"]
    assert histogram.sum_seconds == seconds
    assert copied.sum_seconds == 0
