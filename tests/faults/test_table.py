"""The table of faults names tests that there are."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_every_row_has_a_test() -> None:
    rows = [line for line in (ROOT / "docs/faults.md").read_text().splitlines() if line[:2] == "| "]
    assert len(rows) > 10
    for row in rows[1:]:
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row)
        assert named, row
        for file, test in named:
            text = (ROOT / file).read_text()
            assert re.search(rf"^(async )?def {test}\(", text, re.MULTILINE), (file, test)
