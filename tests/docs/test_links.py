"""Links between the pages lead somewhere."""

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.docs.pages import EXAMPLES, ROOT

PAGES = (
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "benchmarks/README.md")),
    *(ROOT / "docs").rglob("*.md"),
    *(ROOT / name for name in ("examples/README.md", *EXAMPLES)),
)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_FENCED = re.compile(r"^ *```.*?^ *```", re.DOTALL | re.MULTILINE)
_TARGET = re.compile(r"^#+ (.+)$", re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    lost = [each for each in _LINK.findall(_prose(page)) if not _leads(page, each)]
    assert lost == []


def test_every_page_is_in_the_index() -> None:
    linked = set(_LINK.findall(_prose(ROOT / "docs/README.md")))
    pages = {str(each.relative_to(ROOT / "docs")) for each in (ROOT / "docs").rglob("*.md")}
    assert pages - linked == {"README.md"}


def _leads(page: Path, link: str) -> bool:
    if link.startswith(("https://", "http://", "mailto:")):
        return True
    name, _, heading = link.partition("#")
    target = page.parent / unquote(name) if name else page
    if not target.exists():
        return False
    return not heading or heading in {_anchor(each) for each in _TARGET.findall(_prose(target))}


def _prose(page: Path) -> str:
    return _FENCED.sub("", page.read_text(encoding="utf-8"))


def _anchor(heading: str) -> str:
    """As GitHub makes it: lower case, without punctuation, with hyphens."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
