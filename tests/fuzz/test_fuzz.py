"""Twenty thousand inputs, over all parsers that face the network; a million are for a quiet day."""

import pytest

from tests.fuzz.parsers import PARSERS, Parser
from tests.fuzz.run import run

COUNT = 20_000 // len(PARSERS) + 1


@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.name)
def test_whatever_comes_is_taken_or_refused(parser: Parser) -> None:
    report = run(parser, COUNT, seed=1)

    assert report.is_good, (report, report.failures)
    assert report.accepted > COUNT // 100
