"""Whether the machine, and not what was emulated, decided the figures."""

from collections.abc import Iterator

from emulation.report.measurements import Measurements

BUSY_SHARE = 0.9  # of all cores
BUSY_SECONDS_SHARE = 0.1  # of the run
LATE_SECONDS = 0.1
FULL_CORE = 0.95
MEMORY_SHARE = 0.95


def bottlenecks(run: Measurements) -> list[str]:
    """Why latencies may measure the host; nothing when it kept up."""
    return [*_of_host(run), *_of_replicas(run), *_of_records(run)]


def _of_host(run: Measurements) -> Iterator[str]:
    samples = run.host
    if not samples:
        return
    busy = sum(1 for sample in samples if sample.cpu >= BUSY_SHARE)
    if busy >= max(1.0, BUSY_SECONDS_SHARE * len(samples)):
        yield (
            f"all {run.description.cores} cores were at least {BUSY_SHARE:.0%} busy"
            f" in {busy} of {len(samples)} samples"
        )
    late = sorted(sample.delay_seconds for sample in samples)
    if late[int(0.9 * (len(late) - 1))] > LATE_SECONDS:
        yield f"timers were up to {late[-1] * 1000:.0f} ms late"
    if (peak := max(sample.memory for sample in samples)) >= MEMORY_SHARE:
        yield f"memory was {peak:.0%} full"


def _of_replicas(run: Measurements) -> Iterator[str]:
    """One that fills a core although nobody limits it; at a limit of its own it is as was asked."""
    limited = {r for node in run.description.nodes if node.cpu_cores for r in node.replicas}
    for replica, samples in run.usage_of.items():
        full = sum(1 for sample in samples if sample.cpu >= FULL_CORE)
        if replica not in limited and full > max(2.0, BUSY_SECONDS_SHARE * len(samples)):
            yield f"{replica} filled a core in {full} of {len(samples)} samples"


def _of_records(run: Measurements) -> Iterator[str]:
    if run.lost_records:
        yield f"{run.lost_records} records found no room: counts are too low by so many"
