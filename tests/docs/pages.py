"""Pages of Markdown as the steps that a reader takes: commands to type, and files to write.

A fence's first word is its language, the second one the file that the reader writes. HTML comments in the
lines before it, which readers do not see, say what its text cannot:

    <!-- not run: REASON -->        what cannot be done here; it is only looked at
    <!-- stays, saying: TEXT -->    the last line goes on in a terminal of its own, once it has said that
    <!-- first ended: COMMAND -->   what stayed and begins so is interrupted before, as by Ctrl-C
    <!-- exit code: NUMBER -->      of commands that fail, to show how
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = (
    "README.md",
    "examples/README.md",
    *sorted(str(each.relative_to(ROOT)) for each in (ROOT / "docs").glob("*.md")),
)
EXAMPLES = sorted(str(each.relative_to(ROOT)) for each in (ROOT / "examples").glob("*/README.md"))
_FENCE = re.compile(r"^( *)(`{3,})(\S*) *(\S*)[^`]*$")
_COMMENT = re.compile(r"^<!-- ([a-z ,]+): (.+) -->$")


@dataclass(frozen=True, slots=True)
class Block:
    """What stands between two fences."""

    line: int
    language: str
    file: str
    text: str
    notes: dict[str, str] = field(default_factory=dict)

    def commands(self) -> Iterator["Command"]:
        """Of a console: what stands after `$`, with the lines that it goes on in, and what it prints."""
        typed: list[str] = []
        printed: list[str] = []
        for line in self.text.splitlines():
            if typed and not printed and _goes_on("\n".join(typed)):
                typed.append(line.removeprefix("> "))
            elif line.startswith("$ "):
                if typed:
                    yield Command("\n".join(typed), "\n".join(printed))
                typed, printed = [line[2:]], []
            else:
                printed.append(line)
        if typed:
            yield Command("\n".join(typed), "\n".join(printed))


@dataclass(frozen=True, slots=True)
class Command:
    """What is typed, and what the page says of its output; `…` is anything."""

    typed: str
    printed: str

    def matches(self, output: str) -> bool:
        parts = (re.escape(each) for each in self.printed.strip().split("…"))
        return re.fullmatch(".*?".join(parts), _trimmed(output), re.DOTALL) is not None


def _goes_on(typed: str) -> bool:
    """Whether the next line belongs to it, too: after a backslash, or in quotes."""
    try:
        shlex.split(typed)
    except ValueError:
        return True
    return False


def _trimmed(output: str) -> str:
    return "\n".join(line.rstrip() for line in output.strip().splitlines())


def read_blocks(text: str) -> Iterator[Block]:
    """Raises ValueError for a fence that does not end."""
    notes: dict[str, str] = {}
    lines = iter(enumerate(text.splitlines(), start=1))
    for number, line in lines:
        if comment := _COMMENT.match(line.strip()):
            notes[comment[1]] = comment[2]
        elif fence := _FENCE.match(line):
            inside = []
            for _, each in lines:
                if each.strip() == fence[2]:
                    break
                inside.append(each.removeprefix(fence[1]))
            else:
                raise ValueError(f"the fence of line {number} does not end")
            yield Block(number, fence[3], fence[4], "\n".join(inside) + "\n", notes)
            notes = {}
        elif line.strip():
            notes = {}
