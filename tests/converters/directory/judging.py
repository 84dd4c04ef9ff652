"""Converts real documents and judges what comes out."""

import statistics
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from converters.openapi.thing import to_thing_description
from tests.converters.directory.archive import Drawn
from tests.converters.directory.coverage import Coverage
from thing_descriptions.validator import lint_td, validate_td

GAPS_SHOWN = 8


@dataclass(slots=True)
class Judgement:
    """What was seen; `faults` is empty when all is well."""

    faults: list[str] = field(default_factory=list)
    seconds: list[tuple[float, str]] = field(default_factory=list)
    descriptions: list[dict[str, Any]] = field(default_factory=list)
    losses: int = 0

    def __str__(self) -> str:
        slowest, name = max(self.seconds)
        median = statistics.median(seconds for seconds, _ in self.seconds)
        return (
            f"{len(self.seconds)} documents: median {median:.3f} s, slowest {slowest:.2f} s ({name}); "
            f"{self.losses} losses reported; {len(self.faults)} faults"
        )


def judge(documents: Iterable[Drawn]) -> Judgement:
    """Converts each, and checks the result by W3C's schema, our rules and for gaps in the report."""
    judgement = Judgement()
    for drawn in documents:
        began = time.perf_counter()
        try:
            conversion = to_thing_description(drawn.document)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a fault
            judgement.faults.append(f"{drawn.name}: {error!r}")
            continue
        judgement.seconds.append((time.perf_counter() - began, drawn.name))
        judgement.losses += len(conversion.losses)
        judgement.descriptions.append(conversion.td)
        found = validate_td(conversion.td) + lint_td(conversion.td)
        gaps = list(Coverage(drawn.document, conversion.td, conversion.losses).gaps())
        found += [f"neither converted nor reported: {gap}" for gap in gaps[:GAPS_SHOWN]]
        judgement.faults += [f"{drawn.name}: {fault}" for fault in found]
    return judgement
