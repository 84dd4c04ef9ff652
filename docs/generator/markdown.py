"""The little of Markdown that the pages of the reference are made of."""

import re
from collections.abc import Iterable, Sequence

# A file's first line; a reader of the source sees where to change what the page says.
NOTE = "<!-- Written by scripts/reference: change what it is made from, not this file. -->"


def page(title: str, *parts: str) -> str:
    return "\n\n".join((NOTE, f"# {title}", *(part for part in parts if part))) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [_row(head), _row(["---"] * len(head)), *(_row(row) for row in rows)]
    return "\n".join(lines)


def code(text: object) -> str:
    """As a span of code; nothing for nothing. Source: CommonMark 0.31 section 6.1."""
    words = str(text)
    if not words:
        return ""
    longest = max((len(run) for run in re.findall("`+", words)), default=0)
    fence = "`" * (longest + 1)
    padding = " " if longest else ""
    return f"{fence}{padding}{words}{padding}{fence}"


def codes(texts: Iterable[object]) -> str:
    return ", ".join(code(text) for text in texts)


def words(text: str) -> str:
    """On one line."""
    return " ".join(text.split())


def _row(cells: Sequence[str]) -> str:
    # Also within code a bar would end the cell (GitHub Flavored Markdown section 4.10).
    return f"| {' | '.join(words(cell).replace('|', chr(92) + '|') for cell in cells)} |"
